//! Tests over HTTP: the fake against a backend that records requests.

mod channels;
mod delivery;
mod failures;
mod faults;
mod harness;
mod lists;
mod media;
mod numbers;
mod opt_out;
mod rest;
mod services;
mod spec;
mod status;
mod steering;
mod twiml;
