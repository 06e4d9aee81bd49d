//! The control API of a running world and its client: JSON over HTTP on loopback, for the command
//! line and for test suites in any language.
//!
//! | | |
//! |---|---|
//! | `GET /ready` | 200 once every part answers |
//! | `GET /endpoints` | where every part listens, and what to export |
//! | `POST /sms` | sends a person's text, `{from, body, media}`; responds with the delivery and the replies |
//! | `GET /messages` | every text received and sent that the journal still has |
//! | `GET /journal?since=&phone=&changes=&wait=` | the exchanges from a position on; can wait for a change |
//! | `GET /tables/{id}` | all rows of a table |
//! | `GET /tables/{id}/items` | the same in DynamoDB's own format |
//! | `PUT /tables/{id}/items` | `{items, check_only}`: writes rows, or only checks them |
//! | `POST /clock` | moves business time to `{now}`, which may be earlier, or forward by `{advance}` |
//! | `POST /faults`, `DELETE /faults` | arms a failure, disarms all |
//! | `POST /reset` | the world as it was at the start |
//!
//! Errors are `{"error", "help"}`. A journal that has dropped the exchange at `since` responds with 410
//! and `first`, the position of the first exchange that it still has. A request whose Host or Origin is
//! not loopback is refused, so that no web page can call the API.
//!
//! [`Server`] serves the API of a [`World`](rehearse_world::World); [`Client`] calls it:
//!
//! ```no_run
//! use rehearse_control::{Client, JournalQuery, SmsRequest};
//!
//! # async fn example() -> Result<(), rehearse_control::ClientError> {
//! let client = Client::new("http://127.0.0.1:4040")?;
//! let before = client.journal(&JournalQuery::default()).await?;
//! let text = SmsRequest { body: "Do you fix screens?".into(), ..SmsRequest::default() };
//! let sent = client.sms(&text).await?;
//! assert_eq!(sent.attempts[0].status, Some(200));
//! println!("{} replies", sent.replies.len());
//!
//! let since = before.entries.last().map(|exchange| exchange.seq + 1);
//! let page = client.journal(&JournalQuery { since, ..JournalQuery::default() }).await?;
//! for exchange in page.entries {
//!     println!("{} {}", exchange.seq, exchange.name);
//! }
//! # Ok(())
//! # }
//! ```

mod api;
mod client;
mod error;
mod guard;
mod routes;
mod server;
#[cfg(test)]
mod tests;

pub use api::{
    Attempt, ClockRequest, ClockResponse, Endpoints, ErrorBody, FaultRequest, Items, JournalPage,
    JournalQuery, Message, Messages, Part, PutItems, Ready, Rows, SmsRequest, SmsResponse, Written,
};
pub use client::{Client, ClientError, loopback_client};
pub use server::{ControlledWorld, Server};
