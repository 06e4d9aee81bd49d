//! Every route with what nobody sends who means well: wrong methods, tokens, types, lengths,
//! encodings and nesting. Nothing is written, nothing is told, and nothing private is logged.

mod attacks;
mod routes;

use self::routes::{Caller, Function, ROUTES, Route, router_of};
use crate::logs::EveryLine;

/// What stands in an answer only when something internal got out.
const INTERNAL: [&str; 21] = [
    "panicked",
    "RUST_BACKTRACE",
    ".rs:",
    "/rustc/",
    "src/",
    "handlers::",
    "core::",
    "alloc::",
    "serde",
    "axum",
    "StoreError",
    "Utf8Error",
    "Err(",
    "Some(",
    "Error { ",
    "invalid type",
    "expected value",
    "dynamodb",
    "DynamoDB",
    "Conversations",
    "SELECT ",
];
/// What only the owner may read.
const OWNERS_ONLY: [&str; 3] = ["2520927", "Nightingale", "giraffe"];
/// Answers of a door that stays shut: who asks, or what they ask for, was not looked at further.
const SHUT: [u16; 6] = [401, 403, 404, 405, 415, 429];
/// What only the owner may read, and parts of requests that no line of the log may have.
const PRIVATE: [&str; 7] =
    ["2520927", "Nightingale", "giraffe", "s3cret", "RSOYDt4T1c", "\u{200f}", "Basic"];

async fn attack(route: Route) {
    let (router, store) = router_of(route).await;
    let before = store.printed();
    let mut came_in = false;
    for attack in attacks::on(route) {
        let name = format!("{} {}", route.path, attack.name);
        let answer = attack.request.send(&router).await;
        assert!(answer.status.as_u16() < 500, "{name}: {} {}", answer.status, answer.text);
        for internal in INTERNAL {
            assert!(!answer.text.contains(internal), "{name}: {internal} in {}", answer.text);
        }
        if route.caller != Caller::Owner {
            for private in OWNERS_ONLY {
                assert!(!answer.text.contains(private), "{name}: {private} in {}", answer.text);
            }
        }
        assert_eq!(store.printed(), before, "{name} has written, and answered {}", answer.text);
        came_in |= !SHUT.contains(&answer.status.as_u16());
    }
    // Nobody but Twilio can sign.
    let may_come_in = route.caller != Caller::Twilio;
    assert!(came_in || !may_come_in, "{}: no attack came further than the door", route.path);
}

async fn attack_all(function: Function) {
    for route in ROUTES.into_iter().filter(|route| route.function == function) {
        attack(route).await;
    }
}

#[tokio::test]
async fn no_hostile_request_gets_anything_out_of_the_dispatcher() {
    attack_all(Function::Dispatcher).await;
}

#[tokio::test]
async fn no_hostile_request_gets_anything_out_of_the_scheduler() {
    attack_all(Function::Scheduler).await;
}

#[tokio::test]
async fn no_hostile_request_gets_anything_out_of_the_state_manager() {
    attack_all(Function::StateManager).await;
}

/// The template's routes, and those below the one that it passes on whole.
#[test]
fn every_route_is_attacked() {
    let template = include_str!("../../../template.yaml");
    let of_api: Vec<(String, String)> = template
        .lines()
        .filter(|line| line.contains("ApiId: !Ref Api"))
        .filter_map(method_and_path)
        .collect();
    let routes = template.matches("Type: HttpApi").count();
    assert_eq!(of_api.len(), routes, "a route of the template is written in another way");
    for (method, path) in of_api {
        let is_attacked = ROUTES.iter().any(|route| match path.strip_suffix("{proxy+}") {
            Some(above) => route.path.starts_with(above),
            None => {
                route.path == path && (method == "OPTIONS" || route.methods.contains(&&*method))
            }
        });
        assert!(is_attacked, "{method} {path} is not among the routes of this test");
    }
    let page = include_str!("../../src/http/owner_page.rs");
    let paths: Vec<&str> =
        page.split("(\"/owner").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(paths.len() >= 16, "the owner's page is written in another way: {paths:?}");
    for path in paths {
        let path = format!("/owner{path}");
        assert!(ROUTES.iter().any(|route| route.path == path), "{path} is not among the routes");
    }
}

/// The last brace is the properties' end: a path may have some.
fn method_and_path(line: &str) -> Option<(String, String)> {
    let (method, path) = line.split_once("Method: ")?.1.split_once(", Path: ")?;
    let path = path.trim_end().strip_suffix('}')?.trim().trim_matches('"');
    Some((method.to_owned(), path.to_owned()))
}

#[tokio::test]
async fn no_line_about_a_hostile_request_holds_anything_private() {
    let lines = EveryLine::capture();
    for route in ROUTES {
        let (router, _) = router_of(route).await;
        for attack in attacks::on(route) {
            attack.request.send(&router).await;
        }
    }
    let logged = lines.text();
    assert!(logged.contains("answered"), "nothing was logged");
    for line in logged.lines() {
        for private in PRIVATE {
            assert!(!line.contains(private), "{private}: {line}");
        }
    }
}
