//! The tables, and what arrives late.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use dynoxide::{AttributeValue, Database, DynoxideError, actions::scan::ScanRequest};
use handlers::ports::Timer as _;
use memory_ports::TestTimer;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// The table of leads.
pub(super) const LEADS: &str = "Leads";
/// Names, partition keys and sort keys, as `template.yaml` has them.
const TABLES: [(&str, &str, Option<&str>); 6] = [
    (LEADS, "lead_id", Some("timestamp")),
    ("OwnerState", "state_id", None),
    ("Schedule", "schedule_date", Some("slot_time")),
    ("Conversations", "conversation_id", Some("item_id")),
    ("CustomerBookings", "phone", Some("start")),
    ("OptOuts", "phone", None),
];

/// A request, as the SDK sends it.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// The operation: `PutItem`.
    pub operation: String,
    pub body: Vec<u8>,
}

/// The status and body of an answer.
pub(super) type Answer = (u16, String);

/// The tables of one schedule.
pub(super) struct Engine {
    database: Database,
    timer: Arc<TestTimer>,
    /// Whether every condition of a write holds.
    ignores_conditions: bool,
    /// A read that does not ask for the newest rows, if there was one.
    old_read: Mutex<Option<String>>,
    late: Mutex<Late>,
}

/// Requests that nobody waits for any more.
#[derive(Default)]
struct Late {
    /// By when they arrive, and a number that tells those of the same moment apart.
    requests: BTreeMap<(i64, usize), Request>,
    /// How many there were.
    count: usize,
}

/// A row.
pub(super) struct Row(std::collections::HashMap<String, AttributeValue>);

impl Row {
    /// The text in an attribute; empty if it has none.
    pub fn text(&self, name: &str) -> &str {
        match self.0.get(name) {
            Some(AttributeValue::S(text)) => text,
            _ => "",
        }
    }
}

impl Engine {
    /// Empty tables.
    ///
    /// # Errors
    /// When they cannot be made.
    pub fn open(timer: Arc<TestTimer>, ignores_conditions: bool) -> Result<Self, String> {
        let database = Database::memory().map_err(|error| error.to_string())?;
        let engine = Self {
            database,
            timer,
            ignores_conditions,
            old_read: Mutex::default(),
            late: Mutex::default(),
        };
        for (name, partition, sort) in TABLES {
            let kind = |key| if key == "timestamp" { "N" } else { "S" };
            let keys: Vec<(&str, &str)> =
                [(partition, "HASH")].into_iter().chain(sort.map(|sort| (sort, "RANGE"))).collect();
            let request = json!({
                "TableName": name,
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": keys.iter()
                    .map(|(key, role)| json!({ "AttributeName": key, "KeyType": role }))
                    .collect::<Value>(),
                "AttributeDefinitions": keys.iter()
                    .map(|(key, _)| json!({ "AttributeName": key, "AttributeType": kind(*key) }))
                    .collect::<Value>(),
            });
            let request = serde_json::from_value(request).map_err(|error| error.to_string())?;
            engine.database.create_table(request).map_err(|error| error.to_string())?;
        }
        Ok(engine)
    }

    /// That every read so far asked for the newest rows. None is played that does not.
    ///
    /// # Errors
    /// One that did not.
    pub fn all_reads_are_consistent(&self) -> Result<(), String> {
        let old_read = self.old_read.lock().unwrap_or_else(PoisonError::into_inner);
        old_read
            .clone()
            .map_or(Ok(()), |read| Err(format!("a read asks for the newest rows: {read}")))
    }

