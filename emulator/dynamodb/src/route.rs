//! The way from a proxy to its engine, and what is answered on the way.
//!
//! On an engine elsewhere a world is one of many, and the engine's clock is not
//! the world's. So what would show the others, or make rows expire by that
//! clock, is answered here as an engine with this world alone would.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
    response::Parts,
};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};

use super::{
    client::EngineClient,
    http_connection::{HttpConnection, SendError},
    namespace::TableNamespace,
    request,
    strict::{self, StrictRules},
    table::TableSpec,
};

/// Most names in one answer of ListTables.
const PAGE: usize = 100;

/// The attribute by which rows expire, of each table by its name.
type TtlAttributes = BTreeMap<String, Option<String>>;

/// The way to an engine. Clones share it.
#[derive(Clone)]
pub(super) struct EngineRoute {
    address: SocketAddr,
    namespace: TableNamespace,
    /// `None` leaves that to the engine.
    expiry: Option<Arc<Mutex<TtlAttributes>>>,
    /// What this engine would let pass.
    rules: Option<Arc<StrictRules>>,
}

/// A route with a connection of its own.
pub(super) struct EngineConnection {
    route: EngineRoute,
    http_connection: HttpConnection,
}

impl EngineRoute {
    /// To the embedded engine, which is this world's alone.
    pub(super) fn embedded(address: SocketAddr, tables: &[TableSpec]) -> Self {
        let rules = Some(Arc::new(StrictRules::new(tables)));
        Self { address, namespace: TableNamespace::default(), expiry: None, rules }
    }

    /// To an engine that others use as well.
    pub(super) fn external(
        address: SocketAddr,
        namespace: TableNamespace,
        tables: &[TableSpec],
    ) -> Self {
        let expiry = tables.iter().map(|table| (table.name.clone(), table.ttl.clone())).collect();
        Self { address, namespace, expiry: Some(Arc::new(Mutex::new(expiry))), rules: None }
    }

    /// Opens it; nothing is connected before the first call.
    pub(super) fn connect(&self) -> EngineConnection {
        EngineConnection { route: self.clone(), http_connection: HttpConnection::new(self.address) }
    }
}

impl EngineConnection {
    /// Passes a request on, or answers it.
    pub(super) async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(Parts, Bytes), SendError> {
        let (mut parts, body) = request.into_parts();
        let Ok(body) = body.collect().await;
        let body = body.to_bytes();
        if let Some(answer) = self.own(&parts.headers, &body).await {
            return Ok(json_answer(StatusCode::OK, &answer));
        }
        if let Some(refusal) = self.refusal(&parts.headers, &body) {
            return Ok(json_answer(StatusCode::BAD_REQUEST, &refusal));
        }
        let body = self.route.namespace.outgoing(&mut parts.headers, body);
        let request = Request::from_parts(parts, Full::new(body));
        let (mut parts, body) = self.http_connection.send(request).await?;
        let body = self.route.namespace.incoming(&mut parts.headers, body);
        Ok((parts, body))
    }

    /// What is not the engine's to answer. A call without credentials is: it will be refused.
    async fn own(&self, headers: &HeaderMap, body: &Bytes) -> Option<Value> {
        let operation = operation(headers);
        let request = || serde_json::from_slice::<Value>(body).unwrap_or_default();
        if !headers.contains_key(AUTHORIZATION) {
            return None;
        }
        match operation.as_str() {
            "ListTables" => self.list(&request()).await,
            "DescribeTimeToLive" => self.described(&request()),
            "UpdateTimeToLive" => self.updated(&request()),
            _ => None,
        }
    }

    /// What DynamoDB refuses and the engine would not.
    fn refusal(&self, headers: &HeaderMap, body: &Bytes) -> Option<Value> {
        let rules = self.route.rules.as_ref()?;
        let operation = operation(headers);
        if !headers.contains_key(AUTHORIZATION) || !strict::concerns(&operation, body) {
            return None;
        }
        rules.refusal(&operation, &serde_json::from_slice(body).ok()?)
    }

    /// The world's tables in order of their names, from a start and up to a limit.
    async fn list(&self, request: &Value) -> Option<Value> {
        let prefix = self.route.namespace.prefix.as_deref()?;
        let limit = match &request["Limit"] {
            Value::Null => PAGE,
            limit => usize::try_from(limit.as_u64()?).ok().filter(|n| (1..=PAGE).contains(n))?,
        };
        let all = TableNamespace { prefix: None, ..self.route.namespace.clone() };
        // What goes wrong now goes wrong again when the engine is asked, which then says so.
        let names = EngineClient::new(self.route.address, all).table_names().await.ok()?;
        let start = request["ExclusiveStartTableName"].as_str().unwrap_or_default();
        let own = names.iter().filter_map(|name| name.strip_prefix(prefix));
        let mut own: Vec<&str> = own.filter(|name| *name > start).collect();
        own.sort_unstable();
        let more = own.len() > limit;
        own.truncate(limit);
        let mut answer = json!({ "TableNames": own });
        if let Some(last) = own.last().filter(|_| more) {
            answer["LastEvaluatedTableName"] = json!(last);
        }
        Some(answer)
    }

    fn described(&self, request: &Value) -> Option<Value> {
        let expiry = self.route.expiry.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let attribute = expiry.get(request["TableName"].as_str()?)?;
        let description = match attribute {
            Some(name) => json!({ "AttributeName": name, "TimeToLiveStatus": "ENABLED" }),
            None => json!({ "TimeToLiveStatus": "DISABLED" }),
        };
        Some(json!({ "TimeToLiveDescription": description }))
    }

    fn updated(&self, request: &Value) -> Option<Value> {
        let mut expiry = self.route.expiry.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let of_table = expiry.get_mut(request["TableName"].as_str()?)?;
        let wanted = &request["TimeToLiveSpecification"];
        let name = wanted["AttributeName"].as_str()?;
        *of_table = wanted["Enabled"].as_bool()?.then(|| name.to_owned());
        Some(json!({ "TimeToLiveSpecification": wanted }))
    }
}

fn operation(headers: &HeaderMap) -> String {
    request::operation(headers.get("x-amz-target").and_then(|target| target.to_str().ok()))
}

fn json_answer(status: StatusCode, answer: &Value) -> (Parts, Bytes) {
    let body = Bytes::from(answer.to_string());
    let (mut parts, ()) = Response::new(()).into_parts();
    parts.status = status;
    let json = HeaderValue::from_static("application/x-amz-json-1.0");
    parts.headers.insert(CONTENT_TYPE, json);
    parts.headers.insert("x-amz-crc32", crc32fast::hash(&body).into());
    (parts, body)
}
