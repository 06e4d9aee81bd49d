//! Measures how many requests the fakes answer.

use std::time::Duration;

use tokio::net::TcpListener;

use super::load::{Body, Load};
use crate::error::{Cause, CommandError};
use rehearse_core::{clock::Clock, faults::Faults, journal::Journal};
use rehearse_openai::{self as openai, OpenAi, Persona};
use rehearse_twilio::{self as twilio, Twilio};

/// Connections of the load generator.
pub(crate) const CONNECTIONS: usize = 8;

/// Answers of the scripted OpenAI in so much time.
pub(crate) async fn openai(load: Duration, streamed: bool) -> Result<usize, CommandError> {
    let (journal, clock, faults) = parts();
    let options = openai::Options::default();
    let model = options.models.first().cloned().unwrap_or_default();
    let authorization = format!("Bearer {}", options.api_key);
    let server = OpenAi::start(listen().await?, options, journal, clock, faults);
    let server = server.map_err(failed)?;
    server.set_persona(Some(Persona::canned("Yes, we fix those.")));
    let body =
        serde_json::json!({ "model": model, "input": "Do you fix iPhones?", "stream": streamed });
    let request = Load {
        url: format!("{}/responses", server.url()),
        headers: vec![
            ("authorization", authorization),
            ("content-type", "application/json".into()),
        ],
        body: Body::Same(body.to_string()),
        status: 200,
    };
    let answers = request.run(CONNECTIONS, load).await.map_err(failed)?;
    Ok(answers.took.len())
}

/// Sends that the fake Twilio takes in so much time.
pub(crate) async fn twilio(load: Duration) -> Result<usize, CommandError> {
    let (journal, clock, faults) = parts();
    let options = twilio::Options::default();
    let key = format!("{}:{}", options.account_sid, options.auth_token);
    let authorization =
        format!("Basic {}", base64::Engine::encode(&base64::prelude::BASE64_STANDARD, key));
    let path = format!("/2010-04-01/Accounts/{}/Messages.json", options.account_sid);
    let number = options.number.clone();
    let web = twilio::webhook_client().map_err(failed)?;
    let server = Twilio::start(listen().await?, options, journal, clock, faults, web);
    let server = server.map_err(failed)?;
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("To", "+19042520927")
        .append_pair("From", &number)
        .append_pair("Body", "Confirmed: Wed Feb 11, 2:00 PM.")
        .finish();
    let request = Load {
        url: format!("{}{path}", server.url()),
        headers: vec![
            ("authorization", authorization),
            ("content-type", "application/x-www-form-urlencoded".into()),
        ],
        body: Body::Same(body),
        status: 201,
    };
    let answers = request.run(CONNECTIONS, load).await.map_err(failed)?;
    Ok(answers.took.len())
}

fn parts() -> (Journal, Clock, Faults) {
    let clock = Clock::running();
    (Journal::new(clock.clone()), clock, Faults::default())
}

async fn listen() -> Result<TcpListener, CommandError> {
    TcpListener::bind("127.0.0.1:0").await.map_err(failed)
}

fn failed(error: impl Into<Cause>) -> CommandError {
    CommandError::environment("failed to load a fake").because(error)
}
