//! From HTTP through a router and back.

use super::*;

/// What a handler sees of a request after the way through the event.
async fn echo(
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
    axum::Extension(context): axum::Extension<RequestContext>,
    body: Bytes,
) -> axum::Json<Value> {
    let RequestContext::ApiGatewayV2(context) = context else { panic!("another context") };
    axum::Json(json!({
        "uri": uri.to_string(),
        "proto": headers["x-forwarded-proto"].to_str().unwrap(),
        "cookie": headers.get("cookie").map(|c| c.to_str().unwrap()),
        "query": query,
        "epoch": context.time_epoch,
        "body": String::from_utf8_lossy(&body),
    }))
}

#[tokio::test]
async fn a_form_reaches_the_router_byte_for_byte_with_the_url_as_called() {
    let gateway = TestGateway::start(Router::new().route("/dispatcher", any(echo)));
    let form = "From=%2B19042520927&Body=Hi+there%21&Body=again";
    let head = "POST /dispatcher?a=1&a=%2B2 HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nCookie: a=1; b=2";
    let seen = gateway.send(head, form).await.json();
    assert_eq!(
        seen,
        json!({
            "uri": format!("{}/dispatcher?a=1&a=%2B2", gateway.server.url()),
            "proto": "http",
            "cookie": "a=1; b=2",
            "query": [["a", "1"], ["a", "+2"]],
            "epoch": 1_584_039_838_000_i64,
            "body": form,
        })
    );
}

#[tokio::test]
async fn a_router_is_told_the_arn_of_its_name_on_aws() {
    let arn = |axum::Extension(context): axum::Extension<lambda_http::Context>| async move {
        context.invoked_function_arn
    };
    let function =
        Function { name: "f-on-aws".into(), ..function("F", vec![Route::new("ANY", "$default")]) };
    let gateway = TestGateway::with(function, Router::new().route("/", get(arn)));
    let body = gateway.get("/").await.body;
    assert_eq!(
        String::from_utf8_lossy(&body),
        "arn:aws:lambda:us-east-1:123456789012:function:f-on-aws"
    );
}

#[tokio::test]
async fn business_time_is_the_scripted_clock() {
    let journal = Journal::new(clock());
    let clock = clock();
    let routes = vec![Route::new("GET", "/now")];
    let router = Router::new().route("/now", get(echo));
    let functions = vec![(function("F", routes), router)];
    let functions = functions.into_iter().map(|(f, r)| (f, FunctionCode::Router(r))).collect();
    let apis = [template::Api::http("ServerlessHttpApi")];
    let server =
        Gateway::start(listener(), &apis, functions, journal.clone(), clock.clone()).unwrap();
    let gateway = TestGateway { server, journal };
    clock.set("2030-01-01T00:00:00.5Z".parse().unwrap());
    assert_eq!(gateway.get("/now").await.json()["epoch"], 1_893_456_000_500_i64);
}

#[tokio::test]
async fn answers_keep_status_headers_cookies_and_bytes() {
    async fn picture() -> impl IntoResponse {
        let cookies = AppendHeaders([(header::SET_COOKIE, "a=1"), (header::SET_COOKIE, "b=2")]);
        (StatusCode::CREATED, [(header::CONTENT_TYPE, "image/png")], cookies, vec![0_u8, 159, 255])
    }
    let gateway = TestGateway::start(Router::new().route("/p", get(picture)));
    let answer = gateway.get("/p").await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.body, [0, 159, 255]);
    assert!(answer.head.contains("content-type: image/png"), "{}", answer.head);
    assert!(answer.head.contains("set-cookie: a=1\r\nset-cookie: b=2"), "{}", answer.head);
    assert!(answer.head.contains("apigw-requestid: "), "{}", answer.head);
    assert!(answer.head.contains("content-length: 3"), "{}", answer.head);
}
