//! `IncomingPhoneNumbers`: the account's one number and its configuration.

use serde_json::{Value, json};
use url::Url;

use super::{error::ApiError, messages::rfc2822, request::Params};
use crate::{Method, account::Account};

/// The number's sid, the same in every run of a world.
fn sid(account: &Account) -> String {
    format!("PN{:032x}", account.options.seed)
}

fn path(account: &Account) -> String {
    format!("/2010-04-01/Accounts/{}/IncomingPhoneNumbers", account.options.account_sid)
}

/// The number as the API shows it.
fn resource(account: &Account) -> Value {
    let state = account.state();
    let config = &state.config;
    let (sid, date) = (sid(account), rfc2822(account.started));
    let url = |url: &Option<String>| url.clone().unwrap_or_default();
    json!({
        "sid": sid,
        "account_sid": account.options.account_sid,
        "friendly_name": state.friendly_name,
        "phone_number": account.options.number,
        "voice_url": "",
        "voice_method": "POST",
        "voice_fallback_url": "",
        "voice_fallback_method": "POST",
        "voice_caller_id_lookup": false,
        "voice_application_sid": "",
        "date_created": date,
        "date_updated": date,
        "sms_url": url(&config.webhook_url),
        "sms_method": config.webhook_method.as_str(),
        "sms_fallback_url": url(&config.fallback_url),
        "sms_fallback_method": config.fallback_method.as_str(),
        "sms_application_sid": "",
        "capabilities": { "voice": true, "sms": true, "mms": true, "fax": false },
        "status_callback": "",
        "status_callback_method": "POST",
        "api_version": "2010-04-01",
        "beta": false,
        "origin": "twilio",
        "trunk_sid": null,
        "emergency_status": "Inactive",
        "emergency_address_sid": null,
        "address_requirements": "none",
        "address_sid": null,
        "identity_sid": null,
        "bundle_sid": null,
        "status": "in-use",
        "uri": format!("{}/{sid}.json", path(account)),
    })
}

/// A list with the number, or without when a filter excludes it.
pub(super) fn list(account: &Account, query: &Params) -> Value {
    let number = resource(account);
    let matches = |key: &str, field: &str| {
        query
            .get(key)
            .is_none_or(|wanted| number.get(field).and_then(Value::as_str) == Some(wanted))
    };
    let found = matches("PhoneNumber", "phone_number")
        && matches("FriendlyName", "friendly_name")
        && query.get("Beta").is_none_or(|beta| beta == "false")
        && query.get("Origin").is_none_or(|origin| origin == "twilio");
    let uri = format!("{}.json?PageSize=50&Page=0", path(account));
    json!({
        "incoming_phone_numbers": if found { vec![number] } else { vec![] },
        "start": 0,
        "end": 0,
        "page": 0,
        "page_size": 50,
        "uri": uri,
        "first_page_uri": uri,
        "next_page_uri": null,
        "previous_page_uri": null,
    })
}

/// # Errors
/// 20404, the sid is not the number's.
pub(super) fn fetch(account: &Account, requested: &str, path: &str) -> Result<Value, ApiError> {
    if requested == sid(account) { Ok(resource(account)) } else { Err(ApiError::not_found(path)) }
}

/// Changes the name and the webhooks of the number.
///
/// # Errors
/// 20001, a method is not valid; 20404, the sid is not the number's; 21502, a URL is not valid.
pub(super) fn update(
    account: &Account,
    requested: &str,
    path: &str,
    params: &Params,
) -> Result<Value, ApiError> {
    fetch(account, requested, path)?;
    let url = |key: &str| match params.given(key) {
        None => Ok(None),
        Some("") => Ok(Some(None)),
        Some(text) if Url::parse(text).is_ok_and(|url| url.has_host()) => {
            Ok(Some(Some(text.to_owned())))
        }
        Some(_) => Err(ApiError::with(21502, format!("{key} is not a valid URL."))),
    };
    let method = |key: &str| match params.get(key).map(Method::parse) {
        None => Ok(None),
        Some(Some(method)) => Ok(Some(method)),
        Some(None) => Err(ApiError::with(20001, format!("{key} must be GET or POST"))),
    };
    let (webhook, fallback) = (url("SmsUrl")?, url("SmsFallbackUrl")?);
    let methods = (method("SmsMethod")?, method("SmsFallbackMethod")?);
    {
        let mut state = account.state();
        if let Some(name) = params.get("FriendlyName") {
            name.clone_into(&mut state.friendly_name);
        }
        let config = &mut state.config;
        config.webhook_url = webhook.unwrap_or_else(|| config.webhook_url.take());
        config.fallback_url = fallback.unwrap_or_else(|| config.fallback_url.take());
        config.webhook_method = methods.0.unwrap_or(config.webhook_method);
        config.fallback_method = methods.1.unwrap_or(config.fallback_method);
    }
    Ok(resource(account))
}
