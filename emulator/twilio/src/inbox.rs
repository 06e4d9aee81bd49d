//! Messages to the account's number, from [`Inbox::accept`] to the replies.
//!
//! `accept` records a text, acts on opt-out keywords and fixes the parameters of its webhook.
//! `deliver` calls the webhook with them, follows TwiML redirects, falls back when the webhook fails,
//! and sends the replies. A second delivery of the same text is the same request.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    Delivery, Direction, Inbound, Media, Message, NumberConfig, Segments, Sid, Signing, Status,
    WebhookKind,
    account::{Account, AccountState},
    geo,
    media::{self, Fetched},
    number::Number,
    opt_out::Keyword,
    options::Endpoint,
    outbox::Outbox,
    outgoing::OutgoingMessage,
    twiml::Reply,
    webhook::{WebhookCall, WebhookClient},
    whatsapp,
};
use rehearse_core::journal::{Cause, ExchangeDetail, Outcome, Via, caused_by, with_cause};

/// Most TwiML documents in one delivery.
const MAX_DOCUMENTS: usize = 50;

/// Receives messages. Owns the received ones, so that they can be delivered again.
pub(crate) struct Inbox {
    account: Arc<Account>,
    webhooks: Arc<WebhookClient>,
    outbox: Arc<Outbox>,
    received: Mutex<HashMap<Sid, Arc<ReceivedMessage>>>,
}

/// A received text, ready for delivery.
#[derive(Debug, Clone)]
struct ReceivedMessage {
    sid: Sid,
    person: String,
    /// The account's number that was texted.
    number: String,
    params: Vec<(String, String)>,
    signing: Signing,
    /// The exchange of its arrival.
    cause: Option<Cause>,
}

impl Inbox {
    pub fn new(account: Arc<Account>, webhooks: Arc<WebhookClient>, outbox: Arc<Outbox>) -> Self {
        Self { account, webhooks, outbox, received: Mutex::default() }
    }

    /// Records a text, acts on an opt-out keyword and sends Twilio's notice about it.
    ///
    /// A file that is a name and no URL, such as `screen.jpg`, is served by the API itself.
    pub fn accept(&self, mut text: Inbound) -> Sid {
        let sid = self.account.state().sids.generate(!text.media.is_empty());
        self.host(sid, &mut text.media);
        let media: Vec<String> = text.media.iter().map(|media| media.url.clone()).collect();
        let number = self.number(&text);
        let notice = self.record(sid, &text, &number, &media);
        let exchange = self.account.journal.begin(
            "sms.received",
            ExchangeDetail::SmsReceived {
                sid: sid.to_string(),
                from: text.from.clone(),
                to: match whatsapp::number(&text.from) {
                    Some(_) => whatsapp::address(&number.phone),
                    None => number.phone.clone(),
                },
                body: text.body,
                media,
            },
        );
        let cause = exchange.cause();
        exchange.end(Outcome::default());
        if let Some(received) = self.received().get_mut(&sid) {
            Arc::make_mut(received).cause = Some(cause);
        }
        if let Some(body) = notice {
            let notice = OutgoingMessage {
                from: number.phone,
                to: text.from,
                body,
                media: Vec::new(),
                direction: Direction::OutboundReply,
                via: Via::Twilio,
                in_reply_to: Some(sid),
                status_callback: None,
                service: None,
                service_chooses: false,
                is_template: false,
                send_at: None,
                validity_period: None,
            };
            with_cause(Some(cause), || self.outbox.send(notice));
        }
        sid
    }

    /// Keeps the files of a text, and gives those a URL that have none.
    fn host(&self, sid: Sid, files: &mut [Media]) {
        if files.is_empty() {
            return;
        }
        let url = self.account.url.get().map(String::as_str).unwrap_or_default();
        let account = &self.account.options.account_sid;
        let mut kept = Vec::new();
        for (index, file) in files.iter_mut().enumerate() {
            let stand_in = media::stand_in(&file.url);
            if !file.url.contains("://") {
                file.content_type.clone_from(&stand_in.content_type);
                let name = media::media_sid(sid, index);
                file.url =
                    format!("{url}/2010-04-01/Accounts/{account}/Messages/{sid}/Media/{name}");
            }
            kept.push(Fetched { content_type: file.content_type.clone(), ..stand_in });
        }
        let now = self.account.clock.now();
        self.account.state().keep_media(sid, kept, now);
    }

