//! Tests of the server over HTTP.

mod chat;
mod chat_model_rows;
mod chat_rows;
mod clients;
mod conversations;
mod endpoints;
mod failures;
mod fake;
mod holding;
mod kept;
mod kept_scripts;
mod persona;
mod positions;
mod published;
mod refusals;
mod reports;
mod responses;
mod responses_rows;
mod rows;
mod scripts;
mod support;
mod yaml;
