//! Over real HTTP: a world's Twilio against a backend that records what it gets.

mod delivery;
mod failures;
mod faults;
mod lists;
mod opt_out;
mod rest;
mod status;
mod support;
mod twiml;
