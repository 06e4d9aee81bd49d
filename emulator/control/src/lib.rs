//! The control API of a running world: JSON over loopback, for the command line
//! and for other test suites.
//!
//! | | |
//! |---|---|
//! | `GET /ready` | 200 once every part answers |
//! | `GET /endpoints` | where every part listens, and what to export |
//! | `POST /sms` | a person's text: `{from, body, media}`; answers with the delivery and the replies |
//! | `GET /messages` | every text received and sent |
//! | `GET /journal?since=&phone=&changes=&wait=` | what crossed; waits for news |
//! | `GET /tables/{id}` | all rows of a table |
//! | `GET /tables/{id}/items` | the same in DynamoDB's own format |
//! | `PUT /tables/{id}/items` | `{items, check_only}`: writes rows, or only checks them |
//! | `POST /clock` | `{now}` or `{advance}` |
//! | `POST /faults`, `DELETE /faults` | arms a failure, disarms all |
//! | `POST /reset` | the world as it was at the start |
//!
//! Errors are `{"error", "help"}`. A request whose Host or Origin is not
//! loopback is refused: a web page could otherwise rebind its name to it.

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
