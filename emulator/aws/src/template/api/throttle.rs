//! Throttling: `DefaultRouteSettings` and `RouteSettings` of an HTTP API,
//! `MethodSettings` of a REST API.

use rehearse_core::yaml::Location;
use rehearse_core::yaml::tree::{Entry, Node};

use super::{ApiKind, ApiReader};
use crate::template::{resolve::TemplateError, route::Route};
use rehearse_core::names::hint;

/// AWS's limits for an account, which hold if the template sets none.
const ACCOUNT: Throttle = Throttle { burst: 5_000, rate: 10_000.0 };

/// How many requests a route takes, as a token bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Throttle {
    /// The size of the bucket: requests at once.
    pub burst: u32,
    /// The rate at which it is filled: requests a second.
    pub rate: f64,
}

/// The throttles of an API's routes, the most specific first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Throttling {
    rules: Vec<ThrottleRule>,
    /// Whether no route has a throttle, not even one of its own.
    off: bool,
}

#[derive(Debug, Clone, PartialEq)]
struct ThrottleRule {
    /// `*` is any.
    method: String,
    /// `*` is any.
    path: String,
    throttle: Throttle,
}

/// A setting for one route, which must exist.
#[derive(Debug)]
pub(super) struct RouteSetting {
    pub(super) api: String,
    key: String,
    at: Location,
}

impl Throttling {
    /// No throttle on any route.
    pub(super) fn none() -> Self {
        Self { off: true, ..Self::default() }
    }

    /// The throttle of a route, if there is one: its own, or else the API's.
    pub fn of_route(&self, route: &Route) -> Option<Throttle> {
        let own = route.throttle.filter(|_| !self.off);
        own.or_else(|| self.of(&route.method, &route.path))
    }

    /// The API's throttle of a method and path.
    fn of(&self, method: &str, path: &str) -> Option<Throttle> {
        let fits = |rule: &&ThrottleRule| {
            (rule.path == "*" || rule.path == path) && (rule.method == "*" || rule.method == method)
        };
        self.rules.iter().find(fits).map(|rule| rule.throttle)
    }

    fn add(&mut self, method: &str, path: &str, throttle: Option<Throttle>) {
        let Some(throttle) = throttle else { return };
        self.rules.push(ThrottleRule { method: method.into(), path: path.into(), throttle });
        self.rules.sort_by_key(|rule| (rule.path == "*", rule.method == "*"));
    }
}

impl RouteSetting {
    /// Fails if the route is not there, as AWS does.
    pub(super) fn check<'a>(
        &self,
        routes: impl Iterator<Item = &'a Route>,
    ) -> Result<(), TemplateError> {
        let keys: Vec<String> = routes.map(Route::key).collect();
        if keys.contains(&self.key) {
            return Ok(());
        }
        let hint = hint(&self.key, keys.iter().map(String::as_str));
        let message = format!("{} has no route `{}`{hint}", self.api, self.key);
        Err(TemplateError::invalid(self.at, message))
    }
}

pub(super) fn read(
    reader: &ApiReader<'_>,
    id: &str,
    settings: &mut Vec<RouteSetting>,
) -> Result<Throttling, TemplateError> {
    if reader.kind == ApiKind::Rest {
        let methods = reader.property("MethodSettings")?;
        return of_methods(methods.as_ref().and_then(Node::as_list).unwrap_or_default());
    }
    let mut throttling = Throttling::default();
    if let Some(default) = reader.property("DefaultRouteSettings")? {
        throttling.add("*", "*", throttle(&default)?);
    }
    let routes = reader.property("RouteSettings")?;
    for Entry { key, at, value } in routes.as_ref().and_then(Node::as_map).unwrap_or_default() {
        let (method, path) = key.split_once(' ').unwrap_or(("ANY", key));
        throttling.add(method, path, throttle(value)?);
        settings.push(RouteSetting { api: id.into(), key: key.clone(), at: *at });
    }
    Ok(throttling)
}

/// The throttling of `MethodSettings`.
pub(in crate::template) fn of_methods(methods: &[Node]) -> Result<Throttling, TemplateError> {
    let mut throttling = Throttling::default();
    for method in methods {
        let part = |name| method.get(name).and_then(Node::scalar).unwrap_or("*".into());
        throttling.add(&part("HttpMethod"), &path(&part("ResourcePath")), throttle(method)?);
    }
    Ok(throttling)
}

/// The throttling of `DefaultRouteSettings`.
pub(in crate::template) fn of_all(settings: &Node) -> Result<Throttling, TemplateError> {
    let mut throttling = Throttling::default();
    throttling.add("*", "*", throttle(settings)?);
    Ok(throttling)
}

/// `/~1state~1{id}` or `/state/{id}`; `/*` is every path.
fn path(text: &str) -> String {
    match text {
        "*" | "/*" => "*".into(),
        text => text.replace("/~1", "/").replace("~1", "/"),
    }
}

/// Reads a throttle; what is left out is the account's.
pub(in crate::template) fn throttle(node: &Node) -> Result<Option<Throttle>, TemplateError> {
    let number = |name: &str| -> Result<Option<f64>, TemplateError> {
        let Some(value) = node.get(name) else { return Ok(None) };
        let number = value.scalar().and_then(|text| text.parse::<f64>().ok());
        let valid = number.filter(|number| number.is_finite() && *number >= 0.0);
        let message = || format!("{name} is a number of requests");
        valid.map(Some).ok_or_else(|| TemplateError::invalid(value.at, message()))
    };
    let burst = number("ThrottlingBurstLimit")?;
    let rate = number("ThrottlingRateLimit")?;
    if burst.is_none() && rate.is_none() {
        return Ok(None);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked above to be finite and not negative; a cast saturates"
    )]
    let burst = burst.map_or(ACCOUNT.burst, |burst| burst as u32);
    Ok(Some(Throttle { burst, rate: rate.unwrap_or(ACCOUNT.rate) }))
}
