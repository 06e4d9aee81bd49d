//! Measures the database behind the proxy that records each call, as functions use it.

use std::time::Duration;

use serde_json::{Value, json};

use super::load::{Body, Load, Measurement};
use crate::error::{Cause, CommandError};
use rehearse_core::table::{Attribute, AttributeKind, Key, TableSpec};
use rehearse_core::{clock::Clock, faults::Faults, journal::Journal, threads::Threads};
use rehearse_dynamodb::{Database, Service};

/// Clients at once.
pub(crate) const CLIENTS: usize = 32;

const TABLE: &str = "Bench";

/// A database with one small table.
pub(crate) struct Bench {
    database: Database,
    journal: Journal,
    _threads: Threads,
}

/// An operation to measure.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Operation {
    /// A row that is there.
    Get,
    /// A new row, if it is not there.
    Put,
    /// Two of those.
    Transact,
}

impl Operation {
    pub(crate) const ALL: [Self; 3] = [Self::Get, Self::Put, Self::Transact];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "GetItem",
            Self::Put => "PutItem, conditional",
            Self::Transact => "TransactWriteItems, two",
        }
    }

    fn target(self) -> &'static str {
        match self {
            Self::Get => "DynamoDB_20120810.GetItem",
            Self::Put => "DynamoDB_20120810.PutItem",
            Self::Transact => "DynamoDB_20120810.TransactWriteItems",
        }
    }

    fn body(self, run: &'static str) -> Body {
        match self {
            Self::Get => {
                let key = json!({ "id": { "S": "row" } });
                Body::Same(
                    json!({ "TableName": TABLE, "Key": key, "ConsistentRead": true }).to_string(),
                )
            }
            Self::Put => Body::Each(Box::new(move |n| put(&format!("{run}-{n}")).to_string())),
            Self::Transact => Body::Each(Box::new(move |n| {
                let both =
                    ["a", "b"].map(|part| json!({ "Put": put(&format!("{run}-{n}-{part}")) }));
                let token = format!("{run}-{n}");
                json!({ "TransactItems": both, "ClientRequestToken": token }).to_string()
            })),
        }
    }
}

fn put(id: &str) -> Value {
    json!({
        "TableName": TABLE,
        "Item": row(id),
        "ConditionExpression": "attribute_not_exists(id)",
    })
}

fn row(id: &str) -> Value {
    json!({ "id": { "S": id }, "phone": { "S": "+15555550123" }, "status": { "S": "booked" } })
}

impl Bench {
    /// Makes the table on a service, and a row in it: the first answers.
    pub(crate) async fn start(service: &Service) -> Result<Self, CommandError> {
        let threads = Threads::start().map_err(failed)?;
        let id = Attribute { name: "id".into(), kind: AttributeKind::String };
        let tables = [TableSpec {
            id: TABLE.into(),
            name: TABLE.into(),
            key: Key { hash: id, range: None },
            indexes: Vec::new(),
            ttl: None,
        }];
        let listener = std::net::TcpListener::bind("127.0.0.1:0").map_err(failed)?;
        let (journal, faults) = (Journal::new(Clock::running()), Faults::default());
        let database =
            Database::start(listener, &threads, service, &tables, journal.clone(), faults);
        let database = database.await.map_err(failed)?;
        let first = json!({ "id": "row", "phone": "+15555550123", "status": "booked" });
        database.put_rows(TABLE, &[first]).await.map_err(failed)?;
        Ok(Self { database, journal, _threads: threads })
    }

    /// Answers to an operation from so many clients in so much time.
    pub(crate) async fn run(
        &self,
        operation: Operation,
        clients: usize,
        time: Duration,
    ) -> Result<Measurement, CommandError> {
        let run = if clients == 1 { "one" } else { "many" };
        let authorization = "AWS4-HMAC-SHA256 Credential=bench/20260210/us-east-1/dynamodb/aws4_request, \
                             SignedHeaders=host;x-amz-date;x-amz-target, Signature=0";
        let load = Load {
            url: self.database.url(),
            headers: vec![
                ("authorization", authorization.into()),
                ("content-type", "application/x-amz-json-1.0".into()),
                ("x-amz-date", "20260210T150000Z".into()),
                ("x-amz-target", operation.target().into()),
            ],
            body: operation.body(run),
            status: 200,
        };
        let answers = load.run(clients, time).await.map_err(failed);
        // What was recorded is of no use, and the next load should not pay for it.
        self.journal.clear();
        answers
    }
}

fn failed(error: impl Into<Cause>) -> CommandError {
    CommandError::environment("failed to load the database").because(error)
}
