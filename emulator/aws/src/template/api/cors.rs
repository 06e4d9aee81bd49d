//! CORS by the API: `CorsConfiguration` of an HTTP API, `Cors` of a REST API.

use crate::template::intrinsic::kind_of;
use crate::template::resolve::TemplateError;
use rehearse_core::yaml::tree::{Node, Value};

/// The CORS configuration of an API. Lists are as in headers: `GET,POST`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors {
    /// The origins that may call.
    pub origins: Origins,
    /// The methods that they may use.
    pub methods: Option<String>,
    /// The request headers that they may send.
    pub headers: Option<String>,
    /// The response headers that scripts may read.
    pub expose: Option<String>,
    /// Whether cookies and Authorization may be sent.
    pub credentials: bool,
    /// For how many seconds browsers may cache a preflight response.
    pub max_age: Option<u64>,
}

/// Origins that may call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(pub Vec<String>);

impl Origins {
    /// The value of `Access-Control-Allow-Origin` for an origin, if it may call.
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

/// Reads `true`, an origin, or a map of what is allowed; `false` is none.
pub(in crate::template) fn read(node: &Node) -> Result<Option<Cors>, TemplateError> {
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

/// A value of a REST API's CORS without the single quotes that it has.
fn unquoted(text: &str) -> String {
    text.trim().trim_matches('\'').to_owned()
}
