//! Reads request bodies of limited size and known type. Errors in JSON have a position.

use std::{borrow::Cow, collections::HashSet, fmt};

use axum::{
    body::{Body, Bytes, to_bytes},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
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
        Ok(UniqueFields(Value::Object(fields))) => Ok(fields),
        Ok(_) => Err(ApiError::bad_request("The body must be a JSON object")),
        Err(error) => {
            let what = match error.classify() {
                Category::Eof => "JSON ends too early".into(),
                // The only error of values is that of `UniqueFields`, which has the position.
                Category::Data => return Err(ApiError::bad_request(error.to_string())),
                Category::Syntax | Category::Io => Cow::from("Malformed JSON"),
            };
            Err(ApiError::bad_request(format!(
                "{what} at line {} column {}",
                error.line(),
                error.column()
            )))
        }
    }
}

/// Longest part of a field's name that an error repeats.
const MAX_NAME_CHARS: usize = 60;

/// Of two values for one name nobody knows which is meant, and other programs take the first.
fn repeated(name: &str) -> String {
    let name: String = name.chars().take(MAX_NAME_CHARS).collect();
    format!("Repeated field: {name}")
}

/// A JSON value none of whose objects, at any depth, has a field twice.
struct UniqueFields(Value);

impl<'de> Deserialize<'de> for UniqueFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueFieldsVisitor).map(Self)
    }
}

struct UniqueFieldsVisitor;

impl<'de> Visitor<'de> for UniqueFieldsVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(UniqueFields(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some((name, UniqueFields(value))) = map.next_entry::<String, _>()? {
            if fields.contains_key(&name) {
                return Err(de::Error::custom(repeated(&name)));
            }
            fields.insert(name, value);
        }
        Ok(fields.into())
    }
}

fn form(body: &[u8]) -> Result<KeyValuePairs, ApiError> {
    let pairs = pairs(body);
    let mut names = HashSet::with_capacity(pairs.len());
    for (name, _) in &pairs {
        if !names.insert(name) {
            return Err(ApiError::bad_request(repeated(name)));
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
            ("application/json", r#"{"slot":{"date":"a","date":"b"}}"#),
            ("application/json", r#"{"slots":[{"date":"a"},{"date":"b","date":"b"}]}"#),
        ] {
            let error = parse_text(content_type, body).unwrap_err();
            assert!(error.contains("Repeated field: date"), "{error}");
        }
        let same_name_elsewhere = r#"{"slots":[{"date":"a"},{"date":"b"}],"date":"c"}"#;
        assert!(parse_text("application/json", same_name_elsewhere).is_ok());
        let long = "d".repeat(9000);
        let error = parse_text("application/json", &format!("{{\"{long}\":1,\"{long}\":2}}"));
        assert!(error.unwrap_err().len() < 300);
    }

    #[test]
    fn every_kind_of_value_is_read_as_it_is() {
        let text = r#"{"a":[null,true,-1,18446744073709551615,1.5,"\u00e9",{}]}"#;
        let Value::Object(expected) = serde_json::from_str(text).unwrap() else { panic!() };
        assert_eq!(parse_text("application/json", text).unwrap(), ParsedBody::Json(expected));
    }

    #[tokio::test]
    async fn the_limit_is_exact() {
        assert!(read(Body::from(vec![b' '; MAX_BODY_BYTES])).await.is_ok());
        assert!(read(Body::from(vec![b' '; MAX_BODY_BYTES + 1])).await.is_err());
    }
}
