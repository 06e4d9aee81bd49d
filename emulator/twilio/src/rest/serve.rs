//! Every request: its route, the journal, an armed fault, the account's key,
//! and the answer.

use std::{io, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use futures::stream;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{change, create, error::ApiError, list, numbers, params::Params, show::show};
use crate::{Message, Sid, server::Account};
use rehearse_core::{
    faults::Cut,
    journal::{ExchangeDetail, Outcome},
};

/// Largest request; the longest text with ten URLs is far below it.
const LARGEST: usize = 256 * 1024;

pub(crate) fn router(account: Arc<Account>) -> Router {
    Router::new().fallback(serve).with_state(account)
}

/// What a path and a method ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route<'a> {
    Create,
    List,
    Fetch(Option<Sid>),
    Update(Option<Sid>),
    Delete(Option<Sid>),
    Numbers,
    NewNumber,
    Number(&'a str),
    UpdateNumber(&'a str),
    /// A known path with another method.
    Method,
    Unknown,
}

/// An answer, and the little of it that the journal keeps.
struct ApiResponse {
    status: u16,
    body: Vec<u8>,
    kept: Value,
}

impl<'a> Route<'a> {
    fn of(method: &Method, path: &'a str, account: &str) -> Self {
        let Some(rest) = path.strip_prefix("/2010-04-01/Accounts/") else { return Self::Unknown };
        let Some(rest) = rest.strip_prefix(account).and_then(|rest| rest.strip_prefix('/')) else {
            return Self::Unknown;
        };
        let rest = rest.strip_suffix(".json").unwrap_or(rest);
        let (collection, item) = match rest.split_once('/') {
            Some((collection, item)) => (collection, Some(item)),
            None => (rest, None),
        };
        match (collection, item, method.as_str()) {
            (_, Some(item), _) if item.contains('/') || item.is_empty() => Self::Unknown,
            ("Messages", None, "POST") => Self::Create,
            ("Messages", None, "GET") => Self::List,
            ("Messages", Some(sid), "GET") => Self::Fetch(sid.parse().ok()),
            ("Messages", Some(sid), "POST") => Self::Update(sid.parse().ok()),
            ("Messages", Some(sid), "DELETE") => Self::Delete(sid.parse().ok()),
            ("IncomingPhoneNumbers", None, "GET") => Self::Numbers,
            ("IncomingPhoneNumbers", None, "POST") => Self::NewNumber,
            ("IncomingPhoneNumbers", Some(sid), "GET") => Self::Number(sid),
            ("IncomingPhoneNumbers", Some(sid), "POST") => Self::UpdateNumber(sid),
            ("Messages" | "IncomingPhoneNumbers", ..) => Self::Method,
            _ => Self::Unknown,
        }
    }

    /// The exchange's name in the journal.
    fn name(self) -> &'static str {
        match self {
            Self::Create => "twilio.messages.create",
            Self::List => "twilio.messages.list",
            Self::Fetch(_) => "twilio.messages.fetch",
            Self::Update(_) => "twilio.messages.update",
            Self::Delete(_) => "twilio.messages.delete",
            Self::Numbers => "twilio.numbers.list",
            Self::NewNumber => "twilio.numbers.create",
            Self::Number(_) => "twilio.numbers.fetch",
            Self::UpdateNumber(_) => "twilio.numbers.update",
            Self::Method | Self::Unknown => "twilio.unknown",
        }
    }
}

async fn serve(State(account): State<Arc<Account>>, request: Request) -> Response {
    let _busy = account.activity.begin();
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let route = Route::of(&parts.method, path, &account.options.account_sid);
    let body = to_bytes(body, LARGEST).await;
    let params = match &body {
        Ok(body) if is_form(&parts.headers) => Params::parse(body),
        _ => Params::default(),
    };
    let open = account.journal.begin(
        route.name(),
        ExchangeDetail::Twilio {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path_and_query().map_or(path, |full| full.as_str()).to_owned(),
            params: params.pairs().to_vec(),
        },
    );
    let fault = account.faults.next_failure(route.name()).unwrap_or_default();
    if fault.delay_ms.is_some() {
        sleep(fault.delay()).await;
    }
    if fault.cut == Some(Cut::Before) {
        open.end(Outcome::cut());
        account.faults.crash_if_requested(&fault, Cut::Before).await;
        return cut();
    }
    let answer = match ApiError::of(&fault) {
        Some(error) => Err(error),
        None if body.is_err() => Err(ApiError::new(20413)),
        None if !has_key(&account, &parts.headers) => Err(ApiError::new(20003)),
        None => {
            account.release_due();
            let query = Params::parse(parts.uri.query().unwrap_or_default().as_bytes());
            answer(&account, route, path, &params, &query)
        }
    };
    if fault.cut == Some(Cut::After) {
        open.end(Outcome::cut());
        account.faults.crash_if_requested(&fault, Cut::After).await;
        return cut();
    }
    match answer {
        Ok(answer) => {
            open.end(Outcome::status(answer.status, answer.kept));
            respond(answer.status, answer.body)
        }
        Err(error) => {
            let kept = json!({ "code": error.code, "message": error.message });
            open.end(Outcome::status(error.status, kept).with_error(error.code.to_string()));
            refuse(&error)
        }
    }
}

fn answer(
    account: &Arc<Account>,
    route: Route<'_>,
    path: &str,
    params: &Params,
    query: &Params,
) -> Result<ApiResponse, ApiError> {
    match route {
        Route::Create => create::create(account, params).and_then(|m| one(account, 201, &m)),
        Route::Fetch(sid) => change::fetch(account, sid, path).and_then(|m| one(account, 200, &m)),
        Route::Update(sid) => {
            change::update(account, sid, path, params).and_then(|m| one(account, 200, &m))
        }
        Route::Delete(sid) => {
            change::delete(account, sid, path)?;
            Ok(ApiResponse { status: 204, body: Vec::new(), kept: Value::Null })
        }
        Route::List => {
            let state = account.state();
            let page = list::list(&state.messages, &account.options.account_sid, path, query)?;
            let kept = json!({ "messages": page.messages.len() });
            encode(200, &page, kept)
        }
        Route::Numbers => encode(200, &numbers::list(account, query), Value::Null),
        Route::NewNumber => Err(ApiError::new(21422)),
        Route::Number(sid) => encode(200, &numbers::fetch(account, sid, path)?, Value::Null),
        Route::UpdateNumber(sid) => {
            encode(200, &numbers::update(account, sid, path, params)?, Value::Null)
        }
        Route::Method => Err(ApiError::new(20004)),
        Route::Unknown => Err(ApiError::not_found(path)),
    }
}

fn one(account: &Account, status: u16, message: &Message) -> Result<ApiResponse, ApiError> {
    let kept = json!({ "sid": message.sid, "status": message.status });
    encode(status, &show(message, &account.options.account_sid), kept)
}

fn encode(status: u16, body: &impl Serialize, kept: Value) -> Result<ApiResponse, ApiError> {
    let body = serde_json::to_vec(body).map_err(|_| ApiError::new(20500))?;
    Ok(ApiResponse { status, body, kept })
}

fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"))
}

fn has_key(account: &Account, headers: &HeaderMap) -> bool {
    headers.get(header::AUTHORIZATION).is_some_and(|given| account.is_key(given.as_bytes()))
}

fn respond(status: u16, body: Vec<u8>) -> Response {
    let json = !body.is_empty();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    if json {
        let value = HeaderValue::from_static("application/json;charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    response
}

fn refuse(error: &ApiError) -> Response {
    let body = serde_json::to_vec(&error.body()).unwrap_or_default();
    let mut response = respond(error.status, body);
    let headers = response.headers_mut();
    if let Some(seconds) = error.retry_after {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if error.status == 401 {
        let realm = HeaderValue::from_static("Basic realm=\"Twilio API\"");
        headers.insert(header::WWW_AUTHENTICATE, realm);
    }
    response
}

/// Closes the connection: the server writes nothing of an answer whose body fails at once.
fn cut() -> Response {
    let broken = Err::<Bytes, _>(io::Error::from(io::ErrorKind::ConnectionReset));
    Response::new(Body::from_stream(stream::iter([broken])))
}
