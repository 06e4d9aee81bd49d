mod calls;
mod faults;
mod fixtures;
mod rendezvous;
mod rows;

use rehearse_core::table::{Attribute, AttributeKind, Index, Key, Projection, TableSpec};
use std::{collections::HashMap, net::TcpListener, time::Duration};

use aws_sdk_dynamodb::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    error::ProvideErrorMetadata,
    operation::{put_item::PutItemError, transact_write_items::TransactWriteItemsError},
    types::{AttributeValue, Delete, Put, TransactWriteItem},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use rehearse_core::{
    clock::Clock,
    faults::{Cut, DatabaseFault, Failure, Fault, FaultTarget, Faults, Rendezvous},
    journal::{Exchange, ExchangeDetail, Journal},
    threads::Threads,
};

fn attribute(name: &str, kind: AttributeKind) -> Attribute {
    Attribute { name: name.into(), kind }
}

pub(super) fn tables() -> Vec<TableSpec> {
    let lead_key = Key {
        hash: attribute("lead_id", AttributeKind::String),
        range: Some(attribute("timestamp", AttributeKind::Number)),
    };
    let by_phone = Index {
        name: "ByPhone".into(),
        key: Key { hash: attribute("phone", AttributeKind::String), range: None },
        global: true,
        projection: Projection::All,
    };
    vec![
        TableSpec {
            id: "Leads".into(),
            name: "Repairs_Lead_Log".into(),
            key: lead_key,
            indexes: vec![by_phone],
            ttl: None,
        },
        TableSpec {
            id: "OptOuts".into(),
            name: "Repairs_Opt_Outs".into(),
            key: Key { hash: attribute("phone", AttributeKind::String), range: None },
            indexes: Vec::new(),
            ttl: Some("expires_at".into()),
        },
    ]
}

/// A database, what it records, and what can go wrong.
struct TestDatabase {
    database: Database,
    journal: Journal,
    faults: Faults,
    threads: Threads,
}

impl TestDatabase {
    async fn start() -> Self {
        let journal = Journal::new(Clock::stopped(Timestamp::UNIX_EPOCH));
        let faults = Faults::default();
        let threads = Threads::start().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (service, tables) = (crate::testing::service(), tables());
        let (noted, armed) = (journal.clone(), faults.clone());
        let database = Database::start(listener, &threads, &service, &tables, noted, armed);
        let database = database.await.unwrap();
        Self { database, journal, faults, threads }
    }

    /// The SDK as a function uses it; no retries, so that every failure is seen.
    fn client(&self) -> Client {
        client(&format!("{}/fn/Dispatcher", self.database.url()))
    }

    fn fail(&self, operation: &str, failure: Failure) {
        let on = format!("dynamodb.{operation}");
        self.faults.arm(Fault { on, failure, times: Some(1), ..Fault::default() });
    }

    fn calls(&self) -> Vec<Exchange> {
        let entries = self.journal.since(0).into_iter();
        entries.filter(|e| matches!(e.detail, ExchangeDetail::Database { .. })).collect()
    }
}

fn client(url: &str) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(url)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("rehearse", "rehearse", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled())
        .build();
    Client::from_conf(config)
}

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn n(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn put(phone: &str) -> TransactWriteItem {
    let put = Put::builder()
        .table_name("Repairs_Opt_Outs")
        .item("phone", s(phone))
        .condition_expression("attribute_not_exists(phone)");
    TransactWriteItem::builder().put(put.build().unwrap()).build()
}
