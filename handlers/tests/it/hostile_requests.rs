//! Every route with what nobody sends who means well: wrong methods, tokens, types, lengths,
//! encodings and nesting. Nothing is written, nothing is told, and nothing private is logged.

mod attacks;
mod bodies;
mod real_routes;
mod routes;
mod signed;

use axum::Router;

use self::{
    attacks::{Attack, Expected},
    routes::{Caller, Function, ROUTES, Route, empty_router_of, router_of},
};
use crate::{
    events::{TestRequest, TestResponse},
    logs::EveryLine,
    owner_page, state,
};

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
const PRIVATE: [&str; 13] = [
    "2520927",
    "2520928",
    "2520930",
    "Nightingale",
    "Zora",
    "Main Street",
    "Knock",
    "giraffe",
    "735104",
    "s3cret",
    "RSOYDt4T1c",
    "\u{200f}",
    "Basic",
];

async fn attack(route: Route) {
    let session = session().await;
    let (mut router, mut store) = router_of(route).await;
    let before = store.printed();
    let mut came_in = false;
    for Attack { name, request, is_let_in, is_nearly_right, expected } in
        attacks::on(route, &session)
    {
        let name = format!("{} {name}", route.path);
        for is_rest in [false, true] {
            if is_nearly_right {
                // Without what earlier ones wrote, and without what counts them.
                (router, store) = router_of(route).await;
            }
            let answer = send(request.clone(), &router, is_rest).await;
            let told = format!("{name}: {} {:.2000}", answer.status, answer.text);
            let status = answer.status.as_u16();
            assert!(status < 500, "{told}");
            for internal in INTERNAL {
                assert!(!answer.text.contains(internal), "{internal} in {told}");
            }
            if route.caller != Caller::Owner || !is_let_in {
                for private in OWNERS_ONLY {
                    assert!(!answer.text.contains(private), "{private} in {told}");
                }
            }
            match expected {
                Expected::Success => assert!(status < 400, "{told}"),
                Expected::Refusal => assert!(status >= 400, "{told}"),
                Expected::NoWrite | Expected::Either => {}
            }
            if expected == Expected::NoWrite || status >= 400 {
                assert_eq!(store.printed(), before, "it has written: {told}");
            }
            came_in |= !SHUT.contains(&status);
        }
    }
    // Nobody but Twilio can sign.
    let may_come_in = route.caller != Caller::Twilio;
    assert!(came_in || !may_come_in, "{}: no attack came further than the door", route.path);
}

/// Sends a request as an event of an HTTP API or of a REST API.
async fn send(request: TestRequest, router: &Router, is_rest: bool) -> TestResponse {
    if is_rest { request.send_v1(router).await } else { request.send(router).await }
}

/// The cookie of a session that holds.
async fn session() -> String {
    owner_page::session(&state::router().0).await
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

#[tokio::test]
async fn no_hostile_event_gets_anything_out_of_the_late_reply() {
    attack_all(Function::LateReply).await;
}

/// What a router has and is not attacked fails here, as does what is attacked and not there. Each path
/// is there a second time behind a stage.
#[test]
fn every_route_of_every_router_is_attacked() {
    for function in
        [Function::Dispatcher, Function::Scheduler, Function::StateManager, Function::LateReply]
    {
        let real = real_routes::of(&empty_router_of(function).0);
        let behind_stages = real.keys().filter(|path| path.starts_with("/{stage}")).count();
        let mut attacked = 0;
        for (path, methods) in &real {
            let path = path.strip_prefix("/{stage}").unwrap_or(path);
            let route =
                ROUTES.iter().find(|route| route.function == function && route.path == path);
            let route = route.unwrap_or_else(|| panic!("{path} is not among the routes"));
            let mut expected: Vec<&str> = route.methods.to_vec();
            let mut methods: Vec<&str> = methods.iter().map(String::as_str).collect();
            expected.sort_unstable();
            methods.sort_unstable();
            assert_eq!(methods, expected, "the methods of {path}");
            attacked += 1;
        }
        let listed = ROUTES.iter().filter(|route| route.function == function).count();
        assert_eq!(attacked, listed + behind_stages, "{function:?} lacks a route");
        assert!(behind_stages == 0 || behind_stages == listed, "{function:?} behind a stage");
    }
}

/// The template's routes, and those below the one that it passes on whole.
#[test]
fn every_route_of_the_template_is_attacked() {
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
}

/// The last brace is the properties' end: a path may have some.
fn method_and_path(line: &str) -> Option<(String, String)> {
    let (method, path) = line.split_once("Method: ")?.1.split_once(", Path: ")?;
    let path = path.trim_end().strip_suffix('}')?.trim().trim_matches('"');
    Some((method.to_owned(), path.to_owned()))
}

#[tokio::test]
async fn no_line_about_a_hostile_request_holds_anything_private() {
    let session = session().await;
    let lines = EveryLine::capture();
    for route in ROUTES {
        let (router, _) = router_of(route).await;
        for attack in attacks::on(route, &session) {
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
