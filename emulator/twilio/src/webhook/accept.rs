//! A text arrives: it is recorded, keywords are acted on, and the parameters of
//! its webhook are fixed, so that every delivery of it is the same.

use std::sync::Arc;

use crate::{
    Direction, Inbound, Message, NumberConfig, Segments, Sid, Signing, Status, geo,
    opt_out::Keyword, outbox::OutgoingMessage, server::Account,
};
use rehearse_core::journal::{ExchangeDetail, Via};

/// A received text, ready for delivery.
#[derive(Debug)]
pub(crate) struct ReceivedMessage {
    pub sid: Sid,
    pub person: String,
    pub params: Vec<(String, String)>,
    pub signing: Signing,
}

impl Account {
    pub fn accept(self: &Arc<Self>, text: Inbound) -> Sid {
        let media: Vec<String> = text.media.iter().map(|media| media.url.clone()).collect();
        let (sid, notice) = self.record(&text, &media);
        self.journal.note(
            "sms.received",
            ExchangeDetail::SmsReceived {
                sid: sid.to_string(),
                from: text.from.clone(),
                to: self.options.number.clone(),
                body: text.body,
                media,
            },
        );
        if let Some(body) = notice {
            self.send(OutgoingMessage {
                to: text.from,
                body,
                media: Vec::new(),
                direction: Direction::OutboundReply,
                via: Via::Twilio,
                in_reply_to: Some(sid),
                callback: None,
                service: None,
                send_at: None,
            });
        }
        sid
    }

    /// Changes the state for a text that came in: its sid, and Twilio's own answer to it.
    fn record(&self, text: &Inbound, media: &[String]) -> (Sid, Option<String>) {
        let now = self.clock.now();
        let mut state = self.state();
        let state = &mut *state;
        let sid = text.sid.unwrap_or_else(|| state.sids.generate(!text.media.is_empty()));
        let size = Segments::of(&text.body, state.config.kind);
        let keyword = Keyword::of(&text.body, state.config.kind);
        let blocked = state.blocked.contains(&text.from);
        let notice = keyword.and_then(|word| word.notice(&text.body, state.config.kind, blocked));
        match keyword.map(|word| word.blocks(blocked)) {
            Some(true) => {
                state.blocked.insert(text.from.clone());
            }
            Some(false) => {
                state.blocked.remove(&text.from);
            }
            None => {}
        }
        state.messages.push(Message {
            sid,
            direction: Direction::Inbound,
            from: Some(text.from.clone()),
            to: self.options.number.clone(),
            body: text.body.clone(),
            media: media.to_vec(),
            status: Status::Received,
            error_code: None,
            segments: size.count,
            encoding: size.encoding,
            created: now,
            updated: now,
            sent: Some(now),
            service: state.config.messaging_service_sid.clone(),
            via: None,
            in_reply_to: None,
        });
        let account = &self.options.account_sid;
        let number = &self.options.number;
        let params = params(account, number, &state.config, sid, text, size.count, keyword);
        let received =
            ReceivedMessage { sid, person: text.from.clone(), params, signing: text.signing };
        state.received.insert(sid, Arc::new(received));
        (sid, notice)
    }
}

/// The recorded order of the wire.
fn params(
    account: &str,
    number: &str,
    config: &NumberConfig,
    sid: Sid,
    text: &Inbound,
    segments: u32,
    keyword: Option<Keyword>,
) -> Vec<(String, String)> {
    let (to, from) = (geo::location(number), geo::location(&text.from));
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
    add("To", number);
    if let Some(service) = &config.messaging_service_sid {
        add("MessagingServiceSid", service);
    }
    add("ToZip", to.zip);
    add("NumSegments", &segments);
    add("MessageSid", &sid);
    add("AccountSid", account);
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
