//! `request:`

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use super::{CrashRequest, StepKind, short};
use crate::{
    check::{BackendCheck, Check},
    external, html,
    places::YamlPath,
    run::{Running, StepError},
};
use rehearse_core::matcher::{self, Matcher};

/// A call through API Gateway.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// `POST /scheduler`.
    pub request: RequestLine,
    /// Header fields.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A JSON body.
    #[serde(default)]
    pub json: Option<Value>,
    /// A form body.
    #[serde(default)]
    pub form: Option<serde_json::Map<String, Value>>,
    /// A body as it is; its Content-Type is among the headers.
    #[serde(default)]
    pub body: Option<String>,
    /// A function ends while the call is answered.
    #[serde(default)]
    pub crash: Option<CrashRequest>,
    /// What must come back.
    #[serde(default)]
    pub response: Option<Response>,
    /// Names for parts of the response: `{ ref: json.lead_id }`. The response has `status`,
    /// `headers` (lower case), `json`, `html` and `text`.
    #[serde(default)]
    pub save: BTreeMap<String, String>,
}

impl StepKind for Request {
    fn title(&self) -> String {
        format!("{} {}", self.request.method, short(&self.request.path))
    }

    fn check(&self, check: &mut Check<'_>, at: &YamlPath) {
        let bodies = [
            ("json", self.json.is_some()),
            ("form", self.form.is_some()),
            ("body", self.body.is_some()),
        ];
        let given: Vec<&str> = bodies.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
        if let [first, second, ..] = given.as_slice() {
            let message = format!("a request has one body: '{first}' or '{second}'");
            check.wrong_key(&at.to(*second), message);
        }
        for (name, path) in &self.save {
            let at = at.to("save").to(name.as_str());
            if let Err(error) = path.parse::<matcher::Path>() {
                check.wrong(&at, error.to_string());
            } else if !["status", "headers", "json", "html", "text"]
                .contains(&path.split(['.', '[']).next().unwrap_or_default())
            {
                check.wrong(&at, "a path begins with status, headers, json, html or text");
            }
        }
        if let Some(Matcher::Map(parts)) = self.response.as_ref().and_then(|r| r.html.as_ref()) {
            let at = at.to("response").to("html");
            for (part, _) in parts.iter().filter(|(part, _)| !html::PARTS.contains(&part.as_str()))
            {
                let message = format!("a page has {}, not '{part}'", html::PARTS.join(", "));
                check.wrong_key(&at.to(part.as_str()), message);
            }
        }
        if let Some(crash) = &self.crash {
            crash.check(check, &at.to("crash"));
        }
    }

    fn check_names(&self, check: &mut BackendCheck<'_>, at: &YamlPath) {
        check.crash(self.crash.as_ref(), at);
        // A Host may mean another API, and a refusal may be what is tested.
        let other_host = self.headers.keys().any(|name| name.eq_ignore_ascii_case("host"));
        let status = self.response.as_ref().and_then(|response| response.status.as_ref());
        let refused = status.is_some_and(|status| {
            let Matcher::Literal(status) = status else { return true };
            status.as_u64().is_none_or(|status| status >= 400)
        });
        if !other_host && !refused {
            check.route(&self.request, &at.to("request"));
        }
    }

    fn unsupported(&self, at: &YamlPath) -> Option<(YamlPath, &'static str)> {
        self.crash.is_some().then(|| (at.to("crash"), external::PROCESS))
    }

    fn delays(&self) -> bool {
        self.crash.as_ref().is_some_and(|crash| crash.timeout.is_some())
    }

    async fn run(
        &self,
        running: &mut Running<'_>,
        _: &str,
        path: &YamlPath,
    ) -> Result<(), StepError> {
        running.request(self, path).await
    }
}

/// A method and a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestLine {
    /// GET, POST and so on.
    pub method: http::Method,
    /// Path and query; may hold templates.
    pub path: String,
}

/// What must come back from a request.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// The status.
    #[serde(default)]
    pub status: Option<Matcher>,
    /// Header fields, whatever their case.
    #[serde(default)]
    pub headers: BTreeMap<String, Matcher>,
    /// The body as JSON.
    #[serde(default)]
    pub json: Option<Matcher>,
    /// The body as a page, read without its scripts and styles: `title`, `lang`, `text` (what a person
    /// reads: a line for each block, single spaces, nothing of a `hidden` element), `form` (the first)
    /// and `forms` (all). A form has `action` and `method` as they are written, `fields` (by name, what
    /// it would send if nothing is touched and no button named) and `choices` (by name, what may be
    /// chosen instead).
    #[serde(default)]
    pub html: Option<Matcher>,
    /// The body as text.
    #[serde(default)]
    pub text: Option<Matcher>,
}

impl<'de> Deserialize<'de> for RequestLine {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let line = text.split_once(' ').and_then(|(method, path)| {
            let known = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];
            let method = known.contains(&method).then(|| method.parse().ok())??;
            path.starts_with('/').then(|| Self { method, path: path.into() })
        });
        line.ok_or_else(|| {
            de::Error::custom(format_args!(
                "'{text}' is not a method and a path such as GET /state"
            ))
        })
    }
}

impl JsonSchema for RequestLine {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RequestLine".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A method and a path: GET /state",
            "pattern": "^(GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS) /",
        })
    }
}
