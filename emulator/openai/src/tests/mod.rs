//! Tests of the server over HTTP.

mod chat;
mod clients;
mod failures;
mod fake;
mod kept_scripts;
mod persona;
mod positions;
mod refusals;
mod responses;
mod scripts;
mod support;
mod yaml;
