//! Events of API Gateway, converted into requests as the functions do.

use axum::{Router, body::to_bytes};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use handlers::{compose::plain_event, config::Vars};
use http::{HeaderMap, StatusCode};
use lambda_http::{Adapter, Context, LambdaEvent, request::LambdaRequest};
use serde_json::{Value, json};
use tower::{Service as _, ServiceExt as _};

/// Tuesday, February 10, 2026, 3:10 PM in New York.
pub const NOW_MS: i64 = 1_770_754_200_000;

/// A request of a browser or of Twilio.
#[derive(Clone)]
pub struct TestRequest {
    method: &'static str,
    path: String,
    query: String,
    headers: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
    time_epoch: Option<i64>,
    stage: &'static str,
}

pub fn request(method: &'static str, path: &str) -> TestRequest {
    let headers = Vec::from([("host", "shop.example".to_owned())]);
    let time_epoch = Some(NOW_MS);
    TestRequest {
        method,
        path: path.to_owned(),
        query: String::new(),
        headers,
        body: None,
        time_epoch,
        stage: "$default",
    }
}

impl TestRequest {
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    pub fn query(mut self, query: &str) -> Self {
        self.query = query.to_owned();
        self
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    pub fn body(self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let mut call = self.header("content-type", media_type);
        call.body = Some(body.into());
        call
    }

    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub fn form(self, body: &str) -> Self {
        self.body("application/x-www-form-urlencoded", body)
    }

    pub fn stage(mut self, stage: &'static str) -> Self {
        self.stage = stage;
        self
    }

    pub fn time_epoch(mut self, time_epoch: Option<i64>) -> Self {
        self.time_epoch = time_epoch;
        self
    }

    /// The event of an HTTP API, payload 2.0.
    fn event_v2(&self) -> Value {
        let headers: Value =
            self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut event = json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": self.path,
            "rawQueryString": self.query,
            "headers": headers,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "api",
                "domainName": "shop.example",
                "http": {
                    "method": self.method,
                    "path": self.path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1",
                    "userAgent": "test",
                },
                "requestId": "gateway-id",
                "routeKey": "$default",
                "stage": self.stage,
                "time": "10/Feb/2026:20:10:00 +0000",
            },
            "isBase64Encoded": true,
        });
        if let Some(time) = self.time_epoch {
            event["requestContext"]["timeEpoch"] = json!(time);
        }
        if let Some(body) = &self.body {
            event["body"] = json!(STANDARD.encode(body));
        }
        event
    }

    /// The event of a REST API, payload 1.0.
    fn event_v1(&self) -> Value {
        let single: Value =
            self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let multi: Value =
            self.headers.iter().map(|(name, value)| (*name, json!([value]))).collect();
        let pairs = url::form_urlencoded::parse(self.query.as_bytes());
        let query: Value =
            pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        let mut event = json!({
            "resource": self.path,
            "path": self.path,
            "httpMethod": self.method,
            "headers": single,
            "multiValueHeaders": multi,
            "queryStringParameters": query,
            "multiValueQueryStringParameters": {},
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "api",
                "httpMethod": self.method,
                "path": self.path,
                "requestId": "gateway-id",
                "resourcePath": self.path,
                "stage": self.stage,
            },
            "isBase64Encoded": true,
        });
        if let Some(time) = self.time_epoch {
            event["requestContext"]["requestTimeEpoch"] = json!(time);
        }
        if let Some(body) = &self.body {
            event["body"] = json!(STANDARD.encode(body));
        }
        event
    }

    /// The event as API Gateway passes it to Lambda.
    pub fn event(&self) -> Value {
        self.event_v2()
    }

    pub async fn send(self, router: &Router) -> TestResponse {
        send(router, self.event_v2()).await
    }

    /// Sends the event through Lambda's conversions and returns what API Gateway gets.
    pub async fn send_as_lambda(self, router: &Router) -> Value {
        let payload: LambdaRequest = serde_json::from_value(self.event_v2()).unwrap();
        let mut adapter = Adapter::from(router.clone());
        let response = adapter.call(LambdaEvent::new(payload, Context::default())).await.unwrap();
        serde_json::to_value(response).unwrap()
    }

    pub async fn send_v1(self, router: &Router) -> TestResponse {
        send(router, self.event_v1()).await
    }
}

pub struct TestResponse {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl TestResponse {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// The message of an error response. Checks the response's shape and headers, too.
    pub fn error(&self) -> String {
        let body = self.json();
        assert_eq!(body["status"], "error");
        assert_eq!(self.headers["content-type"], "application/json");
        self.assert_cors();
        body["message"].as_str().unwrap().to_owned()
    }

    pub fn assert_cors(&self) {
        assert_eq!(self.headers["access-control-allow-origin"], "*");
        assert_eq!(self.headers["access-control-allow-methods"], "GET, POST, PUT, DELETE, OPTIONS");
        assert_eq!(
            self.headers["access-control-allow-headers"],
            "Content-Type, Authorization, Idempotency-Key"
        );
    }
}

async fn send(router: &Router, event: Value) -> TestResponse {
    // As the function's own main does.
    let event: LambdaRequest = serde_json::from_value(event).unwrap();
    let request: lambda_http::Request = plain_event(event).into();
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let text = to_bytes(body, usize::MAX).await.unwrap();
    let text = String::from_utf8(text.to_vec()).unwrap();
    TestResponse { status: parts.status, headers: parts.headers, text }
}

pub fn vars(pairs: &[(&str, &str)]) -> Vars {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
