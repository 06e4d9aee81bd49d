//! The routes of an API, and which of them a request takes.
//!
//! A full match of the path goes before a greedy one (`{proxy+}`), and that before `$default`; of
//! two full or greedy matches, literal segments go before variables (`{id}`), from the left.
//!
//! An HTTP API looks at method and path together. A REST API finds the resource by its path first,
//! and a resource without the method has no route.

use std::{collections::BTreeMap, time::Duration, time::Instant};

use http::Method;
use percent_encoding::percent_decode_str;

use super::token_bucket::TokenBucket;
use crate::template::{ApiKind, Payload, Route, Throttle};

/// The routes of an API, and the function that each leads to.
#[derive(Debug)]
pub(super) struct Routes {
    kind: ApiKind,
    list: Vec<RouteEntry>,
}

#[derive(Debug)]
struct RouteEntry {
    method: String,
    pattern: Pattern,
    key: String,
    path: String,
    payload: Payload,
    timeout: Option<Duration>,
    bucket: Option<TokenBucket>,
    function: usize,
}

/// A route that matches a request.
#[derive(Debug, Clone)]
pub(super) struct RouteMatch<'a> {
    entry: &'a RouteEntry,
    /// Decoded values of the path's variables.
    pub(super) parameters: BTreeMap<String, String>,
}

#[derive(Debug, PartialEq, Eq)]
enum Pattern {
    Default,
    Segments(Vec<Segment>),
}

#[derive(Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Variable(String),
    Greedy(String),
}

/// How specific a match of a path is; greater is better. Literal segments are compared from the left.
type Rank = (PathMatch, Vec<bool>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum PathMatch {
    Default,
    Greedy,
    Full,
}

impl Routes {
    pub(super) fn new(kind: ApiKind) -> Self {
        Self { kind, list: Vec::new() }
    }

    /// Adds a route to the function at this position.
    pub(super) fn add(&mut self, route: &Route, throttle: Option<Throttle>, function: usize) {
        self.list.push(RouteEntry {
            method: route.method.clone(),
            pattern: Pattern::parse(without_slash(self.kind, &route.path)),
            key: route.key(),
            path: route.path.clone(),
            payload: route.payload,
            timeout: route.timeout,
            bucket: throttle.map(TokenBucket::new),
            function,
        });
    }

    /// The most specific route for a request's method and percent-encoded path.
    pub(super) fn find(&self, method: &Method, path: &str) -> Option<RouteMatch<'_>> {
        let matches = self.matching(path).filter_map(|(entry, rank, parameters)| {
            let exact = entry.method == method.as_str();
            let fits = exact || entry.method == "ANY";
            // A REST API chooses the resource before it looks at the method.
            if !fits && self.kind == ApiKind::Http {
                return None;
            }
            Some(((rank, fits, exact), (entry, parameters)))
        });
        let best = matches.max_by(|(a, _), (b, _)| a.cmp(b));
        let ((_, fits, _), (entry, parameters)) = best?;
        fits.then_some(RouteMatch { entry, parameters })
    }

    /// The methods of the resource at a path.
    pub(super) fn methods(&self, path: &str) -> Vec<String> {
        let best = self.matching(path).max_by(|(_, a, _), (_, b, _)| a.cmp(b));
        let Some((resource, ..)) = best else { return Vec::new() };
        let same = self.list.iter().filter(|entry| entry.pattern == resource.pattern);
        same.map(|entry| entry.method.clone()).collect()
    }

    fn matching<'a>(
        &'a self,
        path: &str,
    ) -> impl Iterator<Item = (&'a RouteEntry, Rank, BTreeMap<String, String>)> {
        let path = without_slash(self.kind, path);
        self.list.iter().filter_map(move |entry| {
            let (kind, literals, parameters) = entry.pattern.matches(self.kind, path)?;
            Some((entry, (kind, literals), parameters))
        })
    }
}

