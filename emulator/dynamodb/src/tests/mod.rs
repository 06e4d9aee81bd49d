//! The crate's tests against a whole database, one file for each part.

mod calls;
mod emulator_failures;
mod fake;
mod faults;
mod fixtures;
mod rendezvous;
mod rows;

use std::{collections::HashMap, ops::Deref, time::Duration};

use aws_sdk_dynamodb::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    error::ProvideErrorMetadata,
    operation::{put_item::PutItemError, transact_write_items::TransactWriteItemsError},
    types::{AttributeValue, Delete, Put, TransactWriteItem},
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    table::{AttributeKind, Index, TableSpec},
    *,
};
use rehearse_core::{
    faults::{Cut, DatabaseFault, Failure, Fault, FaultTarget, Faults, Rendezvous},
    journal::{Exchange, ExchangeDetail, Journal},
};
use rehearse_testutils::until;

pub(super) fn tables() -> Vec<TableSpec> {
    let leads = TableSpec::new("Leads")
        .named("Repairs_Lead_Log")
        .partition_key("lead_id", AttributeKind::String)
        .sort_key("timestamp", AttributeKind::Number)
        .index(Index::global("ByPhone", "phone", AttributeKind::String));
    let opt_outs = TableSpec::new("OptOuts")
        .named("Repairs_Opt_Outs")
        .partition_key("phone", AttributeKind::String)
        .ttl("expires_at");
    vec![leads, opt_outs]
}

/// A fake on the engine that `REHEARSE_DYNAMODB` names.
struct TestDatabase(FakeDynamoDb);

impl Deref for TestDatabase {
    type Target = FakeDynamoDb;

    fn deref(&self) -> &FakeDynamoDb {
        &self.0
    }
}

impl TestDatabase {
    async fn start() -> Self {
        let service = crate::testing::service();
        let fake = FakeDynamoDb::start_on(&service, tables());
        Self(until("the database's start", fake).await.unwrap())
    }

    /// The SDK as a function uses it, without retries, so that every failure is seen.
    fn client(&self) -> Client {
        client(&format!("{}/fn/Dispatcher", self.url()))
    }

    fn fail(&self, operation: &str, failure: Failure) {
        let on = format!("dynamodb.{operation}");
        self.faults().arm(Fault { on, failure, times: Some(1), ..Fault::default() });
    }

    fn calls(&self) -> Vec<Exchange> {
        let entries = self.journal().since(0).into_iter();
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
