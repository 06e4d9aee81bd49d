//! Over real HTTP: a harness's Twilio against a backend that records what it gets.

mod delivery;
mod failures;
mod faults;
mod harness;
mod lists;
mod opt_out;
mod rest;
mod status;
mod twiml;
