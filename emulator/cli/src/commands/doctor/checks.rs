//! The checks: those that the template implies, for every backend, and those that rehearse.toml
//! adds for this one.

use std::collections::BTreeSet;

use jiff::{ToSpan as _, civil::Date};
use reqwest::Method;

use super::client::{Client, Request, Response};
use rehearse_aws::template::{self, Settings, Template};

/// Origin of the web page that preflights are sent for.
const ORIGIN: &str = "https://doctor.example";
/// The form of a webhook for a text that was never sent.
const TEXT: &str =
    "From=%2B15555550100&To=%2B15555550101&Body=&MessageSid=SM00000000000000000000000000000000";

/// How many days a check with `{day}` tries: no regular closing day lasts a week.
const DAYS: i32 = 7;

/// A request to the backend and what its response must be.
pub(crate) struct Check {
    pub(crate) name: String,
    /// Tried in this order; the check passes with the first response that is as expected.
    requests: Vec<Request>,
    expectation: Box<Expectation>,
}

/// Describes a response in a few words: `Ok` if it is as expected, `Err` if not.
type Expectation = dyn Fn(&Response) -> Result<String, String>;

/// The outcome of a check.
pub(crate) struct CheckResult {
    pub(crate) passed: bool,
    /// The response in a few words, such as its status.
    pub(crate) summary: String,
}

impl Check {
    fn new(
        name: impl Into<String>,
        request: Request,
        expectation: impl Fn(&Response) -> Result<String, String> + 'static,
    ) -> Self {
        Self { name: name.into(), requests: vec![request], expectation: Box::new(expectation) }
    }

    /// Sends the requests one after another until a response is as expected. A request without
    /// any response fails the check at once: the next one would fare no better.
    pub(crate) async fn run(&self, client: &Client) -> CheckResult {
        let mut summary = String::new();
        for request in &self.requests {
            let response = match client.send(request).await {
                Ok(response) => response,
                Err(summary) => return CheckResult { passed: false, summary },
            };
            match (self.expectation)(&response) {
                Ok(summary) => return CheckResult { passed: true, summary },
                Err(unexpected) => summary = unexpected,
            }
        }
        if self.requests.len() > 1 {
            let days = self.requests.len();
            summary = format!("on none of {days} days; the last one: {summary}");
        }
        CheckResult { passed: false, summary }
    }
}

/// All checks of a backend. `today` decides which dates the requests name.
pub(crate) fn all(template: &Template, settings: &Settings, today: Date) -> Vec<Check> {
    let mut checks = Vec::new();
    let webhook = settings.webhook_route();
    let forged = Request { form: Some(TEXT), ..Request::new(Method::POST, webhook) };
    checks.push(Check::new("an unsigned webhook is refused", forged.clone(), status(403)));
    // Only a function that has the auth token can tell that a signature is wrong.
    let signed = forged.with("x-twilio-signature", "bm90IHR3aWxpbydzIHNpZ25hdHVyZQ==");
    checks.push(Check::new("a webhook with a wrong signature is refused", signed, status(403)));
    checks.extend(routes(template, webhook));
    checks.extend(preflights(template, &settings.doctor.headers));
    let nowhere = Request::new(Method::GET, "/no-such-route-of-this-api");
    checks.push(Check::new("other paths lead nowhere", nowhere, status(404)));
    checks.extend(settings.doctor.checks.iter().map(|check| own_check(check, today)));
    checks
}

/// A check of rehearse.toml.
fn own_check(check: &template::Check, today: Date) -> Check {
    let (status_expected, text) = (status(check.status), check.contains.clone());
    let expectation = move |response: &Response| {
        let summary = status_expected(response)?;
        match &text {
            Some(text) if !response.body.contains(text) => Err(format!("{summary} without {text}")),
            _ => Ok(summary),
        }
    };
    let requests = paths(&check.get, today).into_iter();
    let requests = requests.map(|path| Request::new(Method::GET, path)).collect();
    Check { name: check.name.clone(), requests, expectation: Box::new(expectation) }
}

/// The paths that a path with `{tomorrow}` and `{day}` stands for: one for each of the next
/// [`DAYS`] days if it names a day, otherwise one.
fn paths(path: &str, today: Date) -> Vec<String> {
    // Past the end of the calendar there is no later day.
    let date = |days: i32| today.checked_add(days.days()).unwrap_or(today).to_string();
    let path = path.replace("{tomorrow}", &date(1));
    if !path.contains("{day}") {
        return vec![path];
    }
    (1..=DAYS).map(|days| path.replace("{day}", &date(days))).collect()
}

/// A GET of each route that allows it: the route leads to a function, and the function starts.
fn routes(template: &Template, webhook: &str) -> Vec<Check> {
    let routes = template.functions.iter().flat_map(|function| &function.routes);
    let safe = |route: &&template::Route| {
        matches!(route.method.as_str(), "GET" | "ANY")
            && route.path != webhook
            && !route.path.contains(['{', '$'])
    };
    let paths: BTreeSet<&str> = routes.filter(safe).map(|route| route.path.as_str()).collect();
    let check = |path: &str| {
        let request = Request::new(Method::GET, path);
        Check::new(format!("{path} answers"), request, |response| match response.status {
            404 | 500.. => Err(response.status.to_string()),
            status => Ok(status.to_string()),
        })
    };
    paths.into_iter().map(check).collect()
}

/// A preflight for each method of each path that takes preflights.
fn preflights(template: &Template, headers: &[String]) -> Vec<Check> {
    let routes: Vec<_> = template.functions.iter().flat_map(|f| &f.routes).collect();
    let mut checks = Vec::new();
    for preflight in routes.iter().filter(|route| route.method == "OPTIONS") {
        let path = &preflight.path;
        for route in routes.iter().filter(|r| r.path == *path && r.method != "OPTIONS") {
            let method = route.method.clone();
            let request = Request::new(Method::OPTIONS, path)
                .with("origin", ORIGIN)
                .with("access-control-request-method", &method)
                .with("access-control-request-headers", headers.join(", ").to_lowercase());
            let wanted = headers.to_vec();
            checks.push(Check::new(
                format!("a page may {method} {path}"),
                request,
                move |response: &Response| preflight_allows(response, &method, &wanted),
            ));
        }
    }
    checks
}

fn preflight_allows(
    response: &Response,
    method: &str,
    headers: &[String],
) -> Result<String, String> {
    if !(200..300).contains(&response.status) {
        return Err(response.status.to_string());
    }
    let list = |name: &str| -> Vec<String> {
        let values = response.headers.get_all(name).into_iter().filter_map(|v| v.to_str().ok());
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
        None => Ok(response.status.to_string()),
    }
}

fn status(expected: u16) -> impl Fn(&Response) -> Result<String, String> {
    move |response| {
        let status = response.status;
        if status == expected {
            Ok(status.to_string())
        } else {
            Err(format!("{status}, not {expected}"))
        }
    }
}
