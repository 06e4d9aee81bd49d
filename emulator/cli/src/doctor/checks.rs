//! What is checked: of every backend, by its template, and of this one, by rehearse.toml.

use std::collections::BTreeSet;

use jiff::{ToSpan as _, Zoned, tz::TimeZone};
use reqwest::Method;

use super::ask::{Answer, Ask, Client};
use rehearse_aws::template::{Settings, Template};

/// Where a browser's page would be.
const ORIGIN: &str = "https://doctor.example";
/// A text that nobody sent.
const TEXT: &str =
    "From=%2B15555550100&To=%2B15555550101&Body=&MessageSid=SM00000000000000000000000000000000";

/// One thing that must be so.
pub(super) struct Check {
    pub(super) name: String,
    ask: Ask,
    judge: Box<Judge>,
}

/// Says what came, and whether it is right.
type Judge = dyn Fn(&Answer) -> Result<String, String>;

/// How a check went.
pub(super) struct Examined {
    pub(super) passed: bool,
    /// What came, in short.
    pub(super) came: String,
}

impl Check {
    fn new(
        name: impl Into<String>,
        ask: Ask,
        judge: impl Fn(&Answer) -> Result<String, String> + 'static,
    ) -> Self {
        Self { name: name.into(), ask, judge: Box::new(judge) }
    }

    pub(super) async fn run(&self, client: &Client) -> Examined {
        let judged = client.ask(&self.ask).await.and_then(|answer| (self.judge)(&answer));
        match judged {
            Ok(came) => Examined { passed: true, came },
            Err(came) => Examined { passed: false, came },
        }
    }
}

/// All checks of a backend.
pub(super) fn all(template: &Template, settings: &Settings) -> Vec<Check> {
    let mut checks = Vec::new();
    let webhook = settings.webhook_route();
    let forged = Ask { form: Some(TEXT), ..Ask::new(Method::POST, webhook) };
    checks.push(Check::new("an unsigned webhook is refused", forged.clone(), status(403)));
    // It needs the token to know: 403 says that the function has it.
    let signed = forged.with("x-twilio-signature", "bm90IHR3aWxpbydzIHNpZ25hdHVyZQ==");
    checks.push(Check::new("a webhook with a wrong signature is refused", signed, status(403)));
    checks.extend(routes(template, webhook));
    checks.extend(preflights(template, &settings.doctor.headers));
    let nowhere = Ask::new(Method::GET, "/no-such-route-of-this-api");
    checks.push(Check::new("other paths lead nowhere", nowhere, status(404)));
    for check in &settings.doctor.checks {
        let ask = Ask::new(Method::GET, check.get.replace("{tomorrow}", &tomorrow()));
        let (expected, text) = (check.status, check.contains.clone());
        checks.push(Check::new(&check.name, ask, move |answer| {
            let came = status(expected)(answer)?;
            match &text {
                Some(text) if !answer.body.contains(text) => Err(format!("{came} without {text}")),
                _ => Ok(came),
            }
        }));
    }
    checks
}

/// Each route that a GET may try: it leads to a function, and that one starts.
fn routes(template: &Template, webhook: &str) -> Vec<Check> {
    let routes = template.functions.iter().flat_map(|function| &function.routes);
    let safe = |route: &&rehearse_aws::template::Route| {
        matches!(route.method.as_str(), "GET" | "ANY")
            && route.path != webhook
            && !route.path.contains(['{', '$'])
    };
    let paths: BTreeSet<&str> = routes.filter(safe).map(|route| route.path.as_str()).collect();
    let check = |path: &str| {
        let ask = Ask::new(Method::GET, path);
        Check::new(format!("{path} answers"), ask, |answer| match answer.status {
            404 | 500.. => Err(answer.status.to_string()),
            status => Ok(status.to_string()),
        })
    };
    paths.into_iter().map(check).collect()
}

/// Each method of each path that answers preflights.
fn preflights(template: &Template, headers: &[String]) -> Vec<Check> {
    let routes: Vec<_> = template.functions.iter().flat_map(|f| &f.routes).collect();
    let mut checks = Vec::new();
    for preflight in routes.iter().filter(|route| route.method == "OPTIONS") {
        let path = &preflight.path;
        for route in routes.iter().filter(|r| r.path == *path && r.method != "OPTIONS") {
            let method = route.method.clone();
            let ask = Ask::new(Method::OPTIONS, path)
                .with("origin", ORIGIN)
                .with("access-control-request-method", &method)
                .with("access-control-request-headers", headers.join(", ").to_lowercase());
            let wanted = headers.to_vec();
            checks.push(Check::new(
                format!("a page may {method} {path}"),
                ask,
                move |answer: &Answer| preflight_allows(answer, &method, &wanted),
            ));
        }
    }
    checks
}

fn preflight_allows(answer: &Answer, method: &str, headers: &[String]) -> Result<String, String> {
    if !(200..300).contains(&answer.status) {
        return Err(answer.status.to_string());
    }
    let list = |name: &str| -> Vec<String> {
        let values = answer.headers.get_all(name).into_iter().filter_map(|v| v.to_str().ok());
        values.flat_map(|value| value.split(',')).map(|v| v.trim().to_lowercase()).collect()
    };
    let origins = list("access-control-allow-origin");
    if origins != ["*"] && origins != [ORIGIN] {
        return Err("no access-control-allow-origin for other pages".into());
    }
    let methods = list("access-control-allow-methods");
    if !methods.iter().any(|allowed| *allowed == method.to_lowercase() || allowed == "*") {
        return Err(format!("access-control-allow-methods lacks {method}"));
    }
    let allowed = list("access-control-allow-headers");
    match headers.iter().find(|header| !allowed.contains(&header.to_lowercase())) {
        Some(header) => Err(format!("access-control-allow-headers lacks {header}")),
        None => Ok(answer.status.to_string()),
    }
}

fn status(expected: u16) -> impl Fn(&Answer) -> Result<String, String> {
    move |answer| {
        let came = answer.status.to_string();
        if answer.status == expected { Ok(came) } else { Err(format!("{came}, not {expected}")) }
    }
}

/// By the calendar of this machine's clock.
fn tomorrow() -> String {
    let now = Zoned::now().with_time_zone(TimeZone::UTC);
    now.checked_add(1.day()).unwrap_or(now).date().to_string()
}
