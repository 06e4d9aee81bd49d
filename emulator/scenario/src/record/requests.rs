//! Requests through API Gateway, as steps.

use serde_json::{Map, Value, json};

use super::{happenings::HttpRequest, stable::Stable};
use rehearse_core::journal::ExchangeDetail;

/// Most keys of a response that a step names.
const MOST_KEYS: usize = 8;

/// The methods that a step can have.
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];

/// Names that the step's fields go by.
pub(super) struct Credentials<'a> {
    /// The variable of the token that other programs send.
    pub(super) token: Option<&'a str>,
    /// The name under which a cookie was saved.
    pub(super) cookie: Option<&'a str>,
}

/// The step of a request; `None` when no step can say it.
pub(super) fn step(
    seq: u64,
    request: &HttpRequest,
    credentials: &Credentials<'_>,
    saves_cookie: Option<&str>,
    stable: &Stable<'_>,
) -> Option<Value> {
    if !METHODS.contains(&request.method.as_str()) {
        return None;
    }
    let mut step = Map::new();
    let path = stable.words.value(&request.path.as_str().into(), stable.at);
    step.insert("request".into(), format!("{} {}", request.method, path.as_str()?).into());
    let mut headers = headers(request, credentials, stable)?;
    if let Some((kind, body)) = body(request, stable) {
        // What a body of this kind is sent with by itself.
        headers.retain(|name, _| name != "content-type" || kind == "body");
        insert_headers(&mut step, headers);
        step.insert(kind.into(), body);
    } else {
        headers.remove("content-type");
        insert_headers(&mut step, headers);
    }
    if let Some(status) = request.status {
        let mut response = json!({ "status": status });
        if let Some(Value::Object(mut json)) =
            stable.before(seq).matcher(&scalars(&request.response))
        {
            let keys: Vec<String> = json.keys().skip(MOST_KEYS).cloned().collect();
            keys.iter().for_each(|key| {
                json.remove(key);
            });
            response["json"] = json.into();
        }
        step.insert("response".into(), response);
    }
    let mut save: Map<String, Value> =
        stable.tokens.saved_at(seq).map(|(name, path)| (name.to_owned(), path.into())).collect();
    if let Some(name) = saves_cookie {
        save.insert(name.into(), "headers.set-cookie".into());
    }
    if !save.is_empty() {
        step.insert("save".into(), save.into());
    }
    Some(step.into())
}

fn insert_headers(step: &mut Map<String, Value>, headers: Map<String, Value>) {
    if !headers.is_empty() {
        step.insert("headers".into(), headers.into());
    }
}

/// The header fields; `None` when there is a credential that nothing stands for.
fn headers(
    request: &HttpRequest,
    credentials: &Credentials<'_>,
    stable: &Stable<'_>,
) -> Option<Map<String, Value>> {
    let mut headers = Map::new();
    for (name, value) in &request.headers {
        let value = match name.as_str() {
            "authorization" => {
                let scheme = value.strip_suffix(ExchangeDetail::WITHHELD)?;
                // A token that was refused was a wrong one.
                match credentials.token.filter(|_| request.status != Some(401)) {
                    Some(variable) => format!("{scheme}{{{{ env.{variable} }}}}"),
                    None => format!("{scheme}wrong"),
                }
            }
            "cookie" => match credentials.cookie {
                Some(name) => format!("{{{{ {name} }}}}"),
                None => continue,
            },
            // It names the address of the world that was recorded.
            "origin" => continue,
            _ => stable.words.text(value),
        };
        headers.insert(name.clone(), value.into());
    }
    Some(headers)
}

/// The key under which a step has the body, and the body.
fn body(request: &HttpRequest, stable: &Stable<'_>) -> Option<(&'static str, Value)> {
    if request.body.is_empty() {
        return None;
    }
    let kind = request.headers.iter().find(|(name, _)| name == "content-type");
    let kind = kind.map(|(_, value)| value.as_str()).unwrap_or_default();
    if kind.starts_with("application/json")
        && let Ok(json) = serde_json::from_str::<Value>(&request.body)
    {
        return Some(("json", stable.words.value(&json, stable.at)));
    }
    if kind.starts_with("application/x-www-form-urlencoded") {
        let mut form = Map::new();
        for (name, value) in form_urlencoded::parse(request.body.as_bytes()) {
            let value = stable.words.value(&value.into_owned().into(), stable.at);
            match form.get_mut(name.as_ref()) {
                None => {
                    form.insert(name.into_owned(), value);
                }
                Some(Value::Array(list)) => list.push(value),
                Some(one) => *one = json!([one.take(), value]),
            }
        }
        return Some(("form", form.into()));
    }
    Some(("body", stable.words.text(&request.body).into()))
}

/// The response's own values, without those that are lists or maps.
fn scalars(response: &Value) -> Value {
    let entries = response.as_object().into_iter().flatten();
    let scalars = entries.filter(|(_, value)| !value.is_array() && !value.is_object());
    scalars.map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>().into()
}
