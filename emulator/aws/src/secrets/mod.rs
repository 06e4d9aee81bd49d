//! Parameter Store and Secrets Manager, as a function meets them: through the
//! AWS Parameters and Secrets Lambda Extension, HTTP on localhost.
//!
//! Values come from `[secrets]` of rehearse.toml; the journal tells who asked
//! for which name, never a value. The extension keeps what it fetched, as on AWS, for as
//! long as the function's environment says ([`Session::new`]), so that a backend which
//! counts on fresh values is tested with old ones.
//!
//! A function without the extension's layer has none here either. It serves from the start, whereas AWS's answers 400 until the function's first
//! invocation; and it is one for all processes of a function, which AWS starts
//! beside each of them. The texts of its errors are documented nowhere.

mod request;
mod server;
mod session;
#[cfg(test)]
mod tests;

pub use self::{
    server::{Options, Secrets, Server},
    session::Session,
};