    /// Changes the account's state for a text; returns the text of Twilio's notice.
    fn record(
        &self,
        sid: Sid,
        text: &Inbound,
        number: &Number,
        media: &[String],
    ) -> Option<String> {
        let Number { phone, config, .. } = number;
        let now = self.account.clock.now();
        let options = &self.account.options;
        let mut state = self.account.state();
        let state = &mut *state;
        let size = Segments::of(&text.body, config.kind);
        // Twilio handles keywords of texts alone.
        let is_whatsapp = whatsapp::number(&text.from).is_some();
        let keyword = Keyword::of(&text.body, config.kind).filter(|_| !is_whatsapp);
        let texted = if is_whatsapp { whatsapp::address(phone) } else { phone.clone() };
        let opted_out = state.has_opted_out(phone, &text.from);
        let notice = keyword.and_then(|word| word.notice(&text.body, config.kind, opted_out));
        match keyword {
            Some(Keyword::Stop) => state.opt_out(phone, &text.from),
            Some(Keyword::Start) => state.opt_in(phone, &text.from),
            Some(Keyword::Help) | None => {}
        }
        let logged = self.takes(state, number, is_whatsapp).is_some();
        let message = Message {
            sid,
            direction: Direction::Inbound,
            from: Some(text.from.clone()),
            to: texted.clone(),
            body: text.body.clone(),
            media: media.to_vec(),
            status: Status::Received,
            error_code: None,
            segments: size.count,
            encoding: size.encoding,
            created: now,
            updated: now,
            sent: Some(now),
            service: config.messaging_service_sid.clone().filter(|_| !is_whatsapp),
            via: None,
            in_reply_to: None,
            ends_as_sent: false,
        };
        // Twilio does not log what a Messaging Service without a URL drops, nor WhatsApp messages to nobody.
        if logged {
            state.messages.push(message);
        }
        let params = if is_whatsapp {
            whatsapp_params(&options.account_sid, &texted, sid, text)
        } else {
            params(&options.account_sid, number, sid, text, size.count, keyword)
        };
        let received = ReceivedMessage {
            sid,
            person: text.from.clone(),
            number: texted,
            params,
            signing: text.signing,
            cause: None,
        };
        let mut kept = self.received();
        kept.insert(sid, Arc::new(received));
        // Now and then, so that each text costs the same.
        if options.messages_kept.is_some_and(|most| kept.len() > most.max(state.messages.len()) * 2)
        {
            kept.retain(|sid, _| state.messages.get(*sid).is_some());
        }
        drop(kept);
        notice
    }

    /// Delivers a text to the webhook, to its redirects or to the fallback, and sends the replies.
    /// Error 20404 when no text with this sid was received.
    pub async fn deliver(&self, sid: Sid) -> Delivery {
        let mut delivery =
            Delivery { sid, attempts: vec![], replies: vec![], errors: vec![], failure: None };
        let Some(received) = self.received().get(&sid).cloned() else {
            delivery.errors.push(20404);
            delivery.failure = Some(20404);
            return delivery;
        };
        let (config, numbers) = {
            let state = self.account.state();
            let on_whatsapp = whatsapp::number(&received.number);
            let phone = on_whatsapp.unwrap_or(&received.number);
            let number = state.number(phone).unwrap_or(&state.first);
            let numbers = state.numbers().map(|number| number.phone.clone());
            let senders = self.account.options.whatsapp.iter();
            let senders = senders.map(|number| whatsapp::address(number));
            let numbers: Vec<String> = numbers.chain(senders).collect();
            (self.takes(&state, number, on_whatsapp.is_some()), numbers)
        };
        let Some(config) = config else { return delivery };
        let Some(url) = config.webhook_url else { return delivery };
        let mut fallback = config.fallback_url.map(|url| (url, config.fallback_method));
        let mut call = WebhookCall {
            kind: WebhookKind::Sms,
            sid,
            url,
            method: config.webhook_method,
            params: received.params.clone(),
            signing: received.signing,
            person: &received.person,
            number: &received.number,
            numbers: &numbers,
            replies: 0,
        };
        for _ in 0..MAX_DOCUMENTS {
            let result = caused_by(received.cause, self.webhooks.call(&call)).await;
            let cause = Some(result.cause);
            delivery.errors.extend(result.warning);
            delivery.errors.extend(result.attempts.iter().filter_map(|attempt| attempt.error));
            delivery.attempts.extend(result.attempts);
            match result.document {
                Ok(instructions) => {
                    // The first warning is the last attempt's error, which was added above.
                    delivery.errors.extend(instructions.warnings.into_iter().skip(1));
                    call.replies += instructions.replies.len();
                    for reply in instructions.replies {
                        let reply = outgoing(reply, &received);
                        match with_cause(cause, || self.outbox.reply(reply)) {
                            Ok(sid) => delivery.replies.push(sid),
                            Err(code) => delivery.errors.push(code),
                        }
                    }
                    let Some(Endpoint { url, method }) = instructions.redirect else {
                        return delivery;
                    };
                    (call.url, call.method) = (url, method);
                }
                Err(code) => {
                    let Some((url, method)) = fallback.take() else {
                        delivery.failure = Some(code);
                        return delivery;
                    };
                    let failed = call.url.split('#').next().unwrap_or_default().to_owned();
                    call.params.push(("ErrorCode".into(), code.to_string()));
                    call.params.push(("ErrorUrl".into(), failed));
                    (call.kind, call.url, call.method) = (WebhookKind::Fallback, url, method);
                }
            }
        }
        delivery.errors.push(14106);
        delivery.failure = Some(14106);
        delivery
    }

