//! CORS by the API: `CorsConfiguration` of an HTTP API, `Cors` of a REST API.

use crate::template::intrinsic::kind_of;
use crate::template::resolve::TemplateError;
use rehearse_core::yaml::tree::{Node, Value};

/// What an API tells browsers. Lists are as they stand in headers, `GET,POST`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors {
    /// Who may call.
    pub origins: Origins,
    /// Methods.
    pub methods: Option<String>,
    /// Request headers.
    pub headers: Option<String>,
    /// Response headers that scripts may read.
    pub expose: Option<String>,
    /// Whether cookies and Authorization may be sent.
    pub credentials: bool,
    /// Seconds for which an answer to a preflight holds.
    pub max_age: Option<u64>,
}

/// Origins that may call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(pub Vec<String>);

impl Origins {
    /// What `Access-Control-Allow-Origin` says to this origin, if it may call.
    pub fn allowed(&self, origin: &str) -> Option<String> {
        let allowed = self.0.iter().find(|allowed| match allowed.as_str() {
            "*" => true,
            "https://*" => origin.starts_with("https://"),
            "http://*" => origin.starts_with("http://"),
            exact => exact == origin,
        })?;
        Some(if allowed == "*" { "*" } else { origin }.to_owned())
    }
}

/// `true`, an origin, or a map of what is allowed; `false` is none.
pub(super) fn read(node: &Node) -> Result<Option<Cors>, TemplateError> {
    match (&node.value, node.scalar()) {
        (Value::Bool(false) | Value::Null, _) => Ok(None),
        (Value::Bool(true), _) => Ok(Some(all("*"))),
        (_, Some(origin)) if origin == "true" => Ok(Some(all("*"))),
        (_, Some(origin)) => Ok(Some(all(&unquoted(&origin)))),
        (Value::Map(_), _) => map(node).map(Some),
        _ => {
            let message = format!("CORS is true, an origin or a map, not {}", kind_of(node));
            Err(TemplateError::invalid(node.at, message))
        }
    }
}

fn all(origin: &str) -> Cors {
    Cors { origins: Origins(vec![origin.to_owned()]), ..Cors::default() }
}

fn map(node: &Node) -> Result<Cors, TemplateError> {
    let mut cors = Cors::default();
    for entry in node.as_map().unwrap_or_default() {
        let value = &entry.value;
        let list = || match (value.as_list(), value.scalar()) {
            (Some(list), _) => Ok(list.iter().filter_map(Node::scalar).collect::<Vec<_>>()),
            (None, Some(text)) => Ok(vec![unquoted(&text)]),
            (None, None) => {
                let message = format!("{} is a list, not {}", entry.key, kind_of(value));
                Err(TemplateError::invalid(value.at, message))
            }
        };
        match entry.key.as_str() {
            // A REST API has one origin, an HTTP API a list.
            "AllowOrigins" | "AllowOrigin" => cors.origins = Origins(list()?),
            "AllowMethods" => cors.methods = Some(list()?.join(",")),
            "AllowHeaders" => cors.headers = Some(list()?.join(",")),
            "ExposeHeaders" => cors.expose = Some(list()?.join(",")),
            "AllowCredentials" => cors.credentials = value.scalar().as_deref() == Some("true"),
            "MaxAge" => {
                let seconds = value.scalar().and_then(|text| unquoted(&text).parse().ok());
                cors.max_age = Some(seconds.ok_or_else(|| {
                    TemplateError::invalid(value.at, "MaxAge is a number of seconds")
                })?);
            }
            other => {
                let known = [
                    "AllowOrigins",
                    "AllowOrigin",
                    "AllowMethods",
                    "AllowHeaders",
                    "ExposeHeaders",
                    "AllowCredentials",
                    "MaxAge",
                ];
                let hint = rehearse_core::names::hint(other, known);
                return Err(TemplateError::invalid(
                    entry.at,
                    format!("CORS has no `{other}`{hint}"),
                ));
            }
        }
    }
    if cors.credentials && cors.origins.0.iter().any(|origin| origin == "*") {
        let message = "AllowCredentials needs origins by name; with `*` AWS refuses it";
        return Err(TemplateError::invalid(node.at, message));
    }
    Ok(cors)
}

/// Values of a REST API's CORS stand in single quotes of their own.
fn unquoted(text: &str) -> String {
    text.trim().trim_matches('\'').to_owned()
}
