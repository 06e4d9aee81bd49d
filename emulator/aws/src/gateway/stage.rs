//! Which API a request is for: by its Host, and by how its path begins.
//!
//! A custom domain is mapped to one API. A named stage is the first segment of the path; `$default`
//! needs none. `<api>.localhost` and `<api>.execute-api...` are the hosts of one API; any other host,
//! such as `127.0.0.1`, is a host of every API. A function URL beside other APIs has a path of its own there,
//! `/_url/<logical id of the URL>`, since it would take every path that they refuse.

use std::borrow::Cow;

use http::Method;

use super::{gateway_error::GatewayError, route::Routes};
use crate::template::{Api, ApiKind};

/// An API as it is deployed.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) api: Api,
    pub(super) routes: Routes,
}

/// Every API, in the template's order.
#[derive(Debug, Default)]
pub(super) struct Stages(Vec<Stage>);

/// The API that a request is for.
#[derive(Debug, Clone)]
pub(super) struct StageMatch<'a> {
    pub(super) stage: &'a Stage,
    /// The path after the stage or the mapping, as it was received; may be empty.
    rest: &'a str,
    /// The mapping of a custom domain: empty, or `/v1`.
    mapping: Option<String>,
}

impl Stages {
    pub(super) fn new(stages: Vec<Stage>) -> Self {
        Self(stages)
    }

    /// Finds the API that a request is for.
    ///
    /// # Errors
    /// When no stage and no mapping serves the path: the kind of API that the request must have
    /// meant, and its error.
    pub(super) fn find<'a>(
        &'a self,
        host: &str,
        method: &Method,
        path: &'a str,
    ) -> Result<StageMatch<'a>, (ApiKind, GatewayError)> {
        if let [stage] = self.0.as_slice()
            && stage.api.domain.is_none()
        {
            // The only API has every host.
            if let Some(url) = self.function_url(path) {
                return Ok(url);
            }
            let rest = below(&stage.api.stage_path(), path);
            let matched = rest.map(|rest| StageMatch { stage, rest, mapping: None });
            return matched.ok_or((stage.api.kind, GatewayError::NoStage));
        }
        let name = name(host);
        if let Some(kind) = self.on_domain(&name).map(|(stage, _)| stage.api.kind).next() {
            return self.mapped(&name, path).ok_or((kind, GatewayError::NoStage));
        }
        let own: Vec<&Stage> = self.0.iter().filter(|stage| stage.is_called(&name)).collect();
        let asked = if own.is_empty() {
            if let Some(url) = self.function_url(path) {
                return Ok(url);
            }
            self.without_name()
        } else {
            own
        };
        // A path that names a stage means that stage.
        let (named, default): (Vec<&Stage>, Vec<&Stage>) =
            asked.iter().partition(|stage| !stage.api.stage_path().is_empty());
        let mut matches = Vec::new();
        for stage in named.into_iter().chain(default) {
            if let Some(rest) = below(&stage.api.stage_path(), path) {
                matches.push(StageMatch { stage, rest, mapping: None });
            }
        }
        let serves = |matched: &StageMatch<'_>| {
            matched.stage.routes.find(method, matched.path()).is_some()
                || (*method == Method::OPTIONS && matched.stage.api.cors.is_some())
        };
        let at = match matches.len() {
            0 => {
                let kind = asked.first().map_or(ApiKind::Http, |stage| stage.api.kind);
                return Err((kind, GatewayError::NoStage));
            }
            1 => 0,
            _ => matches.iter().position(serves).unwrap_or(0),
        };
        Ok(matches.swap_remove(at))
    }

    /// The APIs of a host that is nobody's own. A function URL takes every path, so it is among them only where
    /// it is alone.
    fn without_name(&self) -> Vec<&Stage> {
        let apis: Vec<&Stage> = self.0.iter().filter(|stage| !stage.api.is_function_url).collect();
        if apis.is_empty() { self.0.iter().collect() } else { apis }
    }

    /// The function URL that a path names: `/_url/SmsUrl/...`.
    fn function_url<'a>(&'a self, path: &'a str) -> Option<StageMatch<'a>> {
        let mut urls = self.0.iter().filter(|stage| stage.api.is_function_url);
        urls.find_map(|stage| {
            let rest = below(&stage.api.function_url_path(), path)?;
            Some(StageMatch { stage, rest, mapping: None })
        })
    }

    /// The kind of API that a request is for, if it cannot be read whole.
    pub(super) fn kind(&self, host: &str, path: &str) -> ApiKind {
        match self.find(host, &Method::GET, path) {
            Ok(matched) => matched.stage.api.kind,
            Err((kind, _)) => kind,
        }
    }

    /// Whether there is an API of this kind.
    pub(super) fn any(&self, kind: ApiKind) -> bool {
        self.0.iter().any(|stage| stage.api.kind == kind)
    }

    /// The longest of a domain's mappings that the path begins with.
    fn mapped<'a>(&'a self, name: &str, path: &'a str) -> Option<StageMatch<'a>> {
        let mappings = self.on_domain(name).filter_map(|(stage, base)| {
            let mapping = if base.is_empty() { String::new() } else { format!("/{base}") };
            let rest = below(&mapping, path)?;
            Some(StageMatch { stage, rest, mapping: Some(mapping) })
        });
        mappings.max_by_key(|matched| matched.mapping.as_ref().map_or(0, String::len))
    }

    fn on_domain(&self, name: &str) -> impl Iterator<Item = (&Stage, &str)> {
        self.0.iter().flat_map(move |stage| {
            let domain = stage.api.domain.as_ref().filter(|domain| domain.name == name);
            let paths = domain.into_iter().flat_map(|domain| &domain.base_paths);
            paths.map(move |path| (stage, path.as_str()))
        })
    }
}

