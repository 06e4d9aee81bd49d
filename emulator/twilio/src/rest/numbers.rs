//! `IncomingPhoneNumbers`: the account's numbers and their configuration.

use serde::Serialize;
use serde_json::{Value, json};
use url::Url;

use super::{
    error::ApiError,
    messages::rfc2822,
    page::{PageLinks, PageRequest},
    request::Params,
};
use crate::{
    Method, NumberKind,
    account::{Account, AccountState},
    number::Number,
};

/// Parameters that are kept and given back, with the key of each in the response, what it may be, and
/// its value at first. A number's `StatusCallback` is called about its calls; messages have their own.
const KEPT: [(&str, &str, Kind, Initial); 16] = [
    ("StatusCallback", "status_callback", Kind::Url, Initial::Text("")),
    ("StatusCallbackMethod", "status_callback_method", Kind::Method, Initial::Text("POST")),
    ("VoiceUrl", "voice_url", Kind::Url, Initial::Text("")),
    ("VoiceMethod", "voice_method", Kind::Method, Initial::Text("POST")),
    ("VoiceFallbackUrl", "voice_fallback_url", Kind::Url, Initial::Text("")),
    ("VoiceFallbackMethod", "voice_fallback_method", Kind::Method, Initial::Text("POST")),
    ("VoiceCallerIdLookup", "voice_caller_id_lookup", Kind::Boolean, Initial::False),
    ("VoiceReceiveMode", "voice_receive_mode", Kind::Text, Initial::Text("voice")),
    ("VoiceApplicationSid", "voice_application_sid", Kind::Text, Initial::Null),
    ("SmsApplicationSid", "sms_application_sid", Kind::Text, Initial::Null),
    ("AddressSid", "address_sid", Kind::Text, Initial::Null),
    ("IdentitySid", "identity_sid", Kind::Text, Initial::Null),
    ("BundleSid", "bundle_sid", Kind::Text, Initial::Null),
    ("TrunkSid", "trunk_sid", Kind::Text, Initial::Null),
    ("EmergencyStatus", "emergency_status", Kind::Text, Initial::Text("Inactive")),
    ("EmergencyAddressSid", "emergency_address_sid", Kind::Text, Initial::Null),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Url,
    Method,
    Boolean,
    Text,
}

#[derive(Debug, Clone, Copy)]
enum Initial {
    Text(&'static str),
    False,
    Null,
}

#[derive(Debug, Serialize)]
pub(super) struct NumberPage {
    incoming_phone_numbers: Vec<Value>,
    #[serde(flatten)]
    links: PageLinks,
}

/// The numbers that the filters let pass, in pages.
///
/// # Errors
/// 20007, the page size is too large; 21481, the page token is not valid.
pub(super) fn list(account: &Account, path: &str, query: &Params) -> Result<NumberPage, ApiError> {
    let asked = PageRequest::read(query)?;
    let state = account.state();
    let matching: Vec<&Number> = state.numbers().filter(|number| accepts(query, number)).collect();
    let sids: Vec<&str> = matching.iter().map(|number| number.sid.as_str()).collect();
    let part = asked.part(&sids)?;
    let page = matching.get(part.records).unwrap_or_default();
    let tokens = (part.next, part.previous);
    let is_filter = |key: &str| matches!(key, "PhoneNumber" | "FriendlyName" | "Beta" | "Origin");
    Ok(NumberPage {
        links: asked.links(path, query, is_filter, page.len(), tokens),
        incoming_phone_numbers: page.iter().map(|number| resource(account, number)).collect(),
    })
}

/// # Errors
/// 20404, the sid is no number's.
pub(super) fn fetch(account: &Account, sid: &str, path: &str) -> Result<Value, ApiError> {
    let state = account.state();
    let number = state.numbers().find(|number| number.sid == sid);
    number.map(|number| resource(account, number)).ok_or_else(|| ApiError::not_found(path))
}

/// Changes the name and the webhooks of a number, and what else is kept of it.
///
/// # Errors
/// 20001, a method is not valid; 20404, the sid is no number's; 21502, a URL is not valid.
pub(super) fn update(
    account: &Account,
    sid: &str,
    path: &str,
    params: &Params,
) -> Result<Value, ApiError> {
    fetch(account, sid, path)?;
    let (webhook, fallback) = (url(params, "SmsUrl")?, url(params, "SmsFallbackUrl")?);
    let methods = (method(params, "SmsMethod")?, method(params, "SmsFallbackMethod")?);
    let mut kept = Vec::new();
    for (parameter, key, kind, _) in KEPT {
        let value = match kind {
            Kind::Url => url(params, parameter)?.map(|url| json!(url.unwrap_or_default())),
            Kind::Method => method(params, parameter)?.map(|method| json!(method.as_str())),
            Kind::Boolean => {
                params.given(parameter).map(|text| json!(text.eq_ignore_ascii_case("true")))
            }
            Kind::Text => params.given(parameter).map(|text| match text {
                "" => Value::Null,
                text => json!(text),
            }),
        };
        kept.extend(value.map(|value| (key, value)));
    }
    let now = account.clock.now();
    let mut state = account.state();
    let number = number_mut(&mut state, sid).ok_or_else(|| ApiError::not_found(path))?;
    if let Some(name) = params.get("FriendlyName") {
        name.clone_into(&mut number.friendly_name);
    }
    let config = &mut number.config;
    config.webhook_url = webhook.unwrap_or_else(|| config.webhook_url.take());
    config.fallback_url = fallback.unwrap_or_else(|| config.fallback_url.take());
    config.webhook_method = methods.0.unwrap_or(config.webhook_method);
    config.fallback_method = methods.1.unwrap_or(config.fallback_method);
    number.kept.extend(kept);
    number.updated = now;
    Ok(resource(account, number))
}

fn number_mut<'a>(state: &'a mut AccountState, sid: &str) -> Option<&'a mut Number> {
    state.numbers_mut().find(|number| number.sid == sid)
}

