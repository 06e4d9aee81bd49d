//! AWS around a backend, as an AWS SAM template describes it.
//!
//! - [`template`] reads `template.yaml` and `rehearse.toml`.
//! - [`function`] is how a backend's code is called: as a router of this process, or as a program
//!   that speaks the Lambda Runtime API.
//! - [`gateway`] is API Gateway, and the Lambda Runtime API behind it.
//! - [`secrets`] is the AWS Parameters and Secrets Extension.
//! - [`iam`] compares what functions did with what the template lets them do.

pub mod function;
pub mod gateway;
pub mod iam;
pub mod secrets;
pub mod template;

pub use function::{Executable, Function};
