//! Reads request bodies of limited size and known type. Errors in JSON have a position.

use std::{collections::HashSet, fmt};

use axum::{
    body::{Body, Bytes, to_bytes},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Map, Value, error::Category};

use super::error::ApiError;

/// Longest body that is read.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Names and values of a form or query in order, including repeated names.
pub(super) type KeyValuePairs = Vec<(String, String)>;

/// A body, parsed by its content type.
#[derive(Debug, PartialEq)]
pub(super) enum ParsedBody {
    Json(Map<String, Value>),
    Form(KeyValuePairs),
}

/// Reads the whole body.
///
/// # Errors
/// 413 when it is longer than [`MAX_BODY_BYTES`].
pub(super) async fn read(body: Body) -> Result<Bytes, ApiError> {
    to_bytes(body, MAX_BODY_BYTES).await.map_err(|_| {
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "The body may have at most 64 KiB")
    })
}

/// Parses a body by its content type.
///
/// # Errors
/// 415 for another content type, 400 for a body that is malformed or no JSON object, and for
/// a repeated field.
pub(super) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<ParsedBody, ApiError> {
    match media_type(headers).as_str() {
        "application/json" => json(body).map(ParsedBody::Json),
        "application/x-www-form-urlencoded" => form(body).map(ParsedBody::Form),
        _ => Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Send application/json or application/x-www-form-urlencoded",
        )),
    }
}

/// The content type in lower case without parameters; empty when there is none.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|value| value.trim().to_ascii_lowercase())
        .unwrap_or_default()
}

/// Decodes a form or query. Nothing is trimmed or left out.
pub(super) fn pairs(text: &[u8]) -> KeyValuePairs {
    form_urlencoded::parse(text).into_owned().collect()
}

fn json(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => match repeated_field(body) {
            None => Ok(fields),
            Some(name) => Err(repeated(&name)),
        },
        Ok(_) => Err(ApiError::bad_request("The body must be a JSON object")),
        Err(error) => {
            let what = match error.classify() {
                Category::Eof => "JSON ends too early",
                _ => "Malformed JSON",
            };
            Err(ApiError::bad_request(format!(
                "{what} at line {} column {}",
                error.line(),
                error.column()
            )))
        }
    }
}

/// Of two values for one name nobody knows which is meant, and other programs take the first.
fn repeated(name: &str) -> ApiError {
    ApiError::bad_request(format!("Repeated field: {name}"))
}

/// A name that a JSON object has twice, which no map of it shows.
fn repeated_field(object: &[u8]) -> Option<String> {
    let Names(names) = serde_json::from_slice(object).ok()?;
    let mut known = HashSet::with_capacity(names.len());
    names.into_iter().find(|name| !known.insert(name.clone()))
}

/// The names of an object's fields, in order.
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(object: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut fields: M) -> Result<Names, M::Error> {
                let mut names = Vec::new();
                while let Some((name, IgnoredAny)) = fields.next_entry()? {
                    names.push(name);
                }
                Ok(Names(names))
            }
        }

        object.deserialize_map(NameVisitor)
    }
}

fn form(body: &[u8]) -> Result<KeyValuePairs, ApiError> {
    let pairs = pairs(body);
    let mut names = HashSet::with_capacity(pairs.len());
    for (name, _) in &pairs {
        if !names.insert(name) {
            return Err(repeated(name));
        }
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde_json::json;

    use super::*;

    fn parse_text(content_type: &str, body: &str) -> Result<ParsedBody, String> {
        let mut headers = HeaderMap::new();
        if !content_type.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap());
        }
        parse(&headers, body.as_bytes()).map_err(|error| format!("{error:?}"))
    }

    #[test]
    fn json_and_forms_are_read_by_their_content_type() {
        let Value::Object(object) = json!({ "a": 1 }) else { panic!() };
        assert_eq!(
            parse_text("Application/JSON; charset=utf-8", r#"{"a":1}"#).unwrap(),
            ParsedBody::Json(object)
        );
        assert_eq!(
            parse_text("application/x-www-form-urlencoded", "a=+1+%26&b=").unwrap(),
            ParsedBody::Form(vec![("a".into(), " 1 &".into()), ("b".into(), String::new())])
        );
    }

    #[test]
    fn malformed_json_is_reported_with_its_position() {
        let error = parse_text("application/json", "{\n  \"a\": 1,\n}").unwrap_err();
        assert!(error.contains("Malformed JSON at line 3 column 1"), "{error}");
        let error = parse_text("application/json", "{\"a\":").unwrap_err();
        assert!(error.contains("JSON ends too early at line 1 column 5"), "{error}");
        let error = parse_text("application/json", "[1]").unwrap_err();
        assert!(error.contains("must be a JSON object"), "{error}");
    }

    #[test]
    fn other_types_are_refused() {
        for content_type in ["", "text/plain", "multipart/form-data"] {
            assert!(parse_text(content_type, "{}").unwrap_err().contains("415"));
        }
    }

    #[test]
    fn a_repeated_field_is_ambiguous() {
        for (content_type, body) in [
            ("application/x-www-form-urlencoded", "date=a&date=b"),
            ("application/json", r#"{"date":"a","time":"b","date":"a"}"#),
            ("application/json", r#"{"date":"a","d\u0061te":"b"}"#),
        ] {
            let error = parse_text(content_type, body).unwrap_err();
            assert!(error.contains("Repeated field: date"), "{error}");
        }
    }

    #[tokio::test]
    async fn the_limit_is_exact() {
        assert!(read(Body::from(vec![b' '; MAX_BODY_BYTES])).await.is_ok());
        assert!(read(Body::from(vec![b' '; MAX_BODY_BYTES + 1])).await.is_err());
    }
}
