//! Lookup v2: `GET /v2/PhoneNumbers/{number}`, with the type of its line.

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{error::ApiError, request::Params};
use crate::{LineType, account::Account, geo, phone};

/// The part of Lookup that is reproduced besides the basic one.
const LINE_TYPE: &str = "line_type_intelligence";
/// The other parts, which are null unless they are asked for.
const OTHER_PARTS: [&str; 11] = [
    "caller_name",
    "call_forwarding",
    "identity_match",
    "live_activity",
    "phone_number_quality_score",
    "pre_fill",
    "reassigned_number",
    "sim_swap",
    "sms_pumping_risk",
    "sms_pumping_risk_score",
    "validation",
];

/// # Errors
/// 20001, a part was asked for that is not reproduced.
pub(super) fn fetch(account: &Account, number: &str, query: &Params) -> Result<Value, ApiError> {
    let asked = query.get("Fields").unwrap_or_default();
    let mut fields = asked.split(',').map(str::trim).filter(|field| !field.is_empty());
    // `validation` is the basic lookup.
    let other = fields.find(|field| !matches!(*field, LINE_TYPE | "validation"));
    if let Some(other) = other {
        let message = format!("rehearse reproduces {LINE_TYPE} alone, not {other}");
        return Err(ApiError::with(20001, message));
    }
    let number = percent_decode_str(number).decode_utf8_lossy();
    let number = in_e164(&number, query.get("CountryCode"));
    let wrong = wrong(&number);
    let line_type = asked.contains(LINE_TYPE).then(|| match wrong {
        None => line_type(account, &number),
        Some(_) => Value::Null,
    });
    let country = geo::location(&number).country;
    let mut json = json!({
        "calling_country_code": geo::calling_code(&number),
        "country_code": (!country.is_empty()).then_some(country),
        "phone_number": number,
        "national_format": national(&number),
        "valid": wrong.is_none(),
        "validation_errors": wrong.into_iter().collect::<Vec<_>>(),
        "url": format!("https://lookups.twilio.com/v2/PhoneNumbers/{number}"),
        LINE_TYPE: line_type,
    });
    for part in OTHER_PARTS.into_iter().filter(|part| *part != "validation") {
        json[part] = Value::Null;
    }
    Ok(json)
}

/// What Lookup says of a number's line.
fn line_type(account: &Account, number: &str) -> Value {
    let of = account.options.line_types.get(number).copied().unwrap_or_default();
    let is_mobile = of == LineType::Mobile;
    json!({
        "mobile_country_code": is_mobile.then_some("310"),
        "mobile_network_code": is_mobile.then_some("260"),
        "carrier_name": if is_mobile { "T-Mobile USA, Inc." } else { "rehearse" },
        "type": of.as_str(),
        "error_code": null,
    })
}

/// A number as it was asked for, in E.164 format where that is possible.
fn in_e164(number: &str, country: Option<&str>) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    // A national number begins with a zero where countries have one.
    let code = country.and_then(geo::code_of);
    match (country, code) {
        _ if number.starts_with('+') => format!("+{digits}"),
        (None, _) if digits.is_empty() => number.to_owned(),
        (None, _) | (_, Some("1")) if digits.len() == 10 => format!("+1{digits}"),
        (_, Some(code)) if code != "1" => format!("+{code}{}", digits.trim_start_matches('0')),
        _ => format!("+{digits}"),
    }
}

/// Why a number is none, in Lookup's words.
fn wrong(number: &str) -> Option<&'static str> {
    let digits = number.chars().filter(char::is_ascii_digit).count();
    match digits {
        _ if phone::is_e164(number) => None,
        0 => Some("NOT_A_NUMBER"),
        1..8 => Some("TOO_SHORT"),
        8..=10 if number.starts_with("+1") => Some("TOO_SHORT"),
        12.. if number.starts_with("+1") => Some("TOO_LONG"),
        16.. => Some("TOO_LONG"),
        _ => Some("INVALID_BUT_POSSIBLE"),
    }
}

/// `(904) 555-0100` of a North American number; the digits of another.
fn national(number: &str) -> String {
    let Some(digits) = number.strip_prefix("+1") else {
        return number.trim_start_matches('+').to_owned();
    };
    match (digits.get(..3), digits.get(3..6), digits.get(6..)) {
        (Some(area), Some(exchange), Some(line)) => format!("({area}) {exchange}-{line}"),
        _ => digits.to_owned(),
    }
}
