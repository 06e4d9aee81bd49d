//! The routes that a router really has. A router has no list of them, but prints one.

use std::collections::BTreeMap;

use axum::Router;

/// The methods that a route can have, as they are printed.
const METHODS: [&str; 9] =
    ["get", "head", "delete", "options", "patch", "post", "put", "trace", "connect"];

/// Every path of a router with its methods in capitals.
pub fn of(router: &Router) -> BTreeMap<String, Vec<String>> {
    let printed = format!("{router:?}");
    let (routes, paths) = printed.split_once("node: Node { paths: {").expect(PRINTED_OTHERWISE);
    let paths = paths.split_once("} }").expect(PRINTED_OTHERWISE).0;
    let methods: BTreeMap<&str, Vec<String>> =
        entries(routes).map(|(id, printed)| (id, methods(printed))).collect();
    let of_paths: BTreeMap<String, Vec<String>> = entries(paths)
        .map(|(id, printed)| {
            let path = printed.split('"').nth(1).expect(PRINTED_OTHERWISE);
            (path.to_owned(), methods[id].clone())
        })
        .collect();
    assert!(!of_paths.is_empty() && of_paths.len() == methods.len(), "{PRINTED_OTHERWISE}");
    of_paths
}

/// The entries of a printed map, with the id of the route that each is for.
fn entries(printed: &str) -> impl Iterator<Item = (&str, &str)> {
    let entries = printed.split("RouteId(").skip(1);
    entries.map(|entry| entry.split_once("): ").expect(PRINTED_OTHERWISE))
}

const PRINTED_OTHERWISE: &str = "axum prints routers in another way: mend this file";

fn methods(printed: &str) -> Vec<String> {
    let has = |method: &&str| {
        let (_, value) = printed.split_once(&format!("{method}: ")).expect(PRINTED_OTHERWISE);
        !value.starts_with("None")
    };
    METHODS.iter().filter(|method| has(method)).map(|method| method.to_ascii_uppercase()).collect()
}
