//! The parts of AWS around a backend, as an AWS SAM template describes them.
//!
//! - [`gateway`] is API Gateway: HTTP requests become Lambda events, and results become responses.
//!   Functions are routers of this process, or programs behind an emulated Lambda Runtime API.
//! - [`template`] reads `template.yaml` and `rehearse.toml`, or builds them in code.
//! - [`function`] is the code of a backend's functions.
//! - [`events`] is what invokes functions besides an API: schedules, and Lambda's Invoke API.
//! - [`secrets`] is the AWS Parameters and Secrets Lambda Extension.
//! - [`iam`] compares the permissions that functions used with those that the template grants.
//!
//! A gateway alone needs no file. A router behind it meets what it meets on AWS: each request becomes
//! an event and an HTTP request again, by the same code as in production.
//!
//! ```
//! use axum::{Router, routing::get};
//! use rehearse_aws::gateway::FakeGateway;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let router = Router::new().route("/leads", get(|| async { "none" }));
//! let gateway = FakeGateway::builder().function("Leads", router).start().await?;
//!
//! let mut client = tokio::net::TcpStream::connect(gateway.url().replace("http://", "")).await?;
//! client.write_all(b"GET /leads HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await?;
//! let mut response = String::new();
//! client.read_to_string(&mut response).await?;
//! assert!(response.ends_with("none"));
//!
//! let exchanges = gateway.journal().since(0);
//! assert_eq!(exchanges[0].name, "http.GET /{proxy+}");
//! # Ok(())
//! # }
//! ```

pub mod events;
pub mod function;
pub mod gateway;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod hostile;
pub mod iam;
pub mod secrets;
pub mod template;

pub use function::{Executable, Function, WorldClock};
