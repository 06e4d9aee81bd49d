//! Payload format 2.0: duplicates are joined with commas, cookies have a list of their own, and what
//! is absent is left out.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Serialize;

use super::{ACCOUNT, EventContext, domain, headers, query, to_json};
use crate::gateway::{request::Request, route::RouteMatch, stage::StageMatch};

/// The event as JSON. It is the format of nearly every request, so it is written from the request's
/// own parts without a tree of values in between.
pub(super) fn build(
    request: &Request,
    matched: &StageMatch<'_>,
    route: &RouteMatch<'_>,
    context: &EventContext,
) -> String {
    let (api, path) = (&matched.stage.api, matched.raw_path());
    let mut headers = headers(request, matched, context);
    let cookies = headers.iter().position(|(name, _)| *name == "cookie");
    let cookies = cookies.map(|at| headers.remove(at).1);
    let cookies = cookies.as_ref().map(|lines| {
        let cookies = lines.iter().flat_map(|line| line.split(';')).map(str::trim);
        cookies.filter(|cookie| !cookie.is_empty()).collect()
    });
    let query = query(request);
    let query: Vec<(&str, Cow<'_, str>)> =
        query.iter().map(|(name, values)| (name.as_str(), values.join(",").into())).collect();
    let (domain_name, domain_prefix) = domain(request);
    let body = request.event_body();
    let source_ip = request.client.ip().to_string();
    let event = Event {
        version: "2.0",
        route_key: route.key(),
        raw_path: &path,
        raw_query_string: &request.query,
        cookies,
        headers: Map(headers.into_iter().map(|(name, values)| (name, joined(values))).collect()),
        query_string_parameters: (!query.is_empty()).then_some(Map(query)),
        request_context: RequestContext {
            account_id: ACCOUNT,
            api_id: api.url_id(),
            domain_name,
            domain_prefix,
            http: Http {
                method: request.method.as_str(),
                path: &path,
                protocol: request.protocol(),
                source_ip: &source_ip,
                user_agent: request.user_agent(),
            },
            request_id: &context.request_id,
            route_key: route.key(),
            stage: &api.stage,
            time: context.log_time(),
            time_epoch: context.now.as_millisecond(),
        },
        path_parameters: Some(&route.parameters).filter(|parameters| !parameters.is_empty()),
        stage_variables: Some(&api.variables).filter(|variables| !variables.is_empty()),
        is_base64_encoded: body.as_ref().is_some_and(|(_, base64)| *base64),
        body: body.map(|(body, _)| body),
    };
    to_json(&event)
}

fn joined(mut values: Vec<Cow<'_, str>>) -> Cow<'_, str> {
    match values.len() {
        1 => values.swap_remove(0),
        _ => values.join(",").into(),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    version: &'a str,
    route_key: &'a str,
    raw_path: &'a str,
    raw_query_string: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cookies: Option<Vec<&'a str>>,
    headers: Map<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query_string_parameters: Option<Map<'a>>,
    request_context: RequestContext<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_parameters: Option<&'a BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage_variables: Option<&'a BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    account_id: &'a str,
    api_id: String,
    domain_name: &'a str,
    domain_prefix: &'a str,
    http: Http<'a>,
    request_id: &'a str,
    route_key: &'a str,
    stage: &'a str,
    time: String,
    time_epoch: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    method: &'a str,
    path: &'a str,
    protocol: &'a str,
    source_ip: &'a str,
    user_agent: Cow<'a, str>,
}

/// Pairs as a map, in their order.
struct Map<'a>(Vec<(&'a str, Cow<'a, str>)>);

impl Serialize for Map<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
