//! What the fake reads of a backend, for tests that send anything. Not for others.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use axum::Router;
use rehearse_core::{clock::Clock, faults::Faults, journal::Journal};

use super::{
    Options,
    account::Account,
    inbox::Inbox,
    outbox::Outbox,
    rest::{self, RestApi},
    signature, twiml,
    webhook::WebhookClient,
};

/// Reads the response of a webhook. Returns the number of replies that it asks for.
///
/// # Errors
/// Twilio's code of why it cannot be used: 11770, 12100, 12102 or 12300.
pub fn read_document(content_type: Option<&str>, body: &[u8]) -> Result<usize, u32> {
    let numbers = ["+19045550100".to_owned()];
    let context = twiml::DocumentContext {
        url: "http://127.0.0.1:4000/dispatcher",
        numbers: &numbers,
        sender: "+19042520927",
        number: "+19045550100",
        replies: 0,
    };
    twiml::read(context, content_type, body).map(|instructions| instructions.replies.len())
}

/// Twilio's signature of a request.
pub fn sign(token: &str, url: &str, params: &[(String, String)]) -> String {
    signature::sign(token, url, params)
}

/// The REST API of an account without messages, which is served nowhere.
///
/// # Errors
/// When the HTTP client of its status callbacks cannot be built.
pub fn rest_api(options: Options) -> io::Result<Router> {
    let clock = Clock::running();
    let journal = Journal::new(clock.clone());
    let account = Arc::new(Account::new(options, journal, clock, Faults::default()));
    let webhooks = Arc::new(WebhookClient::new(Arc::clone(&account), shared_client()?));
    let outbox = Arc::new(Outbox::new(Arc::clone(&account), Arc::clone(&webhooks)));
    let inbox = Arc::new(Inbox::new(Arc::clone(&account), webhooks, Arc::clone(&outbox)));
    Ok(rest::router(RestApi { account, outbox, inbox }))
}

/// One client for all: building one takes longer than most requests.
fn shared_client() -> io::Result<reqwest::Client> {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    if let Some(client) = CLIENT.get() {
        return Ok(client.clone());
    }
    let client = crate::webhook_client()?;
    Ok(CLIENT.get_or_init(|| client).clone())
}
