//! Whether a template has a route for a request, without a gateway that runs.

use http::Method;

use super::{route::Routes, stage::below};
use crate::template::Template;

/// Whether some API of the template has a route for this method and percent-encoded path, a stage of it
/// included. A preflight request needs no route of its own. A function URL serves every path, beside other APIs
/// those below its own.
pub fn serves(template: &Template, method: &Method, path: &str) -> bool {
    let only_urls = template.apis.iter().all(|api| api.is_function_url);
    template.apis.iter().any(|api| {
        if api.is_function_url {
            return only_urls || below(&api.function_url_path(), path).is_some();
        }
        let Some(rest) = below(&api.stage_path(), path) else { return false };
        let mut routes = Routes::new(api.kind);
        for route in template.functions.iter().flat_map(|function| &function.routes) {
            if route.api == api.id {
                routes.add(route, None, 0);
            }
        }
        let rest = if rest.is_empty() { "/" } else { rest };
        routes.find(method, rest).is_some() || (*method == Method::OPTIONS && api.cors.is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{Api, Route};

    #[test]
    fn a_request_is_served_by_a_route_with_its_method_and_path() {
        let routes = [("GET", "/pets/{id}"), ("ANY", "/all/{proxy+}")];
        let template = Template::default().with_routes("F", &routes);
        for (method, path, is) in [
            (Method::GET, "/pets/1", true),
            (Method::POST, "/pets/1", false),
            (Method::GET, "/pet/1", false),
            (Method::PUT, "/all/a/b", true),
            (Method::GET, "/", false),
        ] {
            assert_eq!(serves(&template, &method, path), is, "{method} {path}");
        }
    }

    #[test]
    fn a_function_url_serves_what_is_below_its_own_path_beside_an_api() {
        let mut template = Template::default().with_routes("F", &[("GET", "/pets")]);
        let url = Api { is_function_url: true, ..Api::http("FUrl") };
        template.functions[0]
            .routes
            .push(Route { api: url.id.clone(), ..Route::new("ANY", "$default") });
        template.apis.push(url);
        for (path, is) in [("/pets", true), ("/dogs", false), ("/_url/FUrl/dogs", true)] {
            assert_eq!(serves(&template, &Method::GET, path), is, "{path}");
        }
        template.apis.remove(0);
        assert!(serves(&template, &Method::GET, "/dogs"));
    }
}
