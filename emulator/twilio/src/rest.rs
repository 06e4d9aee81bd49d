//! The REST API. Every request takes the same way: route, journal, fault, authentication, response.

mod accounts;
mod content;
mod create;
mod error;
mod list;
mod lookups;
mod media;
mod messages;
mod numbers;
mod page;
mod pool;
mod request;
mod sent_filter;
mod services;

use std::{io, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use futures::stream;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::sleep;

use self::{
    error::ApiError,
    messages::resource,
    request::{Params, Route},
};
use super::{Message, account::Account, inbox::Inbox, outbox::Outbox};
use rehearse_core::{
    faults::Cut,
    journal::{ExchangeDetail, Outcome, callers, caused_by, with_cause},
};

/// Most bytes of a request body. The longest message with ten media URLs is far below it.
const MAX_REQUEST: usize = 256 * 1024;

/// What the API reads and changes.
#[derive(Clone)]
pub(crate) struct RestApi {
    pub account: Arc<Account>,
    pub outbox: Arc<Outbox>,
    pub inbox: Arc<Inbox>,
}

/// A response, and the part of it that the journal keeps.
struct ApiResponse {
    status: u16,
    body: Vec<u8>,
    journaled: Value,
    headers: Vec<(HeaderName, String)>,
}

/// What a deletion is answered.
const NO_CONTENT: ApiResponse =
    ApiResponse { status: 204, body: Vec::new(), journaled: Value::Null, headers: Vec::new() };

pub(crate) fn router(api: RestApi) -> Router {
    Router::new().fallback(serve).with_state(api)
}

async fn serve(State(api): State<RestApi>, mut request: Request) -> Response {
    let base = base(&api.account, request.uri());
    let cause = callers::take_caller(request.uri_mut(), api.account.journal.callers());
    caused_by(cause, respond_to(api, base, request)).await
}

async fn respond_to(api: RestApi, base: String, request: Request) -> Response {
    let account = &api.account;
    let _activity = account.activity.begin();
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let route = Route::of(&parts.method, path, &account.options.account_sid);
    let body = to_bytes(body, MAX_REQUEST).await;
    let params = match &body {
        Ok(body) if is_form(&parts.headers) => Params::parse(body),
        _ => Params::default(),
    };
    let exchange = account.journal.begin(
        route.name(),
        ExchangeDetail::Twilio {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path_and_query().map_or(path, |full| full.as_str()).to_owned(),
            params: params.pairs().to_vec(),
        },
    );
    let fault = account.faults.next_failure(route.name()).unwrap_or_default();
    exchange.injected(&fault);
    if fault.delay_ms.is_some() {
        sleep(fault.delay()).await;
    }
    if fault.cut == Some(Cut::Before) {
        exchange.end(Outcome::cut());
        account.faults.crash_if_requested(&fault, Cut::Before).await;
        return broken_response();
    }
    let result = match ApiError::of(&fault) {
        Some(error) => Err(error),
        None if body.is_err() => Err(ApiError::new(20413)),
        None if !is_authorized(account, route, &parts.headers) => Err(ApiError::new(20003)),
        None => {
            api.outbox.release_due();
            let query = Params::parse(parts.uri.query().unwrap_or_default().as_bytes());
            let run = || api.run(route, &base, path, &params, &query);
            with_cause(Some(exchange.cause()), run)
        }
    };
    if fault.cut == Some(Cut::After) {
        exchange.end(Outcome::cut());
        account.faults.crash_if_requested(&fault, Cut::After).await;
        return broken_response();
    }
    match result {
        Ok(response) => {
            exchange.end(Outcome::status(response.status, response.journaled));
            let mut answer = respond(response.status, response.body);
            for (name, value) in response.headers {
                if let Ok(value) = HeaderValue::from_str(&value) {
                    answer.headers_mut().insert(name, value);
                }
            }
            answer
        }
        Err(error) if route == Route::Unknown && error.status == 404 => {
            let message = not_reproduced(parts.method.as_str(), path, &account.options.account_sid);
            // Without the path, in which there may be a phone number.
            tracing::warn!(
                "a call of Twilio is not reproduced: the journal says which (`rehearse log`)"
            );
            let outcome = Outcome::status(error.status, Value::String(message));
            exchange.end(outcome.with_error(Outcome::NOT_REPRODUCED));
            respond_with_error(&error)
        }
        Err(error) => {
            let journaled = json!({ "code": error.code, "message": error.message });
            let outcome = Outcome::status(error.status, journaled);
            exchange.end(outcome.with_error(error.code.to_string()));
            respond_with_error(&error)
        }
    }
}

impl RestApi {
    fn run(
        &self,
        route: Route<'_>,
        base: &str,
        path: &str,
        params: &Params,
        query: &Params,
    ) -> Result<ApiResponse, ApiError> {
        let Self { account, outbox, inbox } = self;
        match route {
            Route::CreateMessage => self.message(201, &create::create(account, outbox, params)?),
            Route::FetchMessage(sid) => self.message(200, &messages::fetch(account, sid, path)?),
            Route::UpdateMessage(sid) => {
                self.message(200, &messages::update(account, outbox, sid, path, params)?)
            }
            Route::DeleteMessage(sid) => {
                messages::delete(account, inbox, sid, path)?;
                Ok(NO_CONTENT)
            }
            Route::ListMessages => {
                let state = account.state();
                let account_sid = &account.options.account_sid;
                let page = list::list(&state.messages, account_sid, path, query)?;
                let journaled = json!({ "messages": page.messages.len() });
                encode(200, &page, journaled)
            }
            Route::ListNumbers => encode(200, &numbers::list(account, path, query)?, Value::Null),
            // Every number that could be bought is taken.
            Route::CreateNumber => Err(ApiError::new(21422)),
            Route::FetchNumber(sid) => {
                encode(200, &numbers::fetch(account, sid, path)?, Value::Null)
            }
            Route::UpdateNumber(sid) => {
                encode(200, &numbers::update(account, sid, path, params)?, Value::Null)
            }
            Route::FetchAccount => encode(200, &accounts::fetch(account), Value::Null),
            Route::LookUp(number) => {
                encode(200, &lookups::fetch(account, number, query)?, Value::Null)
            }
            Route::CreateService => {
                encode(201, &services::create(account, base, params)?, Value::Null)
            }
            Route::ListServices => {
                encode(200, &services::list(account, base, path, query)?, Value::Null)
            }
            Route::FetchService(sid) => {
                encode(200, &services::fetch(account, base, sid, path)?, Value::Null)
            }
            Route::UpdateService(sid) => {
                encode(200, &services::update(account, base, sid, path, params)?, Value::Null)
            }
            Route::DeleteService(sid) => {
                services::delete(account, sid, path)?;
                Ok(NO_CONTENT)
            }
            Route::AddToPool(service) => {
                encode(201, &pool::add(account, base, service, path, params)?, Value::Null)
            }
            Route::ListPool(service) => {
                encode(200, &pool::list(account, base, service, path, query)?, Value::Null)
            }
            Route::FetchOfPool(service, sid) => {
                encode(200, &pool::fetch(account, base, (service, sid), path)?, Value::Null)
            }
            Route::RemoveFromPool(service, sid) => {
                pool::remove(account, (service, sid), path)?;
                Ok(NO_CONTENT)
            }
            Route::ListMedia(message) => {
                encode(200, &media::list(account, message, path, query)?, Value::Null)
            }
            Route::FetchMedia(message, sid) => {
                encode(200, &media::fetch(account, message, sid, path)?, Value::Null)
            }
            Route::MediaFile(message, sid) => media::redirect(account, base, message, sid, path),
            Route::Download(sid) => media::download(account, sid, path),
            Route::DeleteMedia(message, sid) => {
                media::delete(account, message, sid, path)?;
                Ok(NO_CONTENT)
            }
            Route::MethodNotAllowed => Err(ApiError::new(20004)),
            Route::Unknown => Err(ApiError::not_found(path)),
        }
    }

    fn message(&self, status: u16, message: &Message) -> Result<ApiResponse, ApiError> {
        let journaled = json!({ "sid": message.sid, "status": message.status });
        encode(status, &resource(message, &self.account.options.account_sid), journaled)
    }
}

/// Why there is nothing at a path, and what to do about it.
fn not_reproduced(method: &str, path: &str, account_sid: &str) -> String {
    let account =
        path.strip_prefix("/2010-04-01/Accounts/").and_then(|rest| rest.split(['/', '.']).next());
    match account {
        Some(other) if other != account_sid => format!(
            "{method} {path} is of another account than {account_sid}, which `account_sid` under [twilio] in \
             rehearse.toml names"
        ),
        _ => format!(
            "rehearse does not reproduce {method} {path} of Twilio: give the client that calls it the URL of a stand-in \
             of yours, or let the backend do without it there (docs/twilio.md says what there is)"
        ),
    }
}

fn encode(status: u16, body: &impl Serialize, journaled: Value) -> Result<ApiResponse, ApiError> {
    let body = serde_json::to_vec(body).map_err(|_| ApiError::new(20500))?;
    Ok(ApiResponse { status, body, journaled, headers: Vec::new() })
}

/// Where the API was asked, for links that lead back to it: with the caller's path, so that what is called by
/// a link has the same cause. Not by the `Host`, which may name the real Twilio.
fn base(account: &Account, asked: &Uri) -> String {
    let url = account.url.get().map(String::as_str).unwrap_or_default();
    let caller = callers::split_caller(asked.path()).0.map(callers::path_of);
    format!("{url}{}", caller.unwrap_or_default())
}

fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"))
}

/// Files may be had without credentials, as on Twilio unless the account forbids it, but not with wrong ones.
fn is_authorized(account: &Account, route: Route<'_>, headers: &HeaderMap) -> bool {
    match (headers.get(header::AUTHORIZATION), route) {
        (_, Route::Download(_)) | (None, Route::MediaFile(..)) => true,
        (None, _) => false,
        (Some(given), _) => account.authorizes(given.as_bytes()),
    }
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

fn respond_with_error(error: &ApiError) -> Response {
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

/// Makes the server close the connection: it sends nothing of a response whose body fails at once.
fn broken_response() -> Response {
    let broken = Err::<Bytes, _>(io::Error::from(io::ErrorKind::ConnectionReset));
    Response::new(Body::from_stream(stream::iter([broken])))
}