    fn note_old_read(&self, request: &Request) {
        if !["GetItem", "Query", "Scan"].contains(&request.operation.as_str()) {
            return;
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        if body["ConsistentRead"] != true {
            let mut old_read = self.old_read.lock().unwrap_or_else(PoisonError::into_inner);
            old_read.get_or_insert(format!("{} of {}", request.operation, body["TableName"]));
        }
    }

    /// All rows of a table, after everything that has arrived.
    ///
    /// # Errors
    /// When there is no such table.
    pub fn rows(&self, table: &str) -> Result<Vec<Row>, String> {
        self.take_what_arrived();
        let request = ScanRequest {
            table_name: table.into(),
            consistent_read: Some(true),
            ..Default::default()
        };
        let page = self.database.scan(request).map_err(|error| error.to_string())?;
        if page.last_evaluated_key.is_some() {
            return Err(format!("{table} has more than one page"));
        }
        Ok(page.items.unwrap_or_default().into_iter().map(Row).collect())
    }

    /// Answers a request, after everything that arrived before it.
    pub fn answer(&self, request: &Request) -> Answer {
        self.take_what_arrived();
        self.apply(request)
    }

    /// Has a request arrive later, though nobody waits for its answer any more.
    pub fn arrives_later(&self, at_ms: i64, request: Request) {
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        late.count += 1;
        let number = late.count;
        late.requests.insert((at_ms, number), request);
    }

    /// How many requests arrived when nobody waited for their answer.
    pub fn late_requests(&self) -> usize {
        self.late.lock().unwrap_or_else(PoisonError::into_inner).count
    }

    /// Applies what is still on its way.
    pub fn take_everything(&self) {
        self.take_until(i64::MAX);
    }

    fn take_what_arrived(&self) {
        self.take_until(self.timer.unix_ms());
    }

    fn take_until(&self, now: i64) {
        loop {
            let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
            let next = late.requests.first_entry();
            let Some(next) = next.filter(|next| next.key().0 <= now) else { return };
            let request = next.remove();
            drop(late);
            self.apply(&request);
        }
    }

    fn apply(&self, request: &Request) -> Answer {
        self.note_old_read(request);
        let database = &self.database;
        let body = match self.ignores_conditions {
            true => &without_conditions(&request.body),
            false => &request.body,
        };
        let answer = match request.operation.as_str() {
            "GetItem" => act(body, |request| database.get_item(request)),
            "PutItem" => act(body, |request| database.put_item(request)),
            "UpdateItem" => act(body, |request| database.update_item(request)),
            "DeleteItem" => act(body, |request| database.delete_item(request)),
            "Query" => act(body, |request| database.query(request)),
            "Scan" => act(body, |request| database.scan(request)),
            "BatchWriteItem" => act(body, |request| database.batch_write_item(request)),
            "TransactGetItems" => act(body, |request| database.transact_get_items(request)),
            "TransactWriteItems" => act(body, |request| database.transact_write_items(request)),
            other => Err(DynoxideError::ValidationException(format!("nobody plays {other}"))),
        };
        match answer {
            Ok(body) => (200, body),
            Err(error) => (error.status_code(), error.to_json()),
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Engine")
    }
}

/// Requests are read as the engine's own server reads them.
fn act<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    act: impl FnOnce(Q) -> dynoxide::Result<A>,
) -> dynoxide::Result<String> {
    let invalid = |error: serde_json::Error| {
        let message = error.to_string();
        let message = message.strip_prefix("VALIDATION:").unwrap_or(&message);
        DynoxideError::ValidationException(message.into())
    };
    let answer = act(serde_json::from_slice(body).map_err(invalid)?)?;
    serde_json::to_string(&answer).map_err(invalid)
}

/// The request with conditions that always hold. They still name the same attributes, since a request that
/// defines names which it does not use is refused.
fn without_conditions(body: &[u8]) -> Vec<u8> {
    let mut request: Value = serde_json::from_slice(body).unwrap_or_default();
    let weaken = |write: &mut Value| {
        if let Some(condition) = write["ConditionExpression"].as_str() {
            write["ConditionExpression"] =
                format!("({condition}) OR attribute_not_exists(no_such_attribute)").into();
        }
    };
    weaken(&mut request);
    let items = request.get_mut("TransactItems").and_then(Value::as_array_mut);
    for item in items.into_iter().flatten() {
        for write in item.as_object_mut().into_iter().flat_map(|item| item.values_mut()) {
            weaken(write);
        }
    }
    serde_json::to_vec(&request).unwrap_or_default()
}
