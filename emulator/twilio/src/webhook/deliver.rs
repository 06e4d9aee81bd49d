//! A received text goes to the webhook, along its redirects, or to the
//! fallback; what comes back is sent.

use std::sync::Arc;

use super::{accept::ReceivedMessage, attempts::WebhookCall};
use crate::{
    Delivery, Direction, WebhookKind, outbox::OutgoingMessage, server::Account, twiml::Reply,
};
use rehearse_core::journal::Via;

/// Most documents in one delivery.
const DOCUMENTS: usize = 50;

impl Account {
    pub async fn deliver(self: &Arc<Self>, received: &ReceivedMessage) -> Delivery {
        let mut delivery =
            Delivery { sid: received.sid, attempts: vec![], replies: vec![], errors: vec![] };
        let config = self.state().config.clone();
        let Some(url) = config.webhook_url else { return delivery };
        let mut fallback = config.fallback_url.map(|url| (url, config.fallback_method));
        let mut call = WebhookCall {
            kind: WebhookKind::Sms,
            sid: received.sid,
            url,
            method: config.webhook_method,
            params: received.params.clone(),
            signing: received.signing,
            person: &received.person,
            replies: 0,
        };
        for _ in 0..DOCUMENTS {
            let done = self.attempt(&call).await;
            delivery.errors.extend(done.warnings);
            delivery.errors.extend(done.attempts.iter().filter_map(|attempt| attempt.error));
            delivery.attempts.extend(done.attempts);
            match done.result {
                Ok(page) => {
                    // The first is in the attempt already.
                    delivery.errors.extend(page.warnings.into_iter().skip(1));
                    call.replies += page.replies.len();
                    for reply in page.replies {
                        match self.reply(outgoing(reply, received)) {
                            Ok(sid) => delivery.replies.push(sid),
                            Err(code) => delivery.errors.push(code),
                        }
                    }
                    let Some((url, method)) = page.redirect else { return delivery };
                    (call.url, call.method) = (url, method);
                }
                Err(code) => {
                    let Some((url, method)) = fallback.take() else { return delivery };
                    let failed = call.url.split('#').next().unwrap_or_default().to_owned();
                    call.params.push(("ErrorCode".into(), code.to_string()));
                    call.params.push(("ErrorUrl".into(), failed));
                    (call.kind, call.url, call.method) = (WebhookKind::Fallback, url, method);
                }
            }
        }
        delivery.errors.push(14106);
        delivery
    }
}

fn outgoing(reply: Reply, received: &ReceivedMessage) -> OutgoingMessage {
    OutgoingMessage {
        to: reply.to,
        body: reply.body,
        media: reply.media,
        direction: Direction::OutboundReply,
        via: Via::Twiml,
        in_reply_to: Some(received.sid),
        callback: reply.callback,
        service: None,
        send_at: None,
    }
}
