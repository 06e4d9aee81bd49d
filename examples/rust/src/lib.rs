//! A bakery that takes orders for cakes by SMS: one cake for each hour of pick-up.
//!
//! Twilio posts a text to `/sms`. A model decides whether it is an order and calls `order_cake`;
//! the order is one row, keyed by the hour, so that an hour is never given away twice. The reply
//! is TwiML. What matters here is `tests/orders.rs`: how the backend is tested.

use std::{collections::BTreeMap, sync::Arc};

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
    types::AttributeValue,
};
use axum::{Form, Router, extract::State, routing::post};
use serde::Deserialize;
use serde_json::{Value, json};

/// Said when the model or the database does not answer.
pub const APOLOGY: &str = "Sorry, our line is busy. Please call us.";

type Error = Box<dyn std::error::Error + Send + Sync>;

struct Bakery {
    web: reqwest::Client,
    database: Client,
    model_url: String,
    api_key: String,
}

/// A text, as Twilio posts it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Text {
    from: String,
    body: String,
}

/// The arguments of `order_cake`.
#[derive(Deserialize)]
struct Order {
    flavour: String,
    pickup: String,
}

/// The backend, with the addresses and keys that its environment names.
///
/// # Errors
/// When a variable is missing or the HTTP client cannot be built.
pub fn router(environment: &BTreeMap<String, String>) -> Result<Router, Error> {
    let variable = |name: &str| environment.get(name).cloned().ok_or(format!("no {name}"));
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        // Plain HTTP is all that this machine needs; on AWS it is the SDK's default client.
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(variable("AWS_ENDPOINT_URL_DYNAMODB")?)
        .region(Region::new(variable("AWS_REGION")?))
        .credentials_provider(Credentials::new(
            variable("AWS_ACCESS_KEY_ID")?,
            variable("AWS_SECRET_ACCESS_KEY")?,
            None,
            None,
            "environment",
        ))
        .build();
    let bakery = Bakery {
        web: reqwest::Client::builder().no_proxy().tls_certs_only([]).build()?,
        database: Client::from_conf(config),
        model_url: variable("OPENAI_BASE_URL")?,
        api_key: variable("OPENAI_API_KEY")?,
    };
    Ok(Router::new().route("/sms", post(sms)).with_state(Arc::new(bakery)))
}

async fn sms(
    State(bakery): State<Arc<Bakery>>,
    Form(text): Form<Text>,
) -> impl axum::response::IntoResponse {
    // Twilio drops the body of anything but a success, so a failure is a text as well.
    let reply = bakery.reply(&text).await.unwrap_or_else(|_| APOLOGY.to_owned());
    let reply = reply.replace('&', "&amp;").replace('<', "&lt;");
    let twiml = format!("<Response><Message>{reply}</Message></Response>");
    ([("content-type", "text/xml")], twiml)
}

impl Bakery {
    async fn reply(&self, text: &Text) -> Result<String, Error> {
        let mut messages = vec![json!({ "role": "user", "content": text.body })];
        // One round decides, the next one words the result.
        for _ in 0..4 {
            let message = self.ask(&messages).await?;
            let Some(calls) = message["tool_calls"].as_array().filter(|calls| !calls.is_empty())
            else {
                return Ok(message["content"].as_str().unwrap_or_default().to_owned());
            };
            messages.push(message.clone());
            for call in calls {
                let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
                let result = self.order(&text.from, serde_json::from_str(arguments)?).await?;
                messages.push(json!({
                    "role": "tool", "tool_call_id": call["id"], "content": result.to_string(),
                }));
            }
        }
        Err("the model does not come to an end".into())
    }

    async fn ask(&self, messages: &[Value]) -> Result<Value, Error> {
        let body = json!({
            "model": "gpt-4o",
            "messages": messages,
            "tools": [{ "type": "function", "function": {
                "name": "order_cake",
                "parameters": {
                    "type": "object",
                    "properties": { "flavour": { "type": "string" }, "pickup": { "type": "string" } },
                    "required": ["flavour", "pickup"],
                },
            } }],
        });
        let request = self.web.post(format!("{}/chat/completions", self.model_url));
        let response = request.bearer_auth(&self.api_key).json(&body).send().await?;
        let response: Value = response.error_for_status()?.json().await?;
        Ok(response["choices"][0]["message"].clone())
    }

    /// Writes the order unless the hour is taken.
    async fn order(&self, phone: &str, order: Order) -> Result<Value, Error> {
        let written = self
            .database
            .put_item()
            .table_name("Orders")
            .item("pickup", AttributeValue::S(order.pickup))
            .item("flavour", AttributeValue::S(order.flavour))
            .item("phone", AttributeValue::S(phone.to_owned()))
            .condition_expression("attribute_not_exists(pickup)")
            .send()
            .await;
        match written.map_err(aws_sdk_dynamodb::Error::from) {
            Ok(_) => Ok(json!({ "ordered": true })),
            Err(aws_sdk_dynamodb::Error::ConditionalCheckFailedException(_)) => {
                Ok(json!({ "ordered": false, "reason": "this hour is taken" }))
            }
            Err(error) => Err(error.into()),
        }
    }
}
