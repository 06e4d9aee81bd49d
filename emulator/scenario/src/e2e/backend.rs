//! A notebook: `store K V`, `forget K`, `ask ...` for the model, `alert ...`
//! for the owner, and a small API. Plain HTTP throughout.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Json, Router,
    body::Bytes,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use lambda_http::request::RequestContext;
use serde_json::{Value, json};
use sha1::Sha1;

use rehearse_aws::{Function, function::BuildError};

type Vars = BTreeMap<String, String>;

struct App {
    vars: Vars,
    web: reqwest::Client,
}

/// The function `Notebook`.
pub(super) fn function() -> Function {
    Function::new("Notebook", |vars| {
        if !vars.contains_key("OPENAI_BASE_URL") {
            return Err(BuildError::from("OPENAI_BASE_URL is not set"));
        }
        let web = reqwest::Client::builder().no_proxy().tls_certs_only([]).build()?;
        let app = Arc::new(App { vars: vars.clone(), web });
        Ok(Router::new()
            .route("/sms", post(sms))
            .route("/notes", get(read).post(write))
            .with_state(app))
    })
}

async fn sms(
    State(app): State<Arc<App>>,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
    if !app.signed(&headers, &form) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let field = |name: &str| form.iter().find(|(k, _)| k == name).map_or("", |(_, v)| v.as_str());
    let (from, text) = (field("From"), field("Body"));
    let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
    let replies: Vec<String> = match verb {
        "silence" => vec![],
        "crash" => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        "panic" => panic!("on demand"),
        "slow" => {
            tokio::time::sleep(std::time::Duration::from_millis(30)).await;
            vec![rest.into()]
        }
        "twice" => vec![rest.into(), rest.to_uppercase()],
        "store" => match rest.split_once(' ') {
            Some((key, value)) => {
                app.put(key, value, &context).await;
                vec![format!("Stored {key}")]
            }
            None => vec!["What shall I store?".into()],
        },
        "forget" => {
            app.database(
                "DeleteItem",
                json!({ "TableName": "notes", "Key": { "id": { "S": rest } } }),
            )
            .await;
            vec![format!("Forgot {rest}")]
        }
        "destroy" => {
            app.database("DeleteTable", json!({ "TableName": "notes" })).await;
            vec!["Destroyed".into()]
        }
        "when" => vec![epoch(&context).to_string()],
        "greet" => vec![app.vars.get("GREETING").cloned().unwrap_or_default()],
        "alert" => vec![app.alert(rest).await],
        "elsewhere" => {
            app.elsewhere().await;
            vec![rest.into()]
        }
        "later" => {
            let (millis, text) = rest.split_once(' ').unwrap_or(("0", rest));
            let after = std::time::Duration::from_millis(millis.parse().unwrap_or(0));
            let (app, from, text) = (Arc::clone(&app), from.to_owned(), text.to_owned());
            tokio::spawn(async move {
                tokio::time::sleep(after).await;
                // What became of it is in the journal.
                drop(app.send(&from, &text).await);
            });
            vec![]
        }
        "ask" => vec![app.ask(from, text, &context).await],
        "" => vec![format!("{} pictures", field("NumMedia"))],
        _ => vec![format!("You said: {text}")],
    };
    let messages: String =
        replies.iter().map(|reply| format!("<Message>{reply}</Message>")).collect();
    ([("content-type", "text/xml")], format!("<Response>{messages}</Response>")).into_response()
}

async fn read(State(app): State<Arc<App>>, Query(query): Query<Vars>) -> Response {
    let key = query.get("id").cloned().unwrap_or_default();
    let request = json!({ "TableName": "notes", "Key": { "id": { "S": key } } });
    let found = app.database("GetItem", request).await;
    match found["Item"]["value"]["S"].as_str() {
        Some(value) => Json(json!({ "id": key, "value": value })).into_response(),
        None => (StatusCode::NOT_FOUND, Json(json!({ "message": "no such note" }))).into_response(),
    }
}

async fn write(
    State(app): State<Arc<App>>,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let kind = headers.get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default();
    let note: Value = if kind == "application/json" {
        serde_json::from_slice(&body).unwrap_or_default()
    } else {
        form_urlencoded::parse(&body).into_owned().map(|(k, v)| (k, Value::from(v))).collect()
    };
    let (Some(id), Some(value)) = (note["id"].as_str(), note["value"].as_str()) else {
        return (StatusCode::BAD_REQUEST, "id and value are needed").into_response();
    };
    app.put(id, value, &context).await;
    (StatusCode::CREATED, [("x-kind", "note")], Json(json!({ "id": id, "tags": [kind] })))
        .into_response()
}

fn epoch(context: &RequestContext) -> i64 {
    match context {
        RequestContext::ApiGatewayV2(context) => context.time_epoch,
        RequestContext::ApiGatewayV1(context) => context.request_time_epoch,
        _ => 0,
    }
}

impl App {
    fn var(&self, name: &str) -> &str {
        self.vars.get(name).map_or("", String::as_str)
    }

