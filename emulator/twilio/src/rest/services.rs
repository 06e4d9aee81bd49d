//! `/v1/Services` of messaging.twilio.com: the Messaging Services.

use serde::Serialize;
use serde_json::{Value, json};
use url::Url;

use super::{
    error::ApiError,
    page::{PageMeta, PageRequest},
    request::Params,
};
use crate::{
    Method, ServiceConfig,
    account::{Account, AccountState},
    service::{MAX_VALIDITY, Service},
};
use rehearse_core::random::mix;

/// Most characters of a service's name.
const MAX_NAME: usize = 64;

/// Parameters that are kept and given back, with the key of each in the response and its value at first.
const KEPT: [(&str, &str, Initial); 4] = [
    ("MmsConverter", "mms_converter", Initial::Boolean(true)),
    ("FallbackToLongCode", "fallback_to_long_code", Initial::Boolean(true)),
    ("SynchronousValidation", "synchronous_validation", Initial::Boolean(false)),
    ("Usecase", "usecase", Initial::Text("undeclared")),
];

#[derive(Debug, Clone, Copy)]
enum Initial {
    Boolean(bool),
    Text(&'static str),
}

#[derive(Debug, Serialize)]
pub(super) struct ServicePage {
    meta: PageMeta,
    services: Vec<Value>,
}

/// # Errors
/// 20001, there is no name, or a value is not valid; 21502, a URL is not valid; 90007, the validity period is
/// not between 1 and 36 000 seconds.
pub(super) fn create(account: &Account, base: &str, params: &Params) -> Result<Value, ApiError> {
    if params.get("FriendlyName").is_none() {
        let message = "Missing required parameter FriendlyName in the post body";
        return Err(ApiError::with(20001, message));
    }
    let now = account.clock.now();
    let mut state = account.state();
    state.services_created += 1;
    let count = state.services_created;
    let sid = format!("MG{count:016x}{:016x}", mix(account.options.seed ^ count));
    let mut service = Service::new(ServiceConfig { sid, ..ServiceConfig::default() }, now);
    change(&mut service, params)?;
    let shown = resource(account, base, &service);
    state.services.push(service);
    Ok(shown)
}

/// # Errors
/// 20404, there is no such service.
pub(super) fn fetch(
    account: &Account,
    base: &str,
    sid: &str,
    path: &str,
) -> Result<Value, ApiError> {
    let state = account.state();
    let service = state.service(sid).ok_or_else(|| not_found(path))?;
    Ok(resource(account, base, service))
}

/// The services in pages.
///
/// # Errors
/// 20007, the page size is too large; 21481, the page token is not valid.
pub(super) fn list(
    account: &Account,
    base: &str,
    path: &str,
    query: &Params,
) -> Result<ServicePage, ApiError> {
    let asked = PageRequest::read(query)?;
    let state = account.state();
    let sids: Vec<&str> = state.services.iter().map(Service::sid).collect();
    let part = asked.part(&sids)?;
    let page = state.services.get(part.records).unwrap_or_default();
    let links = asked.links(path, query, |_| false, page.len(), (part.next, part.previous));
    Ok(ServicePage {
        meta: links.into_meta(base, "services"),
        services: page.iter().map(|service| resource(account, base, service)).collect(),
    })
}

/// # Errors
/// 20404, there is no such service, and the errors of [`create`].
pub(super) fn update(
    account: &Account,
    base: &str,
    sid: &str,
    path: &str,
    params: &Params,
) -> Result<Value, ApiError> {
    let now = account.clock.now();
    let mut state = account.state();
    let service = service_mut(&mut state, sid, path)?;
    let mut changed = service.clone();
    change(&mut changed, params)?;
    changed.updated = now;
    *service = changed;
    Ok(resource(account, base, service))
}

/// Deletes a service; its numbers belong to none then.
///
/// # Errors
/// 20404, there is no such service.
pub(super) fn delete(account: &Account, sid: &str, path: &str) -> Result<(), ApiError> {
    let mut state = account.state();
    service_mut(&mut state, sid, path)?;
    state.services.retain(|service| service.sid() != sid);
    for number in state.numbers_mut() {
        if number.config.messaging_service_sid.as_deref() == Some(sid) {
            number.config.messaging_service_sid = None;
        }
    }
    Ok(())
}

pub(super) fn service_mut<'a>(
    state: &'a mut AccountState,
    sid: &str,
    path: &str,
) -> Result<&'a mut Service, ApiError> {
    let found = state.services.iter_mut().find(|service| service.sid() == sid);
    found.ok_or_else(|| not_found(path))
}