/// A number as the API shows it.
fn resource(account: &Account, number: &Number) -> Value {
    let Number { sid, config, .. } = number;
    let account_sid = &account.options.account_sid;
    let base = format!("/2010-04-01/Accounts/{account_sid}/IncomingPhoneNumbers/{sid}");
    let url = |url: &Option<String>| url.clone().unwrap_or_default();
    let kind = match config.kind {
        NumberKind::Local => "local",
        NumberKind::TollFree => "toll-free",
    };
    let mut json = json!({
        "sid": sid,
        "account_sid": account_sid,
        "friendly_name": number.friendly_name,
        "phone_number": number.phone,
        "date_created": rfc2822(number.created),
        "date_updated": rfc2822(number.updated),
        "sms_url": url(&config.webhook_url),
        "sms_method": config.webhook_method.as_str(),
        "sms_fallback_url": url(&config.fallback_url),
        "sms_fallback_method": config.fallback_method.as_str(),
        "capabilities": { "voice": true, "sms": true, "mms": true, "fax": false },
        "api_version": "2010-04-01",
        "beta": false,
        "origin": "twilio",
        "type": kind,
        "emergency_address_status": "unregistered",
        "address_requirements": "none",
        "status": "in-use",
        "uri": format!("{base}.json"),
        "subresource_uris": { "assigned_add_ons": format!("{base}/AssignedAddOns.json") },
    });
    for (_, key, _, initial) in KEPT {
        let initial = match initial {
            Initial::Text(text) => json!(text),
            Initial::False => json!(false),
            Initial::Null => Value::Null,
        };
        json[key] = number.kept.get(key).cloned().unwrap_or(initial);
    }
    json
}

fn accepts(query: &Params, number: &Number) -> bool {
    query.get("PhoneNumber").is_none_or(|pattern| fits(pattern, &number.phone))
        && query.get("FriendlyName").is_none_or(|name| name == number.friendly_name)
        && query.get("Beta").is_none_or(|beta| !beta.eq_ignore_ascii_case("true"))
        && query.get("Origin").is_none_or(|origin| origin == "twilio")
}

/// Whether a part of the number fits the pattern, in which `*` is any digit and what is no digit, sign
/// or star does not count.
fn fits(pattern: &str, phone: &str) -> bool {
    let digits = |text: &str| -> Vec<char> {
        text.chars().filter(|c| c.is_ascii_digit() || "+*".contains(*c)).collect()
    };
    let (pattern, phone) = (digits(pattern), digits(phone));
    let same = |(wanted, given): (&char, &char)| {
        wanted == given || (*wanted == '*' && given.is_ascii_digit())
    };
    pattern.is_empty()
        || phone.windows(pattern.len()).any(|part| pattern.iter().zip(part).all(same))
}

/// The URL of a parameter; `Some(None)` removes it.
fn url(params: &Params, key: &str) -> Result<Option<Option<String>>, ApiError> {
    match params.given(key) {
        None => Ok(None),
        Some("") => Ok(Some(None)),
        Some(text) if Url::parse(text).is_ok_and(|url| url.has_host()) => {
            Ok(Some(Some(text.to_owned())))
        }
        Some(_) => Err(ApiError::with(21502, format!("{key} is not a valid URL."))),
    }
}

fn method(params: &Params, key: &str) -> Result<Option<Method>, ApiError> {
    match params.get(key).map(Method::parse) {
        None => Ok(None),
        Some(Some(method)) => Ok(Some(method)),
        Some(None) => Err(ApiError::with(20001, format!("{key} must be GET or POST"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_part_of_the_number_with_stars_for_digits() {
        for pattern in
            ["+15550100000", "15550100000", "5550100", "+1555", "555****000", "(555) 010-0000", "*"]
        {
            assert!(fits(pattern, "+15550100000"), "{pattern}");
        }
        for pattern in ["+5550", "556", "+1555010000*0", "**5550100000", "155501000000"] {
            assert!(!fits(pattern, "+15550100000"), "{pattern}");
        }
    }
}
