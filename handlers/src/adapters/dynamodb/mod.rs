//! The `Store` port on DynamoDB.
//!
//! One file per topic: `owner`, `calendar` (its settings), `owner_texts`, `schedule` (taken slots),
//! `booking`, `claims` (idempotency keys), `form_hold` (times that the form holds), `discount`,
//! `sales`, `turn`, `late`, `queue`, `outbox`, `usage` (limits), `opt_out` and `customers` (export and
//! erasure). `store` implements the port with them; `migration` writes the rows that older programs
//! did not. `reads` reads rows and whole queries; `row` reads and writes single attributes, `lead_row`
//! and `turn_row` whole rows; `transactions` and `errors` send writes and tell failed conditions from
//! other failures; `client` sets up the SDK.
//!
//! Rules for all of them: every read is consistent; a failed read is an error, never an empty
//! result; after a lost acknowledgement the rows are read to find out what was written. A row of an
//! unexpected shape is an error and never skipped, with these exceptions, each of them logged: in the
//! outbox, among late turns and among those whom the owner may answer it keeps no other from its
//! turn; in the schedule it closes its date; where a number is looked for that cannot be read in it,
//! it is nobody's.

mod booking;
mod calendar;
mod claims;
mod client;
mod customers;
mod discount;
mod errors;
mod form_hold;
mod late;
mod lead_row;
mod migration;
mod opt_out;
mod outbox;
mod owner;
mod owner_texts;
mod queue;
mod reads;
mod row;
mod sales;
mod schedule;
mod store;
mod transactions;
mod turn;
mod turn_row;
mod usage;

pub use self::{
    client::{DynamoDb, Settings, Tables},
    migration::MigrationReport,
};