/// The younger APIs name a resource without the version.
pub(super) fn not_found(path: &str) -> ApiError {
    ApiError::not_found(path.strip_prefix("/v1").unwrap_or(path))
}

/// A time as the younger APIs show it.
pub(super) fn iso8601(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn change(service: &mut Service, params: &Params) -> Result<(), ApiError> {
    let config = &mut service.config;
    if let Some(name) = params.get("FriendlyName") {
        if name.chars().count() > MAX_NAME {
            return Err(ApiError::with(20001, "FriendlyName has more than 64 characters"));
        }
        name.clone_into(&mut config.friendly_name);
    }
    for (key, url) in [
        ("InboundRequestUrl", &mut config.inbound_request_url),
        ("FallbackUrl", &mut config.fallback_url),
        ("StatusCallback", &mut config.status_callback),
    ] {
        match params.given(key) {
            None => {}
            Some("") => *url = None,
            Some(text) if Url::parse(text).is_ok_and(|url| url.has_host()) => {
                *url = Some(text.to_owned());
            }
            Some(_) => return Err(ApiError::with(21502, format!("{key} is not a valid URL."))),
        }
    }
    for (key, method) in [
        ("InboundMethod", &mut config.inbound_method),
        ("FallbackMethod", &mut config.fallback_method),
    ] {
        if let Some(text) = params.get(key) {
            let parsed = Method::parse(text);
            *method = parsed
                .ok_or_else(|| ApiError::with(20001, format!("{key} must be GET or POST")))?;
        }
    }
    for (key, value) in [
        ("UseInboundWebhookOnNumber", &mut config.use_inbound_webhook_on_number),
        ("StickySender", &mut config.sticky_sender),
        ("SmartEncoding", &mut config.smart_encoding),
        ("AreaCodeGeomatch", &mut config.area_code_geomatch),
    ] {
        if let Some(text) = params.get(key) {
            *value = boolean(key, text)?;
        }
    }
    if let Some(text) = params.get("ValidityPeriod") {
        let seconds = text.parse().ok().filter(|seconds| (1..=MAX_VALIDITY).contains(seconds));
        config.validity_period = seconds.ok_or_else(|| ApiError::new(90007))?;
    }
    for (parameter, key, initial) in KEPT {
        if let Some(text) = params.get(parameter) {
            let value = match initial {
                Initial::Boolean(_) => json!(boolean(parameter, text)?),
                Initial::Text(_) => json!(text),
            };
            service.kept.insert(key, value);
        }
    }
    Ok(())
}

fn boolean(key: &str, text: &str) -> Result<bool, ApiError> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(ApiError::with(20001, format!("{key} must be true or false"))),
    }
}

/// A service as the API shows it.
fn resource(account: &Account, base: &str, service: &Service) -> Value {
    let Service { config, created, updated, .. } = service;
    let url = format!("{base}/v1/Services/{}", config.sid);
    let link = |name: &str| format!("{url}/{name}");
    let mut json = json!({
        "account_sid": account.options.account_sid,
        "sid": config.sid,
        "date_created": iso8601(*created),
        "date_updated": iso8601(*updated),
        "friendly_name": config.friendly_name,
        "inbound_request_url": config.inbound_request_url,
        "inbound_method": config.inbound_method.as_str(),
        "fallback_url": config.fallback_url,
        "fallback_method": config.fallback_method.as_str(),
        "status_callback": config.status_callback,
        "sticky_sender": config.sticky_sender,
        "smart_encoding": config.smart_encoding,
        "scan_message_content": "inherit",
        "area_code_geomatch": config.area_code_geomatch,
        "validity_period": config.validity_period,
        "use_inbound_webhook_on_number": config.use_inbound_webhook_on_number,
        "us_app_to_person_registered": false,
        "url": url,
        "links": { "phone_numbers": link("PhoneNumbers"), "messages": link("Messages") },
    });
    for (_, key, initial) in KEPT {
        let initial = match initial {
            Initial::Boolean(value) => json!(value),
            Initial::Text(text) => json!(text),
        };
        json[key] = service.kept.get(key).cloned().unwrap_or(initial);
    }
    json
}
