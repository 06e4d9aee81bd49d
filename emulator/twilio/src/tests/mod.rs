//! Tests over HTTP: the fake against a backend that records requests.

mod delivery;
mod failures;
mod faults;
mod harness;
mod lists;
mod opt_out;
mod rest;
mod status;
mod twiml;
