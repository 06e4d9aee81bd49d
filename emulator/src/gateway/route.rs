//! Which function answers: full match, then greedy, then `$default`; and
//! within one of these, what is written out beats `{id}`.

use std::collections::BTreeMap;

use http::Method;
use percent_encoding::percent_decode_str;

use crate::template::{Payload, Route};

/// All routes, and the function that each leads to.
#[derive(Debug, Default)]
pub(super) struct Routes(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    method: String,
    pattern: Pattern,
    key: String,
    path: String,
    payload: Payload,
    function: usize,
}

/// A route that matches a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Match {
    /// Position of the function.
    pub(super) function: usize,
    /// `POST /dispatcher`, `ANY /{proxy+}`, `$default`.
    pub(super) key: String,
    /// The route's path as the template has it.
    pub(super) path: String,
    pub(super) payload: Payload,
    /// Decoded values of the path's variables.
    pub(super) parameters: BTreeMap<String, String>,
}

#[derive(Debug)]
enum Pattern {
    Default,
    Segments(Vec<Segment>),
}

#[derive(Debug)]
enum Segment {
    Literal(String),
    Variable(String),
    Greedy(String),
}

/// How specific a match is; greater is better. Literal segments are compared from the left.
type Rank = (Kind, Vec<bool>, bool);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Default,
    Greedy,
    Full,
}

impl Routes {
    /// Adds a route to the function at this position.
    pub(super) fn add(&mut self, route: &Route, function: usize) {
        let key = if route.path == "$default" {
            "$default".to_owned()
        } else {
            format!("{} {}", route.method, route.path)
        };
        self.0.push(Entry {
            method: route.method.clone(),
            pattern: Pattern::parse(&route.path),
            key,
            path: route.path.clone(),
            payload: route.payload,
            function,
        });
    }

    /// The most specific route for a request's method and percent-encoded path.
    pub(super) fn find(&self, method: &Method, path: &str) -> Option<Match> {
        let matches = self.0.iter().filter_map(|entry| {
            let exact_method = entry.method == method.as_str();
            if !exact_method && entry.method != "ANY" {
                return None;
            }
            let (kind, literals, parameters) = entry.pattern.matches(path)?;
            let rank: Rank = (kind, literals, exact_method);
            Some((rank, entry, parameters))
        });
        let (_, entry, parameters) = matches.max_by(|a, b| a.0.cmp(&b.0))?;
        Some(Match {
            function: entry.function,
            key: entry.key.clone(),
            path: entry.path.clone(),
            payload: entry.payload,
            parameters,
        })
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

    fn matches(&self, path: &str) -> Option<(Kind, Vec<bool>, BTreeMap<String, String>)> {
        let Self::Segments(pattern) = self else {
            return Some((Kind::Default, Vec::new(), BTreeMap::new()));
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
                    parameters.insert(name.clone(), decode(part));
                }
                Segment::Greedy(name) => {
                    let rest = parts.split_off(at).join("/");
                    parameters.insert(name.clone(), decode(&rest));
                    return Some((Kind::Greedy, literals, parameters));
                }
            }
        }
        (parts.len() == pattern.len()).then_some((Kind::Full, literals, parameters))
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

fn decode(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(list: &[(&str, &str)]) -> Routes {
        let mut routes = Routes::default();
        for (at, (method, path)) in list.iter().enumerate() {
            routes.add(&Route::new(method, path), at);
        }
        routes
    }

    fn key(routes: &Routes, method: Method, path: &str) -> Option<String> {
        routes.find(&method, path).map(|m| m.key)
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
        assert_eq!(routes.find(&Method::GET, "/files/"), None);
    }
}
