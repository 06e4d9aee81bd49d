//! Stages, custom domains and hosts, as functions see them.

use super::*;

/// The event of a request to this host and path, by an API with one route.
async fn event(api: template::Api, payload: Payload, host: &str, path: &str) -> Value {
    let (recorder, mut events) = Recorder::answering(json!({ "statusCode": 204 }));
    let route = Route { payload, ..Route::new("GET", "/pets/{id}") };
    let gateway = TestGateway::behind(api, &[route], recorder);
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let answer = gateway.raw(request).await;
    assert_eq!(answer.status, 204, "{host}{path}: {answer:?}");
    events.recv().await.unwrap()
}

fn api(payload: Payload, stage: &str) -> template::Api {
    let api = match payload {
        Payload::Rest => template::Api::rest("Web", stage),
        Payload::V1 | Payload::V2 => template::Api::http("Web"),
    };
    let base_paths = vec!["v1".to_owned()];
    let domain = Some(Domain { name: "api.example".into(), base_paths });
    template::Api { stage: stage.into(), domain, ..api }
}

/// What an event says of the path, and of the stage.
fn paths(event: &Value) -> [Value; 4] {
    let context = &event["requestContext"];
    let own = event.get("rawPath").or_else(|| event.get("path")).unwrap();
    let theirs = context.pointer("/http/path").or_else(|| context.get("path")).unwrap();
    [own.clone(), theirs.clone(), context["stage"].clone(), context["domainName"].clone()]
}

#[tokio::test]
async fn where_the_stage_and_the_mapping_stand_in_each_format() {
    // As recorded on AWS: aws-powertools/powertools-lambda-python pull request 579,
    // CodeGenieApp/serverless-express issue 465, fixtures/gateway/README.md.
    for (payload, stage, host, path, own, theirs) in [
        (Payload::V2, "$default", "x", "/pets/1", "/pets/1", "/pets/1"),
        (Payload::V2, "prod", "x", "/prod/pets/1", "/prod/pets/1", "/prod/pets/1"),
        (Payload::V2, "$default", "api.example", "/v1/pets/1", "/pets/1", "/pets/1"),
        (Payload::V2, "prod", "api.example", "/v1/pets/1", "/prod/pets/1", "/prod/pets/1"),
        (Payload::V1, "$default", "x", "/pets/1", "/pets/1", "/pets/1"),
        (Payload::V1, "prod", "x", "/prod/pets/1", "/prod/pets/1", "/prod/pets/1"),
        (Payload::V1, "prod", "api.example", "/v1/pets/1", "/v1/pets/1", "/v1/pets/1"),
        (Payload::Rest, "Prod", "x", "/Prod/pets/1", "/pets/1", "/Prod/pets/1"),
        (Payload::Rest, "Prod", "x", "/Prod/pets/1/", "/pets/1/", "/Prod/pets/1/"),
        (Payload::Rest, "Prod", "api.example", "/v1/pets/1", "/v1/pets/1", "/v1/pets/1"),
    ] {
        let event = event(api(payload, stage), payload, host, path).await;
        assert_eq!(
            paths(&event),
            [own, theirs, stage, host].map(Value::from),
            "{payload:?} {stage} {host}{path}"
        );
        assert_eq!(event["pathParameters"], json!({ "id": "1" }));
        assert_eq!(event["requestContext"]["apiId"], "web");
    }
}

#[tokio::test]
async fn a_custom_domain_is_in_the_context_and_in_the_host() {
    let event =
        event(api(Payload::V2, "$default"), Payload::V2, "api.example", "/v1/pets/1?a=b").await;
    let context = &event["requestContext"];
    assert_eq!(
        (&context["domainName"], &context["domainPrefix"]),
        (&json!("api.example"), &json!("api"))
    );
    assert_eq!(event["headers"]["host"], "api.example");
    // Twilio signed `https://`, so this is what a handler must rebuild.
    assert_eq!(event["headers"]["x-forwarded-proto"], "https");
    assert_eq!(event["headers"]["x-forwarded-port"], "443");
    assert_eq!(event["rawQueryString"], "a=b");
}

#[tokio::test]
async fn variables_of_the_stage_are_in_each_format() {
    for payload in [Payload::V1, Payload::V2, Payload::Rest] {
        let mut api = api(payload, "prod");
        api.variables.insert("table".into(), "Leads".into());
        let event = event(api, payload, "x", "/prod/pets/1").await;
        assert_eq!(event["stageVariables"], json!({ "table": "Leads" }), "{payload:?}");
    }
}

#[tokio::test]
async fn what_no_stage_or_mapping_serves_is_refused_in_the_apis_words() {
    let (recorder, _events) = Recorder::answering(json!({ "statusCode": 204 }));
    let routes = [Route { payload: Payload::Rest, ..Route::new("GET", "/pets/{id}") }];
    let gateway = TestGateway::behind(api(Payload::Rest, "Prod"), &routes, recorder);
    let forbidden = json!({ "message": "Forbidden" });
    let answer = gateway.get("/pets/1").await;
    assert_eq!((answer.status, answer.json()), (403, forbidden.clone()));
    let request = "GET /Prod/pets/1 HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n";
    let answer = gateway.raw(request).await;
    assert_eq!((answer.status, answer.json()), (403, forbidden));
    let (recorder, _events) = Recorder::answering(json!({ "statusCode": 204 }));
    let gateway =
        TestGateway::behind(api(Payload::V2, "prod"), &[Route::new("GET", "/pets/{id}")], recorder);
    let answer = gateway.get("/pets/1").await;
    assert_eq!((answer.status, answer.json()), (404, json!({ "message": "Not Found" })));
}