impl Stage {
    /// Whether this is a host of this API alone.
    fn is_called(&self, name: &str) -> bool {
        name.split_once('.').is_some_and(|(label, rest)| {
            label == self.api.url_id()
                && (rest == "localhost"
                    || rest.starts_with("execute-api.")
                    || rest.starts_with("lambda-url."))
        })
    }
}

impl StageMatch<'_> {
    /// Whether the client used a custom domain.
    pub(super) fn is_mapped(&self) -> bool {
        self.mapping.is_some()
    }

    /// The path that routes are matched with.
    pub(super) fn path(&self) -> &str {
        or_root(self.rest)
    }

    /// The path in an HTTP API's events of format 2.0: with a named stage, without a mapping.
    pub(super) fn raw_path(&self) -> Cow<'_, str> {
        self.path_below(self.stage.api.stage_path())
    }

    /// The path in events of format 1.0: with the mapping, or else with a named stage.
    pub(super) fn whole_path(&self) -> Cow<'_, str> {
        match &self.mapping {
            Some(mapping) => self.path_below(mapping.clone()),
            None => self.raw_path(),
        }
    }

    /// The path in a REST API's events: with the mapping, without the stage.
    pub(super) fn rest_path(&self) -> Cow<'_, str> {
        self.path_below(self.mapping.clone().unwrap_or_default())
    }

    fn path_below(&self, mut prefix: String) -> Cow<'_, str> {
        if prefix.is_empty() {
            return self.path().into();
        }
        prefix.push_str(self.rest);
        prefix.into()
    }
}

fn or_root(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}

/// What follows a prefix of whole segments.
pub(super) fn below<'a>(prefix: &str, path: &'a str) -> Option<&'a str> {
    path.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A host's name without its port.