impl RouteMatch<'_> {
    /// `POST /dispatcher`, `ANY /{proxy+}`, `$default`.
    pub(super) fn key(&self) -> &str {
        &self.entry.key
    }

    /// The route's path as the template has it.
    pub(super) fn path(&self) -> &str {
        &self.entry.path
    }

    /// The format of its events.
    pub(super) fn payload(&self) -> Payload {
        self.entry.payload
    }

    /// How long the API waits for the function, if the route says so.
    pub(super) fn timeout(&self) -> Option<Duration> {
        self.entry.timeout
    }

    /// The function's position.
    pub(super) fn function(&self) -> usize {
        self.entry.function
    }

    /// Takes one more request now. Returns false if the route is throttled.
    pub(super) fn admit(&self, now: Instant) -> bool {
        self.entry.bucket.as_ref().is_none_or(|bucket| bucket.take(now))
    }
}

impl Pattern {
    fn parse(path: &str) -> Self {
        if path == "$default" {
            return Self::Default;
        }
        let segment = |part: &str| match part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
            Some(name) => match name.strip_suffix('+') {
                Some(name) => Segment::Greedy(name.into()),
                None => Segment::Variable(name.into()),
            },
            None => Segment::Literal(part.into()),
        };
        Self::Segments(segments(path).map(segment).collect())
    }

    fn matches(
        &self,
        kind: ApiKind,
        path: &str,
    ) -> Option<(PathMatch, Vec<bool>, BTreeMap<String, String>)> {
        let Self::Segments(pattern) = self else {
            return Some((PathMatch::Default, Vec::new(), BTreeMap::new()));
        };
        let mut parts: Vec<&str> = segments(path).collect();
        let mut literals = Vec::new();
        let mut parameters = BTreeMap::new();
        for (at, segment) in pattern.iter().enumerate() {
            let part = *parts.get(at)?;
            match segment {
                Segment::Literal(literal) if literal == part => literals.push(true),
                Segment::Literal(_) => return None,
                Segment::Variable(_) | Segment::Greedy(_) if part.is_empty() => return None,
                Segment::Variable(name) => {
                    literals.push(false);
                    parameters.insert(name.clone(), decode(kind, part));
                }
                Segment::Greedy(name) => {
                    let rest = parts.split_off(at).join("/");
                    parameters.insert(name.clone(), decode(kind, &rest));
                    return Some((PathMatch::Greedy, literals, parameters));
                }
            }
        }
        (parts.len() == pattern.len()).then_some((PathMatch::Full, literals, parameters))
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

/// A path as it is matched: a REST API ignores a slash at the end, of a request's path as of a resource's.
fn without_slash(kind: ApiKind, path: &str) -> &str {
    match path.strip_suffix('/') {
        Some(shorter) if kind == ApiKind::Rest && !shorter.is_empty() => shorter,
        _ => path,
    }
}

/// The value of a variable. A REST API leaves an encoded slash as it is, so that it divides no segments.
fn decode(kind: ApiKind, part: &str) -> String {
    let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    if kind == ApiKind::Http {
        return decoded(part);
    }
    let parts = part.split("%2F").map(|part| {
        let parts: Vec<String> = part.split("%2f").map(decoded).collect();
        parts.join("%2f")
    });
    parts.collect::<Vec<_>>().join("%2F")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(list: &[(&str, &str)]) -> Routes {
        of_kind(ApiKind::Http, list)
    }

    fn of_kind(kind: ApiKind, list: &[(&str, &str)]) -> Routes {
        let mut routes = Routes::new(kind);
        for (at, (method, path)) in list.iter().enumerate() {
            routes.add(&Route::new(method, path), None, at);
        }
        routes
    }

    fn key(routes: &Routes, method: Method, path: &str) -> Option<String> {
        routes.find(&method, path).map(|found| found.key().to_owned())
    }

    /// The routes and expectations of AWS's own page on route selection.
    #[test]
    fn the_most_specific_route_wins() {
        let routes = routes(&[
            ("GET", "/pets/dog/1"),
            ("GET", "/pets/dog/{id}"),
            ("GET", "/pets/{proxy+}"),
            ("ANY", "/{proxy+}"),
            ("ANY", "$default"),
        ]);
        let find = |method, path| key(&routes, method, path).unwrap();
        assert_eq!(find(Method::GET, "/pets/dog/1"), "GET /pets/dog/1");
        assert_eq!(find(Method::GET, "/pets/dog/2"), "GET /pets/dog/{id}");
        assert_eq!(find(Method::GET, "/pets/cat/1"), "GET /pets/{proxy+}");
        assert_eq!(find(Method::POST, "/test/5"), "ANY /{proxy+}");
        assert_eq!(find(Method::GET, "/"), "$default");
    }

    #[test]
    fn a_method_written_out_beats_any_and_no_match_is_none() {
        let routes = routes(&[("ANY", "/state"), ("GET", "/state")]);
        assert_eq!(key(&routes, Method::GET, "/state").unwrap(), "GET /state");
        assert_eq!(key(&routes, Method::PUT, "/state").unwrap(), "ANY /state");
        assert_eq!(key(&routes, Method::GET, "/state/"), None);
        assert_eq!(key(&routes, Method::GET, "/states"), None);
    }

    #[test]
    fn variables_are_decoded_and_greedy_ones_keep_their_slashes() {
        let routes = routes(&[("GET", "/leads/{id}"), ("GET", "/files/{path+}")]);
        let found = routes.find(&Method::GET, "/leads/LEAD%201").unwrap();
        assert_eq!(found.parameters["id"], "LEAD 1");
        let found = routes.find(&Method::GET, "/files/a/b%2Bc").unwrap();
        assert_eq!(found.parameters["path"], "a/b+c");
        assert!(routes.find(&Method::GET, "/files/").is_none());
    }

    #[test]
    fn a_rest_api_finds_the_resource_before_the_method() {
        let list = [("GET", "/pets"), ("ANY", "/{proxy+}"), ("GET", "/pets/{id}")];
        let (http, rest) = (routes(&list), of_kind(ApiKind::Rest, &list));
        assert_eq!(key(&http, Method::POST, "/pets").unwrap(), "ANY /{proxy+}");
        assert_eq!(key(&rest, Method::POST, "/pets"), None);
        assert_eq!(key(&rest, Method::POST, "/dogs").unwrap(), "ANY /{proxy+}");
        assert_eq!(key(&rest, Method::GET, "/pets/").unwrap(), "GET /pets");
        assert_eq!(key(&rest, Method::GET, "/pets/1/").unwrap(), "GET /pets/{id}");
        assert_eq!(key(&rest, Method::GET, "/"), None);
        assert_eq!(rest.methods("/pets/"), ["GET"]);
        assert_eq!(rest.methods("/"), Vec::<String>::new());
    }

    #[test]
    fn a_rest_api_keeps_encoded_slashes_and_ignores_one_at_the_end_of_a_route() {
        let list = [("GET", "/leads/{id}/"), ("GET", "/files/{path+}"), ("GET", "/")];
        let (http, rest) = (of_kind(ApiKind::Http, &list), of_kind(ApiKind::Rest, &list));
        for path in ["/leads/a%2Fb%20c", "/leads/a%2Fb%20c/"] {
            let found = rest.find(&Method::GET, path).unwrap();
            assert_eq!(found.parameters["id"], "a%2Fb c", "{path}");
        }
        assert_eq!(key(&http, Method::GET, "/leads/a"), None);
        assert_eq!(http.find(&Method::GET, "/leads/a%2Fb/").unwrap().parameters["id"], "a/b");
        let found = rest.find(&Method::GET, "/files/a%2fb/c%2Bd").unwrap();
        assert_eq!(found.parameters["path"], "a%2fb/c+d");
        assert_eq!(key(&rest, Method::GET, "/").unwrap(), "GET /");
    }

    #[test]
    fn each_route_has_a_bucket_of_its_own() {
        let mut routes = Routes::new(ApiKind::Http);
        let one = Some(Throttle { burst: 1, rate: 0.0 });
        routes.add(&Route::new("GET", "/a"), one, 0);
        routes.add(&Route::new("GET", "/b"), one, 0);
        routes.add(&Route::new("GET", "/c"), None, 0);
        let now = Instant::now();
        let admit = |path| routes.find(&Method::GET, path).unwrap().admit(now);
        assert_eq!([admit("/a"), admit("/a"), admit("/b")], [true, false, true]);
        assert!((0..100).all(|_| admit("/c")));
    }
}
