//! Parameter Store and Secrets Manager as a function uses them: by the AWS Parameters and Secrets
//! Lambda Extension, which is HTTP on localhost.
//!
//! Values come from `[secrets]` of rehearse.toml. The journal tells which function asked for which
//! name, never a value. As on AWS the extension caches what it fetched, for as long as the function's
//! environment says ([`Session::new`]), so that a backend which relies on fresh values meets old ones.
//!
//! Differences from AWS: it serves from the start, where AWS's answers 400 until the function's first
//! invocation, and all processes of a function share it. The texts of its errors are documented
//! nowhere. As on AWS, a function without the extension's layer does not have it.

mod request;
mod server;
mod session;
#[cfg(test)]
mod tests;

pub use self::{
    server::{Options, Secrets, Server},
    session::Session,
};