fn name(host: &str) -> String {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    name.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{Domain, Route};

    fn stage(api: Api, routes: &[&str]) -> Stage {
        let mut table = Routes::new(api.kind);
        routes.iter().for_each(|path| table.add(&Route::new("GET", path), None, 0));
        Stage { api, routes: table }
    }

    fn domain(name: &str, paths: &[&str]) -> Option<Domain> {
        let base_paths = paths.iter().map(|path| (*path).to_owned()).collect();
        Some(Domain { name: name.into(), base_paths })
    }

    fn stages() -> Stages {
        let prod = Api { stage: "prod".into(), ..Api::http("Shop") };
        Stages::new(vec![
            stage(Api::http("Web"), &["/pets", "/only-web"]),
            stage(Api { domain: domain("a.example", &["", "v1"]), ..prod }, &["/pets"]),
            stage(
                Api { domain: domain("b.example", &["v1/x", "v1"]), ..Api::rest("Old", "Prod") },
                &["/pets"],
            ),
        ])
    }

    /// The API, and the path as routes and the three formats have it.
    fn at(host: &str, path: &str) -> [String; 5] {
        let stages = stages();
        let matched = stages.find(host, &Method::GET, path).unwrap();
        let id = matched.stage.api.id.clone();
        let paths = [matched.raw_path(), matched.whole_path(), matched.rest_path()];
        let [raw, whole, rest] = paths.map(|path| path.into_owned());
        [id, matched.path().into(), raw, whole, rest]
    }

    #[test]
    fn a_named_stage_is_in_the_path_and_default_is_not() {
        assert_eq!(at("127.0.0.1:4000", "/pets"), ["Web", "/pets", "/pets", "/pets", "/pets"]);
        let named = ["Shop", "/pets", "/prod/pets", "/prod/pets", "/pets"];
        assert_eq!(at("127.0.0.1:4000", "/prod/pets"), named);
        assert_eq!(at("127.0.0.1", "/Prod/pets")[0], "Old");
        assert_eq!(at("x", "/prod"), ["Shop", "/", "/prod", "/prod", "/"]);
        // No stage of that name: then it is a path.
        assert_eq!(at("x", "/production/pets")[..2], ["Web", "/production/pets"]);
    }

    #[test]
    fn a_custom_domain_is_mapped_by_the_longest_of_its_paths() {
        let mapped = ["Shop", "/pets", "/prod/pets", "/v1/pets", "/v1/pets"];
        assert_eq!(at("A.example.:443", "/v1/pets"), mapped);
        assert_eq!(at("a.example", "/pets"), ["Shop", "/pets", "/prod/pets", "/pets", "/pets"]);
        // `/v12` is not below `/v1`.
        assert_eq!(at("a.example", "/v12/pets")[1], "/v12/pets");
        assert_eq!(at("b.example", "/v1/x/pets")[1], "/pets");
        assert_eq!(at("b.example", "/v1/pets")[1], "/pets");
        let stages = stages();
        let lost = stages.find("b.example", &Method::GET, "/pets").unwrap_err();
        assert_eq!(lost, (ApiKind::Rest, GatewayError::NoStage));
    }

    #[test]
    fn function_urls_beside_an_api_have_hosts_and_paths_of_their_own() {
        let url = |id: &str| Api { is_function_url: true, ..Api::http(id) };
        let routes = |api| stage(api, &["$default"]);
        let web = || stage(Api::http("Web"), &["/pets"]);
        let stages = Stages::new(vec![web(), routes(url("AUrl")), routes(url("BUrl"))]);
        let at = |host, path| {
            let matched = stages.find(host, &Method::GET, path).unwrap();
            (matched.stage.api.id.clone(), matched.raw_path().into_owned())
        };
        let is = |id: &str, path: &str| (id.to_owned(), path.to_owned());
        // What the API has no route for stays the API's to refuse.
        assert_eq!(at("127.0.0.1:4000", "/dogs"), is("Web", "/dogs"));
        assert_eq!(at("127.0.0.1:4000", "/_url/AUrl/dogs"), is("AUrl", "/dogs"));
        assert_eq!(at("127.0.0.1:4000", "/_url/BUrl"), is("BUrl", "/"));
        assert_eq!(at("burl.localhost:4000", "/dogs"), is("BUrl", "/dogs"));
        let alone = Stages::new(vec![routes(url("AUrl"))]);
        assert_eq!(alone.find("x", &Method::GET, "/dogs").unwrap().stage.api.id, "AUrl");
        let two = Stages::new(vec![routes(url("AUrl")), routes(url("BUrl"))]);
        assert_eq!(two.find("x", &Method::GET, "/_url/BUrl/x").unwrap().stage.api.id, "BUrl");
    }

    #[test]
    fn a_host_may_be_one_apis_own() {
        assert_eq!(at("shop.localhost:4000", "/prod/pets")[0], "Shop");
        assert_eq!(at("web.execute-api.us-east-1.amazonaws.com", "/pets")[0], "Web");
        let stages = stages();
        let lost = stages.find("old.localhost", &Method::GET, "/pets").unwrap_err();
        assert_eq!(lost, (ApiKind::Rest, GatewayError::NoStage));
        assert_eq!(stages.kind("old.localhost", "/Prod/x"), ApiKind::Rest);
        assert_eq!(stages.kind("x", "/only-web"), ApiKind::Http);
    }
}
