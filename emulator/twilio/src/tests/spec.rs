//! What the API answers, held to Twilio's published description (`fixtures/twilio/spec/`).

use http::StatusCode;
use serde_json::{Value, json};

use super::harness::*;
use crate::{DeliveryPlan, LineType, Media, Status};

/// A description's response for a path and method, as a JSON Schema. OpenAPI 3.0 writes `nullable` for
/// what a schema writes as another type.
fn schema(path: &str) -> Value {
    let text = if path.starts_with("/v1/") {
        include_str!("../../../../fixtures/twilio/spec/messaging-v1.json")
    } else {
        include_str!("../../../../fixtures/twilio/spec/api-v2010.json")
    };
    let mut spec: Value = serde_json::from_str(text).unwrap();
    with_null(&mut spec["components"]);
    let mut response =
        spec["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            .take();
    assert!(response.is_object(), "{path} has a schema");
    with_null(&mut response);
    response["components"] = spec["components"].take();
    response
}

fn with_null(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(with_null);
            if map.remove("nullable") == Some(json!(true)) {
                if let Some(kind) = map.get_mut("type") {
                    *kind = json!([kind.clone(), "null"]);
                }
                if let Some(Value::Array(words)) = map.get_mut("enum") {
                    words.push(Value::Null);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(with_null),
        _ => {}
    }
}

pub(super) fn check(path: &str, body: &Value) {
    let validator = jsonschema::validator_for(&schema(path)).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(body).map(|e| format!("{} at {}", e, e.instance_path())).collect();
    assert_eq!(errors, [""; 0], "{path}: {body:#}");
}

const MESSAGES: &str = "/2010-04-01/Accounts/{AccountSid}/Messages.json";
const MESSAGE: &str = "/2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json";
const NUMBERS: &str = "/2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers.json";
const NUMBER: &str = "/2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers/{Sid}.json";
const ACCOUNT_ITSELF: &str = "/2010-04-01/Accounts/{Sid}.json";

#[test]
fn the_check_notices_a_wrong_type_and_a_wrong_sid() {
    let validator = jsonschema::validator_for(&schema(MESSAGE)).unwrap();
    assert!(validator.is_valid(&json!({ "num_segments": "1", "error_code": null })));
    for wrong in [
        json!({ "num_segments": 1 }),
        json!({ "sid": "SM1" }),
        json!({ "status": "lost" }),
        json!({ "error_code": "30003" }),
    ] {
        assert!(!validator.is_valid(&wrong), "{wrong}");
    }
}

#[tokio::test]
async fn every_body_is_as_twilio_describes_it() {
    let harness = Harness::start().await;
    let plan = DeliveryPlan { code: Some(30_003), times: Some(1), ..DeliveryPlan::default() };
    harness.server.steer(plan).unwrap();
    let sent = [harness.send("is not delivered").await, harness.send("is delivered").await];
    let picture = Media { url: "https://a/b.png".into(), content_type: "image/png".into() };
    harness.server.receive(crate::Inbound { media: vec![picture], ..text("") }).await;
    for sid in sent {
        let (_, json) = harness.get(&harness.url_of(&format!("Messages/{sid}.json"))).await;
        check(MESSAGE, &json);
    }
    check(MESSAGES, &harness.get(&harness.messages_url()).await.1);
    check(MESSAGES, &harness.get(&format!("{}?PageSize=1", harness.messages_url())).await.1);
    let numbers = harness.get(&harness.url_of("IncomingPhoneNumbers.json")).await.1;
    check(NUMBERS, &numbers);
    let sid = numbers["incoming_phone_numbers"][0]["sid"].as_str().unwrap();
    let url = harness.url_of(&format!("IncomingPhoneNumbers/{sid}.json"));
    check(NUMBER, &harness.get(&url).await.1);
    let (status, json) = harness.post(&url, &[("StatusCallback", "https://a/b")]).await;
    assert_eq!(status, StatusCode::OK);
    check(NUMBER, &json);
    let url = harness.url_of("").trim_end_matches('/').to_owned();
    let (status, json) = harness.get(&format!("{url}.json")).await;
    assert_eq!((status, &json["status"]), (StatusCode::OK, &json!("active")));
    check(ACCOUNT_ITSELF, &json);
    assert_eq!(harness.get(&url).await.1, json);
    assert_eq!(harness.post(&url, &[]).await.0, StatusCode::METHOD_NOT_ALLOWED);
}

/// Source: the pages of Lookup v2.
#[tokio::test]
async fn a_lookup_says_the_type_of_a_line_and_a_landline_takes_no_texts() {
    let landline = "+19045550177";
    let harness = Harness::start_with(|options, _| {
        options.line_types = [(landline.to_owned(), LineType::Landline)].into();
    })
    .await;
    let lookup = |number: &str| format!("{}/v2/PhoneNumbers/{number}", harness.server.url());
    for (number, kind, valid, errors) in [
        ("+19045550100", json!("mobile"), true, json!([])),
        ("%2B19045550177", json!("landline"), true, json!([])),
        ("9045550177", json!("landline"), true, json!([])),
        ("(904)%20555-0177", json!("landline"), true, json!([])),
        ("+1904555", json!(null), false, json!(["TOO_SHORT"])),
        ("+190455501001", json!(null), false, json!(["TOO_LONG"])),
        ("nobody", json!(null), false, json!(["NOT_A_NUMBER"])),
    ] {
        let url = lookup(&format!("{number}?Fields=line_type_intelligence"));
        let (status, json) = harness.get(&url).await;
        assert_eq!(status, StatusCode::OK, "{number}");
        assert_eq!(json["line_type_intelligence"]["type"], kind, "{number}");
        assert_eq!((&json["valid"], &json["validation_errors"]), (&json!(valid), &errors));
    }
    for (asked, number) in [
        ("07911123456?CountryCode=GB", "+447911123456"),
        ("07911123456?CountryCode=gb", "+447911123456"),
        ("9045550100?CountryCode=us", "+19045550100"),
    ] {
        let (_, json) = harness.get(&lookup(asked)).await;
        assert_eq!(
            (&json["phone_number"], &json["valid"]),
            (&json!(number), &json!(true)),
            "{asked}"
        );
    }
    let (_, json) = harness.get(&lookup("+19045550100")).await;
    assert_eq!(json["line_type_intelligence"], Value::Null);
    assert_eq!(
        (&json["national_format"], &json["country_code"], &json["calling_country_code"]),
        (&json!("(904) 555-0100"), &json!("US"), &json!("1"))
    );
    let (status, json) = harness.get(&lookup("+19045550100?Fields=caller_name")).await;
    assert_eq!((status, &json["code"]), (StatusCode::BAD_REQUEST, &json!(20001)));
    harness.create(&[("To", landline), ("From", super::harness::NUMBER), ("Body", "a")]).await;
    let message = &harness.server.messages()[0];
    assert_eq!((message.status, message.error_code), (Status::Undelivered, Some(30_006)));
}
