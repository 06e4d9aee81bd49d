//! `request:` a call through API Gateway or to an external backend, as a browser or the owner
//! makes it.

use http::{HeaderName, HeaderValue, header};
use serde_json::{Map, Value};

use super::{Running, StepError};
use crate::{html, outcome::Problem, places::YamlPath, step::Request};
use rehearse_core::{
    faults::FaultHandle,
    journal::{ExchangeDetail, Outcome, PendingExchange},
    matcher::{Matcher, Path},
};

/// A response as a scenario sees it: `status`, `headers`, `json`, `html`, `text`.
pub(super) struct ReceivedResponse(Value, Option<FaultHandle>);

impl Running<'_> {
    pub(crate) async fn request(&self, step: &Request, path: &YamlPath) -> Result<(), StepError> {
        let answer = self.call(step, path).await?;
        self.settled().await?;
        let mut problems = self.answered(step, &answer, path);
        problems.extend(self.unexpected_requests(path));
        StepError::from_problems(problems)
    }

    /// Makes the call.
    pub(super) async fn call(
        &self,
        step: &Request,
        path: &YamlPath,
    ) -> Result<ReceivedResponse, StepError> {
        let request = self.build(step, path)?;
        let crash = self.arm_crash(step.crash.as_ref());
        let title = step.request.method.to_string();
        let failed = |error: reqwest::Error| self.unanswered_call(&title, error, path);
        let open = self.noted(&request);
        let callers = self.world.journal().callers();
        let _running = open.as_ref().map(|open| callers.begin_outside(open));
        let response = self.web.execute(request).await.map_err(&failed)?;
        let status = response.status().as_u16();
        let mut headers = Map::new();
        for (name, value) in response.headers() {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            match headers.get_mut(name.as_str()) {
                Some(Value::String(all)) => {
                    all.push_str(", ");
                    all.push_str(&value);
                }
                _ => {
                    headers.insert(name.as_str().into(), value.into());
                }
            }
        }
        let body = response.bytes().await.map_err(&failed)?;
        let mut answer = Map::new();
        answer.insert("status".into(), status.into());
        answer.insert("headers".into(), headers.into());
        if let Ok(json) = serde_json::from_slice::<Value>(&body) {
            answer.insert("json".into(), json);
        }
        let is_page = headers_say_html(&answer);
        if is_page {
            answer.insert("html".into(), html::read(&String::from_utf8_lossy(&body)));
        }
        answer.insert("text".into(), String::from_utf8_lossy(&body).into_owned().into());
        if let Some(open) = open {
            let whole = answer.get("json").or(answer.get("text")).cloned().unwrap_or_default();
            open.end(Outcome::status(status, whole));
        }
        Ok(ReceivedResponse(answer.into(), crash))
    }

    /// The error of a call without a response. A gateway always responds. An external backend may
    /// hang up, which fails the scenario, or not listen, which is an environment failure.
    fn unanswered_call(&self, method: &str, error: reqwest::Error, path: &YamlPath) -> StepError {
        let error = error.without_url();
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        let cause = format!("{error}{}", cause.unwrap_or_default());
        if self.world.gateway().is_some() {
            return StepError::Environment(format!("the gateway failed: {cause}"));
        }
        if error.is_connect() {
            return StepError::Environment(format!("the backend is gone: {cause}"));
        }
        let summary = format!("the backend did not answer the {method}");
        StepError::Failed(vec![
            Problem::new(summary)
                .differs("an answer", cause)
                .at(self.location(&path.to("request"))),
        ])
    }

    /// Begins the journal's exchange of a call that passes no gateway.
    fn noted(&self, request: &reqwest::Request) -> Option<PendingExchange> {
        if self.world.gateway().is_some() {
            return None;
        }
        let (method, url) = (request.method().to_string(), request.url());
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        let exchange = ExchangeDetail::Http {
            function: None,
            path: url[url::Position::BeforePath..url::Position::AfterQuery].to_owned(),
            body: String::from_utf8_lossy(body).into_owned(),
            method: method.clone(),
            headers: Vec::new(),
        };
        Some(self.world.journal().begin(format!("http.{method} {}", url.path()), exchange))
    }

    fn build(&self, step: &Request, path: &YamlPath) -> Result<reqwest::Request, StepError> {
        let below = |key: &str| path.to(key);
        let target = self.text(&step.request.path, &below("request"))?;
        let url = format!("{}{target}", self.world.endpoints().gateway);
        let url = url::Url::parse(&url).map_err(|error| {
            StepError::broken(format!("{target}: {error}"), self.location(&below("request")))
        })?;
        let mut request = reqwest::Request::new(step.request.method.clone(), url);
        let body = if let Some(json) = &step.json {
            Some(("application/json", self.filled(json, &below("json"))?.to_string()))
        } else if let Some(form) = &step.form {
            Some(("application/x-www-form-urlencoded", self.form(form, &below("form"))?))
        } else {
            match &step.body {
                Some(body) => Some(("text/plain", self.text(body, &below("body"))?)),
                None => None,
            }
        };
        if let Some((kind, body)) = body {
            request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
            *request.body_mut() = Some(body.into());
        }
        for (name, value) in &step.headers {
            let at = path.to("headers").to(name.as_str());
            let value = self.text(value, &at)?;
            let parsed = name.parse::<HeaderName>().ok().zip(value.parse::<HeaderValue>().ok());
            let Some((name, value)) = parsed else {
                let message = format!("'{name}: {value}' is not a header field");
                return Err(StepError::broken(message, self.location(&at)));
            };
            request.headers_mut().insert(name, value);
        }
        Ok(request)
    }

    fn filled(&self, value: &Value, path: &YamlPath) -> Result<Value, StepError> {
        self.vars.render(value).map_err(|error| StepError::template(&error, self.location(path)))
    }

    /// A list is a repeated key.
    fn form(&self, form: &Map<String, Value>, path: &YamlPath) -> Result<String, StepError> {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        for (key, value) in form {
            match self.filled(value, path)? {
                Value::Array(list) => {
                    for value in list {
                        pairs.append_pair(key, &plain(&value));
                    }
                }
                value => {
                    pairs.append_pair(key, &plain(&value));
                }
            }
        }
        Ok(pairs.finish())
    }

    /// Compares the response, then keeps what the step saves.
    pub(super) fn answered(
        &self,
        step: &Request,
        answer: &ReceivedResponse,
        path: &YamlPath,
    ) -> Vec<Problem> {
        let ReceivedResponse(answer, crash) = answer;
        let mut problems = Vec::new();
        problems.extend(self.no_crash(step.crash.as_ref(), *crash, path));
        if let Some(wanted) = &step.response {
            let mut parts: Vec<(YamlPath, String, &Matcher, Option<&Value>)> = Vec::new();
            if let Some(matcher) = &wanted.status {
                parts.push((
                    YamlPath::new().to("status"),
                    "status".into(),
                    matcher,
                    answer.get("status"),
                ));
            }
            for (name, matcher) in &wanted.headers {
                let actual = &answer["headers"].get(name.to_ascii_lowercase());
                parts.push((
                    YamlPath::new().to("headers").to(name.as_str()),
                    format!("header {name}"),
                    matcher,
                    *actual,
                ));
            }
            if let Some(matcher) = &wanted.json {
                parts.push((
                    YamlPath::new().to("json"),
                    "JSON".into(),
                    matcher,
                    answer.get("json"),
                ));
            }
            if let Some(matcher) = &wanted.html {
                parts.push((
                    YamlPath::new().to("html"),
                    "page".into(),
                    matcher,
                    answer.get("html"),
                ));
            }
            if let Some(matcher) = &wanted.text {
                parts.push((
                    YamlPath::new().to("text"),
                    "text".into(),
                    matcher,
                    answer.get("text"),
                ));
            }
            for (below, name, matcher, actual) in parts {
                let location = self.location(&path.to("response").join(&below));
                problems.extend(self.part(&name, matcher, actual, answer).map(|p| p.at(location)));
            }
        }
        for (name, from) in &step.save {
            let found = from.parse::<Path>().ok().and_then(|from| from.get(answer).cloned());
            match found {
                Some(value) => self.vars.set(name, value),
                None => problems.push(
                    Problem::new(format!("the response has nothing at {from} to save as {name}"))
                        .differs(from, answer.to_string())
                        .at(self.location(&path.to("save").to(name.as_str()))),
                ),
            }
        }
        problems
    }

    /// What is wrong with one part of a response.
    fn part(
        &self,
        name: &str,
        matcher: &Matcher,
        actual: Option<&Value>,
        answer: &Value,
    ) -> Option<Problem> {
        let matcher = match matcher.render(&self.vars) {
            Ok(matcher) => matcher,
            Err(error) => return Some(Problem::new(error.to_string())),
        };
        let mismatches = matcher.check(actual.unwrap_or(&Value::Null));
        if mismatches.is_empty() {
            return None;
        }
        let shown = match actual {
            Some(Value::String(text)) => text.clone(),
            Some(value) => format!("{value:#}"),
            None => "nothing".into(),
        };
        let mut problem = Problem::new(format!("the response's {name} is not what was expected"))
            .differs(matcher.to_string(), shown);
        // A single difference at the top is what `expected` and `actual` say already.
        if mismatches.iter().any(|m| !m.path.is_empty()) {
            problem.mismatches = mismatches;
        }
        if name == "status" {
            problem.notes.push(format!("the body: {}", plain(&answer["text"])));
        }
        Some(problem)
    }
}

fn headers_say_html(answer: &Map<String, Value>) -> bool {
    let kind = answer.get("headers").and_then(|headers| headers.get("content-type"));
    kind.and_then(Value::as_str).is_some_and(|kind| kind.starts_with("text/html"))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
