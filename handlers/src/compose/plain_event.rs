//! Events of API Gateway that `lambda_http` can convert.
//!
//! Its conversion panics where an address is none, and the caller would get a 500: for a query with a
//! `<`, which `curl` sends as it is typed, or for a port in the Host header that there is not.

use http::{
    HeaderMap, HeaderName,
    header::{HOST, HeaderValue},
};
use lambda_http::request::LambdaRequest;
use url::Url;

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The event with an address that is one: bytes of the query that cannot be converted are
/// percent-encoded, and what makes no address is left out.
pub fn plain_event(mut event: LambdaRequest) -> LambdaRequest {
    match &mut event {
        LambdaRequest::ApiGatewayV2(event) => {
            event.raw_query_string = event.raw_query_string.take().map(encoded);
            event.raw_path = event.raw_path.take().map(absolute);
            leave_out_no_address(&mut event.headers, &mut event.request_context.domain_name);
        }
        LambdaRequest::ApiGatewayV1(event) => {
            event.path = event.path.take().map(absolute);
            // The one becomes part of the other.
            leave_out_no_address(&mut event.multi_value_headers, &mut None);
            leave_out_no_address(&mut event.headers, &mut event.request_context.domain_name);
        }
        _ => {}
    }
    event
}

fn encoded(query: String) -> String {
    // Whatever can be converted stays as it was sent: a signature covers it.
    let is_allowed = |byte: &u8| byte.is_ascii_graphic() && !b"\"#<>".contains(byte);
    if query.bytes().all(|byte| is_allowed(&byte)) {
        return query;
    }
    let encode = |byte: u8| match is_allowed(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    query.bytes().map(encode).collect()
}

fn absolute(path: String) -> String {
    if path.is_empty() || path.starts_with('/') { path } else { format!("/{path}") }
}

fn leave_out_no_address(headers: &mut HeaderMap, domain_name: &mut Option<String>) {
    if headers.get(HOST).is_some_and(|host| !host.to_str().is_ok_and(is_host)) {
        headers.remove(HOST);
    }
    if headers.get(FORWARDED_PROTO).is_some_and(|proto| !is_proto(proto)) {
        headers.remove(FORWARDED_PROTO);
    }
    domain_name.take_if(|name| !is_host(name));
}

fn is_host(host: &str) -> bool {
    Url::parse(&format!("https://{host}/"))
        .is_ok_and(|url| url.path() == "/" && url.query().is_none() && url.fragment().is_none())
}

fn is_proto(proto: &HeaderValue) -> bool {
    proto == "http" || proto == "https"
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The URI and the Host header of an event with these parts.
    fn uri(query: &str, host: &str, path: &str) -> (String, Option<String>) {
        let event = json!({
            "version": "2.0", "rawPath": path, "rawQueryString": query, "isBase64Encoded": false,
            "headers": { "host": host, "x-forwarded-proto": "https" },
            "requestContext": { "domainName": "shop.example", "stage": "$default", "http": { "method": "GET" } },
        });
        converted(event)
    }

    fn converted(event: Value) -> (String, Option<String>) {
        let event: LambdaRequest = serde_json::from_value(event).unwrap();
        let request: lambda_http::Request = plain_event(event).into();
        let host = request.headers().get(HOST).map(|host| host.to_str().unwrap().to_owned());
        (request.uri().to_string(), host)
    }

    #[test]
    fn what_is_an_address_stays_as_it_is() {
        let query = "Body=a+%26%20b&From=%2B1&x=;/?:@$,-_.!~*'()[]";
        let (uri, host) = uri(query, "shop.example:8443", "/dispatcher");
        assert_eq!(uri, format!("https://shop.example:8443/dispatcher?{query}"));
        assert_eq!(host.as_deref(), Some("shop.example:8443"));
    }

    #[test]
    fn what_no_query_may_have_is_encoded() {
        let (uri, _) = uri("date=<x> \u{e9}\"`{|}\\^#", "shop.example", "/scheduler");
        let query = "date=%3Cx%3E%20%C3%A9%22`{|}\\^%23";
        assert_eq!(uri, format!("https://shop.example/scheduler?{query}"));
    }

    #[test]
    fn what_is_no_host_is_left_out() {
        for host in
            ["shop.example:99999", "a b", "", "[", "shop.example/x", "shop.example?x", "a#b"]
        {
            let expected = ("https://shop.example/state".to_owned(), None);
            assert_eq!(uri("", host, "state"), expected, "{host}");
        }
        let rest = json!({
            "httpMethod": "GET", "path": "/state", "headers": { "host": "a b" },
            "multiValueHeaders": { "host": ["a b"], "x-forwarded-proto": ["1://"] },
            "requestContext": { "domainName": ":::", "stage": "$default", "httpMethod": "GET" },
        });
        assert_eq!(converted(rest), ("/state".to_owned(), None));
    }
}
