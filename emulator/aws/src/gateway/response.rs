//! A function's result as an HTTP response, by API Gateway's rules.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value, json};

use crate::template::Payload;

/// Headers of a connection: the gateway sets its own.
const HOP_BY_HOP: [HeaderName; 4] =
    [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH, header::UPGRADE];

/// A function's result is not one that API Gateway takes.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the function's answer is malformed: {0}")]
pub(crate) struct Malformed(&'static str);

/// An error as API Gateway words it: `{"message": ...}`.
pub(super) fn message(status: StatusCode, message: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(json!({ "message": message }).to_string()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// The response that a function's result means; `decodes` says whether a base64 body is decoded.
///
/// # Errors
/// When AWS would take the result for malformed.
pub(crate) fn from_result(
    payload: Payload,
    result: &Value,
    decodes: bool,
) -> Result<Response<Bytes>, Malformed> {
    match result.as_object().filter(|map| map.contains_key("statusCode")) {
        Some(map) => structured(payload, map, decodes),
        // In format 2.0 any JSON without a status is the body of a 200.
        None if payload == Payload::V2 => {
            let mut response = Response::new(Bytes::from(result.to_string()));
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            Ok(response)
        }
        None => Err(Malformed("no statusCode")),
    }
}

fn structured(
    payload: Payload,
    map: &Map<String, Value>,
    decodes: bool,
) -> Result<Response<Bytes>, Malformed> {
    let mut response = Response::new(body(map, decodes)?);
    let no_status = Malformed("statusCode is not a number from 200 to 599");
    *response.status_mut() = status(&map["statusCode"]).ok_or(no_status)?;
    for (name, value) in map.get("headers").and_then(Value::as_object).into_iter().flatten() {
        add(&mut response, name, value, true)?;
    }
    if payload != Payload::V2 {
        let lists = map.get("multiValueHeaders").and_then(Value::as_object);
        for (name, values) in lists.into_iter().flatten() {
            for (at, value) in values.as_array().into_iter().flatten().enumerate() {
                add(&mut response, name, value, at == 0)?;
            }
        }
    }
    let cookies = map.get("cookies").filter(|_| payload == Payload::V2);
    for cookie in cookies.and_then(Value::as_array).into_iter().flatten() {
        add(&mut response, "set-cookie", cookie, false)?;
    }
    if !response.headers().contains_key(header::CONTENT_TYPE) {
        // That of format 2.0 was seen on AWS and is in no document.
        let kind = match payload {
            Payload::V2 => "text/plain;charset=UTF-8",
            Payload::V1 | Payload::Rest => "application/json",
        };
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    for name in HOP_BY_HOP {
        response.headers_mut().remove(name);
    }
    Ok(response)
}

fn body(map: &Map<String, Value>, decodes: bool) -> Result<Bytes, Malformed> {
    let text = match map.get("body") {
        None | Some(Value::Null) => return Ok(Bytes::new()),
        Some(Value::String(text)) => text,
        Some(_) => return Err(Malformed("body is not a string")),
    };
    if decodes && map.get("isBase64Encoded") == Some(&Value::Bool(true)) {
        let bytes = STANDARD.decode(text).map_err(|_| Malformed("body is not base64"))?;
        return Ok(bytes.into());
    }
    Ok(Bytes::from(text.clone()))
}

/// A status as a number, or as digits in a string. One below 200 would not be a final response. That
/// AWS refuses one from 600 on is unverified.
fn status(value: &Value) -> Option<StatusCode> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    let number = u16::try_from(number).ok().filter(|number| (200..600).contains(number))?;
    StatusCode::from_u16(number).ok()
}

fn add(
    response: &mut Response<Bytes>,
    name: &str,
    value: &Value,
    replace: bool,
) -> Result<(), Malformed> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => return Err(Malformed("a header is not a string")),
    };
    let name = HeaderName::try_from(name).map_err(|_| Malformed("a header's name"))?;
    let value = HeaderValue::try_from(text).map_err(|_| Malformed("a header's value"))?;
    if replace {
        response.headers_mut().insert(name, value);
    } else {
        response.headers_mut().append(name, value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(payload: Payload, answer: Value) -> Response<Bytes> {
        from_result(payload, &answer, true).unwrap()
    }

    #[test]
    fn json_without_a_status_is_the_body_of_a_200_in_format_2_only() {
        let answer = json!({ "available_count": 8 });
        let inferred = ok(Payload::V2, answer.clone());
        assert_eq!(inferred.status(), 200);
        assert_eq!(inferred.headers()["content-type"], "application/json");
        assert_eq!(inferred.body(), &answer.to_string());
        assert_eq!(
            from_result(Payload::V1, &answer, true).unwrap_err(),
            Malformed("no statusCode")
        );
    }

    #[test]
    fn cookies_and_base64_and_status_are_honoured() {
        let answer = json!({
            "statusCode": "201", "body": "AP8=", "isBase64Encoded": true,
            "headers": { "X-A": 1, "content-length": "99" }, "cookies": ["a=1", "b=2"],
        });
        let response = ok(Payload::V2, answer);
        assert_eq!(response.status(), 201);
        assert_eq!(response.body().as_ref(), [0, 255]);
        assert_eq!(response.headers()["x-a"], "1");
        assert!(!response.headers().contains_key("content-length"));
        let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["a=1", "b=2"]);
    }

    #[test]
    fn format_1_merges_its_two_header_maps() {
        let answer = json!({
            "statusCode": 200, "headers": { "x-a": "single", "x-b": "b" },
            "multiValueHeaders": { "X-A": ["one", "two"] },
        });
        let response = ok(Payload::V1, answer);
        let values: Vec<_> = response.headers().get_all("x-a").iter().collect();
        assert_eq!(values, ["one", "two"]);
        assert_eq!(response.headers()["x-b"], "b");
    }

    #[test]
    fn what_is_not_an_answer_is_malformed() {
        for answer in [
            json!({ "statusCode": 99 }),
            json!({ "statusCode": 101 }),
            json!({ "statusCode": "199" }),
            json!({ "statusCode": 600 }),
            json!({ "statusCode": "ok" }),
            json!({ "statusCode": 200, "body": { "a": 1 } }),
            json!({ "statusCode": 200, "body": "%", "isBase64Encoded": true }),
            json!({ "statusCode": 200, "headers": { "a b": "c" } }),
            json!({ "statusCode": 200, "headers": { "a": "line\nbreak" } }),
        ] {
            assert!(from_result(Payload::V2, &answer, true).is_err(), "{answer}");
        }
    }

    #[test]
    fn base64_that_is_not_to_be_decoded_stays_text() {
        let answer = json!({ "statusCode": 200, "body": "AP8=", "isBase64Encoded": true });
        let response = from_result(Payload::Rest, &answer, false).unwrap();
        assert_eq!(response.body(), "AP8=");
        assert_eq!(response.headers()["content-type"], "application/json");
    }

    #[test]
    fn without_a_content_type_it_is_text_and_cookies_are_format_2s_alone() {
        let answer = json!({ "statusCode": 200, "body": "<Response/>", "cookies": ["a=1"] });
        let response = ok(Payload::V2, answer.clone());
        assert_eq!(response.headers()["content-type"], "text/plain;charset=UTF-8");
        assert_eq!(response.headers()["set-cookie"], "a=1");
        assert!(!ok(Payload::V1, answer).headers().contains_key("set-cookie"));
    }
}