    /// The configuration by which a message to a number is delivered; `None` when it is dropped. Messaging
    /// Services take texts alone, and WhatsApp messages reach nobody but the account's WhatsApp senders.
    fn takes(
        &self,
        state: &AccountState,
        number: &Number,
        is_whatsapp: bool,
    ) -> Option<NumberConfig> {
        if !is_whatsapp {
            return state.inbound(number);
        }
        self.account.options.whatsapp.contains(&number.phone).then(|| number.config.clone())
    }

    /// The number that a text is for.
    fn number(&self, text: &Inbound) -> Number {
        let state = self.account.state();
        let to = text.to.as_deref().map(|to| whatsapp::number(to).unwrap_or(to));
        let number = to.and_then(|to| state.number(to)).unwrap_or(&state.first);
        number.clone()
    }

    /// Removes a received text: it can no longer be delivered.
    pub fn remove(&self, sid: Sid) {
        self.received().remove(&sid);
    }

    /// Removes all received texts.
    pub fn reset(&self) {
        self.received().clear();
    }

    fn received(&self) -> MutexGuard<'_, HashMap<Sid, Arc<ReceivedMessage>>> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn outgoing(reply: Reply, received: &ReceivedMessage) -> OutgoingMessage {
    OutgoingMessage {
        from: reply.from.unwrap_or_else(|| received.number.clone()),
        to: reply.to,
        body: reply.body,
        media: reply.media,
        direction: Direction::OutboundReply,
        via: Via::Twiml,
        in_reply_to: Some(received.sid),
        status_callback: reply.status_callback,
        service: None,
        service_chooses: false,
        is_template: false,
        send_at: None,
        validity_period: None,
    }
}

/// The form parameters of a WhatsApp message's webhook. The profile has the number as its name: nothing here
/// knows another one.
fn whatsapp_params(account_sid: &str, to: &str, sid: Sid, text: &Inbound) -> Vec<(String, String)> {
    let sid = sid.to_string();
    let number = whatsapp::number(&text.from).unwrap_or_default();
    let count = text.media.len().to_string();
    let kind =
        text.media.first().map_or("text", |media| match media.content_type.split_once('/') {
            Some((kind @ ("image" | "audio" | "video"), _)) => kind,
            _ => "document",
        });
    let mut params: Vec<(String, String)> = Vec::with_capacity(16);
    let mut add = |key: &str, value: &str| params.push((key.to_owned(), value.to_owned()));
    add("SmsMessageSid", &sid);
    add("NumMedia", &count);
    add("ProfileName", number);
    add("MessageType", kind);
    add("SmsSid", &sid);
    add("WaId", number.trim_start_matches('+'));
    add("SmsStatus", "received");
    add("Body", &text.body);
    add("To", to);
    add("NumSegments", "1");
    add("ReferralNumMedia", "0");
    add("MessageSid", &sid);
    add("AccountSid", account_sid);
    add("From", &text.from);
    add("ApiVersion", "2010-04-01");
    for (index, media) in text.media.iter().enumerate() {
        add(&format!("MediaUrl{index}"), &media.url);
        add(&format!("MediaContentType{index}"), &media.content_type);
    }
    params
}

/// The form parameters of a text's webhook, in the order in which Twilio sends them.
fn params(
    account_sid: &str,
    number: &Number,
    sid: Sid,
    text: &Inbound,
    segments: u32,
    keyword: Option<Keyword>,
) -> Vec<(String, String)> {
    let Number { phone, config, .. } = number;
    let (to, from) = (geo::location(phone), geo::location(&text.from));
    let sid = sid.to_string();
    let count = text.media.len().to_string();
    let segments = segments.to_string();
    let mut params: Vec<(String, String)> = Vec::with_capacity(24);
    let mut add = |key: &str, value: &str| params.push((key.to_owned(), value.to_owned()));
    add("ToCountry", to.country);
    add("ToState", to.state);
    add("SmsMessageSid", &sid);
    add("NumMedia", &count);
    add("ToCity", to.city);
    add("FromZip", from.zip);
    add("SmsSid", &sid);
    add("FromState", from.state);
    add("SmsStatus", "received");
    add("FromCity", from.city);
    add("Body", &text.body);
    add("FromCountry", from.country);
    add("To", phone);
    if let Some(service) = &config.messaging_service_sid {
        add("MessagingServiceSid", service);
    }
    add("ToZip", to.zip);
    add("NumSegments", &segments);
    add("MessageSid", &sid);
    add("AccountSid", account_sid);
    add("From", &text.from);
    add("ApiVersion", "2010-04-01");
    for (index, media) in text.media.iter().enumerate() {
        add(&format!("MediaUrl{index}"), &media.url);
        add(&format!("MediaContentType{index}"), &media.content_type);
    }
    if let (true, Some(keyword)) = (config.advanced_opt_out, keyword) {
        add("OptOutType", keyword.as_str());
    }
    params
}