    fn signed(&self, headers: &HeaderMap, form: &[(String, String)]) -> bool {
        let mut sorted = form.to_vec();
        sorted.sort();
        let text: String = sorted.iter().map(|(k, v)| format!("{k}{v}")).collect();
        let mut mac =
            Hmac::<Sha1>::new_from_slice(self.var("TWILIO_AUTH_TOKEN").as_bytes()).unwrap();
        mac.update(format!("{}{text}", self.var("PUBLIC_URL")).as_bytes());
        let expected = STANDARD.encode(mac.finalize().into_bytes());
        headers.get("x-twilio-signature").is_some_and(|given| *given == expected)
    }

    async fn database(&self, operation: &str, request: Value) -> Value {
        let response = self
            .web
            .post(self.var("DYNAMODB_URL"))
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-date", "20260210T000000Z")
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=x/20260210/us-east-1/dynamodb/aws4_request, \
                 SignedHeaders=host, Signature=0",
            )
            .body(request.to_string())
            .send()
            .await
            .unwrap();
        response.json().await.unwrap()
    }

    async fn put(&self, id: &str, value: &str, context: &RequestContext) {
        let item = json!({
            "id": { "S": id },
            "value": { "S": value },
            "at": { "N": epoch(context).to_string() },
        });
        self.database("PutItem", json!({ "TableName": "notes", "Item": item })).await;
    }

    async fn alert(&self, text: &str) -> String {
        match self.send(self.var("OWNER"), text).await {
            Ok(response) if response.status() == 201 => "Alerted".into(),
            Ok(response) => {
                let body: Value = response.json().await.unwrap_or_default();
                format!("Not alerted: {}", body["code"])
            }
            Err(_) => "Not alerted: no answer".into(),
        }
    }

    /// Sends a text by the Messages API.
    async fn send(&self, to: &str, text: &str) -> reqwest::Result<reqwest::Response> {
        let account = self.var("TWILIO_ACCOUNT_SID");
        let url = format!("{}/2010-04-01/Accounts/{account}/Messages.json", self.var("TWILIO_URL"));
        let form = [("To", to), ("From", self.var("NUMBER")), ("Body", text)];
        let request = self.web.post(url).basic_auth(account, Some(self.var("TWILIO_AUTH_TOKEN")));
        request.form(&form).send().await
    }

    /// Calls what no fake reproduces.
    async fn elsewhere(&self) {
        let model = self.var("OPENAI_BASE_URL");
        let (twilio, account) = (self.var("TWILIO_URL"), self.var("TWILIO_ACCOUNT_SID"));
        for url in [
            format!("{model}/audio/transcriptions"),
            format!("{}/chat/completions", model.trim_end_matches("/v1")),
            format!("{twilio}/2010-04-01/Accounts/{account}/Calls.json"),
        ] {
            let request =
                self.web.post(url).basic_auth(account, Some(self.var("TWILIO_AUTH_TOKEN")));
            // What became of it is in the journal.
            drop(request.send().await);
        }
    }

    /// Lets the model answer, with one tool that stores a note.
    async fn ask(&self, from: &str, text: &str, context: &RequestContext) -> String {
        let mut input = vec![json!({ "role": "user", "content": text })];
        for _ in 0..4 {
            let request = json!({
                "model": "gpt-6-luna",
                "instructions": "You keep notes.",
                "input": input,
                "store": false,
                "safety_identifier": from,
                "tools": [{
                    "type": "function",
                    "name": "save_note",
                    "strict": true,
                    "parameters": {
                        "type": "object",
                        "properties": { "id": { "type": "string" }, "value": { "type": "string" } },
                        "required": ["id", "value"],
                        "additionalProperties": false,
                    },
                }],
            });
            let url = format!("{}/responses", self.var("OPENAI_BASE_URL"));
            let sent = self.web.post(url).bearer_auth(self.var("OPENAI_API_KEY")).json(&request);
            let Ok(response) = sent.send().await else { return "The model is gone".into() };
            if !response.status().is_success() {
                return "The model is down".into();
            }
            let response: Value = response.json().await.unwrap();
            let mut results = Vec::new();
            for item in response["output"].as_array().unwrap() {
                match item["type"].as_str() {
                    Some("message") => return item["content"][0]["text"].as_str().unwrap().into(),
                    Some("function_call") => {
                        let note: Value =
                            serde_json::from_str(item["arguments"].as_str().unwrap()).unwrap();
                        let id = note["id"].as_str().unwrap();
                        self.put(id, note["value"].as_str().unwrap(), context).await;
                        let output = json!({ "success": true, "ref": format!("NOTE-{id}") });
                        results.push(json!({
                            "type": "function_call_output",
                            "call_id": item["call_id"],
                            "output": output.to_string(),
                        }));
                    }
                    _ => {}
                }
            }
            input.extend(response["output"].as_array().unwrap().clone());
            input.extend(results);
        }
        "The model does not stop".into()
    }
}
