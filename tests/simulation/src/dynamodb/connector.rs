//! What the SDK takes for HTTP: requests that work, fail, are lost, conflict and come late.

use std::{fmt, sync::Arc, time::Duration};

use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpClient, SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use handlers::ports::Timer as _;
use memory_ports::{CallChance as _, CallFate, pass};

use super::engine::{Answer, Engine, Request};
use crate::chance::Chance;

/// An HTTP client whose requests go to an engine, as chance has it, or always work.
pub(super) fn client(engine: Arc<Engine>, chance: Option<Arc<Chance>>) -> SharedHttpClient {
    SharedHttpClient::new(Connector { engine, chance })
}

#[derive(Clone)]
struct Connector {
    engine: Arc<Engine>,
    chance: Option<Arc<Chance>>,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpClient for Connector {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body = request.body().bytes().unwrap_or_default().to_vec();
        let request = Request { operation, body };
        let this = self.clone();
        HttpConnectorFuture::new(async move {
            let answer = match this.chance {
                None => this.engine.answer(&request),
                Some(chance) => by_chance(&this.engine, &chance, request).await?,
            };
            response(answer)
        })
    }
}

async fn by_chance(
    engine: &Arc<Engine>,
    chance: &Arc<Chance>,
    request: Request,
) -> Result<Answer, ConnectorError> {
    pass().await;
    let name = known(&request.operation);
    match chance.fate_of_request(name) {
        CallFate::Works => {
            let answer = engine.answer(&request);
            pass().await;
            Ok(answer)
        }
        CallFate::FailsBefore => failure(name, chance, &request),
        CallFate::FailsAfter => {
            engine.answer(&request);
            pass().await;
            Err(ConnectorError::io("the answer was lost".into()))
        }
        CallFate::Slow(before, after) => {
            let arrives = Underway::send(engine, chance, request, before);
            chance.wait(before).await;
            let answer = arrives.arrive();
            chance.wait(after).await;
            Ok(answer)
        }
    }
}

/// A request on its way. One whose caller gives up, or crashes, arrives all the same.
struct Underway {
    engine: Arc<Engine>,
    at_ms: i64,
    request: Option<Request>,
}

impl Underway {
    fn send(engine: &Arc<Engine>, chance: &Chance, request: Request, takes: Duration) -> Self {
        let takes = i64::try_from(takes.as_millis()).unwrap_or(i64::MAX);
        let at_ms = chance.timer().unix_ms().saturating_add(takes);
        Self { engine: engine.clone(), at_ms, request: Some(request) }
    }

    fn arrive(mut self) -> Answer {
        self.request.take().map(|request| self.engine.answer(&request)).unwrap_or_default()
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        if let Some(request) = self.request.take() {
            self.engine.arrives_later(self.at_ms, request);
        }
    }
}

/// A failure that changed nothing: of the network, of the database, or what it answers under load.
fn failure(operation: &str, chance: &Chance, request: &Request) -> Result<Answer, ConnectorError> {
    const PREFIX: &str = "com.amazonaws.dynamodb.v20120810#";
    let error = |status, kind: &str, more: &str| {
        Ok((status, format!(r#"{{"__type":"{PREFIX}{kind}","message":"It failed"{more}}}"#)))
    };
    match (chance.choose(4), operation) {
        (0, _) => Err(ConnectorError::io("the connection was refused".into())),
        (1, _) => error(500, "InternalServerError", ""),
        (2, "TransactWriteItems") => {
            let reasons = r#"{"Code":"TransactionConflict","Message":"It conflicts"}"#;
            let count = count_of_items(&request.body);
            let reasons = vec![reasons; count].join(",");
            let more = format!(r#","CancellationReasons":[{reasons}]"#);
            error(400, "TransactionCanceledException", &more)
        }
        (2, "PutItem" | "UpdateItem" | "DeleteItem") => {
            error(400, "TransactionConflictException", "")
        }
        _ => error(400, "ProvisionedThroughputExceededException", ""),
    }
}

fn count_of_items(body: &[u8]) -> usize {
    let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    body["TransactItems"].as_array().map_or(0, Vec::len)
}

fn response((status, body): Answer) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(status)
        .map_err(|error| ConnectorError::other(Box::new(error), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(body));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    Ok(response)
}

/// The name of an operation, for the log of calls.
fn known(operation: &str) -> &'static str {
    const NAMES: [&str; 9] = [
        "GetItem",
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "Query",
        "Scan",
        "BatchWriteItem",
        "TransactGetItems",
        "TransactWriteItems",
    ];
    NAMES.into_iter().find(|name| *name == operation).unwrap_or("another operation")
}
