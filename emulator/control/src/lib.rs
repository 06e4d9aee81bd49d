//! The control API of a running world and its client: JSON over HTTP on loopback, for the command
//! line and for test suites in any language.
//!
//! | | |
//! |---|---|
//! | `GET /openapi.json` | all of this for programs |
//! | `GET /ready` | 200 once every part answers |
//! | `GET /endpoints` | where every part listens, and what to export |
//! | `GET /people` | who texts, by name |
//! | `POST /sms` | sends a person's text, `{from, to, body, media}`; responds with the delivery, the replies, what Twilio refused, and its errors and warnings |
//! | `GET /messages`, `GET /messages/{sid}` | texts received and sent that the journal still has, with their status |
//! | `POST /messages/wait` | waits for a text that matches |
//! | `POST /messages/{sid}/redeliver` | delivers a received text again |
//! | `POST /messages/{sid}/status` | gives a sent text another status, and calls the backend back |
//! | `POST /delivery`, `DELETE /delivery` | decides what becomes of texts, as [`DeliveryPlan`](rehearse_twilio::DeliveryPlan) says; goes back to delivering all |
//! | `GET /journal?since=&after=&limit=&name=&phone=&changes=&wait=` | the exchanges; can wait for a change |
//! | `GET /journal/{seq}`, `GET /journal/events` | one exchange; all as server-sent events |
//! | `POST /scripts`, `GET /scripts`, `DELETE /scripts` | arms the model's rounds for a text; what is unmet; removes all |
//! | `GET /scripts/{id}`, `DELETE /scripts/{id}` | one of them |
//! | `POST /faults`, `GET /faults`, `DELETE /faults` | arms faults; how often each struck; disarms all |
//! | `GET /faults/{id}`, `DELETE /faults/{id}` | one of them |
//! | `GET /tables`, `GET /tables/{table}` | the tables; all rows of one |
//! | `GET /tables/{table}/items` | the same in DynamoDB's own format |
//! | `PUT /tables/{table}/items` | `{items, check_only}`: writes rows, or only checks them |
//! | `DELETE /tables/{table}/items` | `{keys}`: deletes rows by their keys |
//! | `GET /fixtures`, `POST /fixtures/{name}` | the project's files of rows; writes the rows of one |
//! | `GET /clock`, `POST /clock` | business time; moves it to `{now}`, which may be earlier, or forward by `{advance}` |
//! | `POST /scenarios` | writes what happened as a scenario, of the last turn or as `{name, turns, all, from, to, phone}` says |
//! | `POST /snapshots`, `GET /snapshots` | remembers rows, time and opt-outs; what is remembered |
//! | `POST /snapshots/{name}/restore`, `DELETE /snapshots/{name}` | goes back to one; forgets it |
//! | `POST /reset` | the world as it was at the start |
//!
//! `GET /` is the console: a page that shows all of this and does it, as `docs/console.md` tells.
//! `docs/control-api.md` of the repository tells of each with its errors and an example.
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
mod armed_scripts;
mod client;
mod console;
mod error;
mod guard;
mod kept_snapshots;
mod openapi;
mod operations;
mod routes;
mod server;
#[cfg(test)]
mod tests;

pub use api::{
    ArmedFault, ArmedFaults, Attempt, ClockRequest, ClockResponse, DeleteItems, DeletedItems,
    DeliveryStatus, Difference, Disarmed, EndedRound, Endpoints, ErrorBody, EventsQuery,
    FaultRequest, Faults, Fixtures, HeldCall, HeldMessage, HeldRound, HoldEnd, HoldRequest,
    IndexInfo, Items, JournalPage, JournalQuery, KeyInfo, LoadedFixture, Message, Messages,
    ModelRequest, ModelState, Nearest, OfferedTool, Part, People, Person, PutItems, Ready,
    RefusedText, Reset, Rows, ScriptReport, Scripts, SmsRequest, SmsResponse, SnapshotInfo,
    SnapshotRequest, Snapshots, StatusRequest, TableInfo, Tables, TwilioProblem, Unmet,
    WaitRequest, Written,
};
pub use client::{Client, ClientError, loopback_client};
pub use server::{ControlledWorld, Server};
