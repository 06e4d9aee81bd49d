//! The way from a proxy to its engine, and the requests that are answered on the way.
//!
//! An engine in another process holds the tables of many worlds, and its clock is not the world's.
//! `ListTables` and the TTL operations would show the other worlds or let rows expire by that
//! clock, so the route answers them itself. In front of the embedded engine it refuses what
//! DynamoDB refuses and the engine accepts ([`StrictRules`]).

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header::AUTHORIZATION};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};

use super::{
    client::EngineClient,
    http_connection::{HttpConnection, SendError},
    namespace::TableNamespace,
    request,
    strict::{self, StrictRules},
    table::TableSpec,
    wire::{self, EngineRequest, EngineResponse},
};

/// Most table names in one `ListTables` response.
const PAGE: usize = 100;

/// Where an engine is and how requests to it are rewritten. Clones share the TTL settings.
#[derive(Clone)]
pub(super) struct EngineRoute {
    address: SocketAddr,
    namespace: TableNamespace,
    /// Answers the TTL operations; `None` leaves them to the engine.
    ttl: Option<Arc<Mutex<TtlAttributes>>>,
    /// `None` for engines that need no stricter checks.
    rules: Option<Arc<StrictRules>>,
}

/// An engine route with a connection of its own.
pub(super) struct EngineConnection {
    route: EngineRoute,
    http: HttpConnection,
}

/// The TTL attribute of each table, by table name.
type TtlAttributes = BTreeMap<String, Option<String>>;

impl EngineRoute {
    /// A route to an embedded engine, which holds the tables of this world only.
    pub(super) fn embedded(address: SocketAddr, tables: &[TableSpec]) -> Self {
        let rules = Some(Arc::new(StrictRules::new(tables)));
        Self { address, namespace: TableNamespace::default(), ttl: None, rules }
    }

    /// A route to an engine that holds the tables of other worlds too.
    pub(super) fn external(
        address: SocketAddr,
        namespace: TableNamespace,
        tables: &[TableSpec],
    ) -> Self {
        let ttl = tables.iter().map(|table| (table.name.clone(), table.ttl.clone())).collect();
        Self { address, namespace, ttl: Some(Arc::new(Mutex::new(ttl))), rules: None }
    }

    /// A connection of its own; nothing is connected before the first call.
    pub(super) fn connect(&self) -> EngineConnection {
        EngineConnection { route: self.clone(), http: HttpConnection::new(self.address) }
    }

    /// A client of the same engine and namespace, for the emulator's own calls.
    pub(super) fn client(&self) -> EngineClient {
        EngineClient::new(self.address, self.namespace.clone())
    }
}

impl EngineConnection {
    /// Forwards a request to the engine, or answers it here.
    ///
    /// # Errors
    /// When the engine does not respond.
    pub(super) async fn exchange(
        &self,
        request: EngineRequest,
    ) -> Result<EngineResponse, SendError> {
        let (mut parts, body) = request.into_parts();
        let Ok(body) = body.collect().await;
        let body = body.to_bytes();
        if let Some(response) = self.answer_here(&parts.headers, &body).await {
            return Ok(response);
        }
        let namespace = &self.route.namespace;
        let body = namespace.rewrite_request(&mut parts.headers, body);
        let request = EngineRequest::from_parts(parts, Full::new(body));
        let (mut parts, body) = self.http.send(request).await?;
        let body = namespace.rewrite_response(&mut parts.headers, body);
        Ok((parts, body))
    }

    /// The response to a request that must not reach the engine. A request without credentials
    /// does reach it, to be refused there.
    async fn answer_here(&self, headers: &HeaderMap, body: &Bytes) -> Option<EngineResponse> {
        if !headers.contains_key(AUTHORIZATION) {
            return None;
        }
        let operation = request::operation(headers);
        let request = || serde_json::from_slice::<Value>(body).unwrap_or_default();
        let answer = match operation.as_str() {
            "ListTables" => self.list_tables(&request()).await,
            "DescribeTimeToLive" => self.describe_ttl(&request()),
            "UpdateTimeToLive" => self.update_ttl(&request()),
            _ => None,
        };
        if let Some(answer) = answer {
            return Some(wire::json_response(StatusCode::OK, &answer));
        }
        let refusal = self.refuse(&operation, body)?;
        Some(wire::json_response(StatusCode::BAD_REQUEST, &refusal))
    }

    /// The body of DynamoDB's error for a request that the engine would accept by mistake.
    fn refuse(&self, operation: &str, body: &Bytes) -> Option<Value> {
        let rules = self.route.rules.as_ref()?;
        if !strict::may_apply(operation, body) {
            return None;
        }
        rules.refusal(operation, &serde_json::from_slice(body).ok()?)
    }

    /// This world's tables by name, one page of them.
    async fn list_tables(&self, request: &Value) -> Option<Value> {
        let EngineRoute { address, namespace, .. } = &self.route;
        let prefix = namespace.prefix.as_deref()?;
        let limit = match &request["Limit"] {
            Value::Null => PAGE,
            limit => usize::try_from(limit.as_u64()?).ok().filter(|n| (1..=PAGE).contains(n))?,
        };
        let all = TableNamespace { prefix: None, ..namespace.clone() };
        // After an error the request goes to the engine, which reports the error itself.
        let names = EngineClient::new(*address, all).table_names().await.ok()?;
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

    fn describe_ttl(&self, request: &Value) -> Option<Value> {
        let ttl = self.route.ttl.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let description = match ttl.get(request["TableName"].as_str()?)? {
            Some(name) => json!({ "AttributeName": name, "TimeToLiveStatus": "ENABLED" }),
            None => json!({ "TimeToLiveStatus": "DISABLED" }),
        };
        Some(json!({ "TimeToLiveDescription": description }))
    }

    fn update_ttl(&self, request: &Value) -> Option<Value> {
        let mut ttl = self.route.ttl.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let attribute = ttl.get_mut(request["TableName"].as_str()?)?;
        let wanted = &request["TimeToLiveSpecification"];
        let name = wanted["AttributeName"].as_str()?;
        *attribute = wanted["Enabled"].as_bool()?.then(|| name.to_owned());
        Some(json!({ "TimeToLiveSpecification": wanted }))
    }
}
