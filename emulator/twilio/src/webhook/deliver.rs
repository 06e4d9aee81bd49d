//! A received text goes to the webhook, along its redirects, or to the
//! fallback; what comes back is sent.

use std::sync::Arc;

use super::{accept::Received, attempts::Job};
use crate::{Delivery, Direction, Hook, outbox::Outgoing, server::Inner, twiml::Reply};
use rehearse_core::journal::Via;

/// Most documents in one delivery.
const DOCUMENTS: usize = 50;

impl Inner {
    pub async fn deliver(self: &Arc<Self>, received: &Received) -> Delivery {
        let mut delivery =
            Delivery { sid: received.sid, attempts: vec![], replies: vec![], errors: vec![] };
        let config = self.state().config.clone();
        let Some(url) = config.webhook_url else { return delivery };
        let mut fallback = config.fallback_url.map(|url| (url, config.fallback_method));
        let mut job = Job {
            hook: Hook::Sms,
            sid: received.sid,
            url,
            method: config.webhook_method,
            params: received.params.clone(),
            signing: received.signing,
            person: &received.person,
            replies: 0,
        };
        for _ in 0..DOCUMENTS {
            let done = self.attempt(&job).await;
            delivery.errors.extend(done.warnings);
            delivery.errors.extend(done.attempts.iter().filter_map(|attempt| attempt.error));
            delivery.attempts.extend(done.attempts);
            match done.result {
                Ok(page) => {
                    // The first is in the attempt already.
                    delivery.errors.extend(page.warnings.into_iter().skip(1));
                    job.replies += page.replies.len();
                    for reply in page.replies {
                        match self.reply(outgoing(reply, received)) {
                            Ok(sid) => delivery.replies.push(sid),
                            Err(code) => delivery.errors.push(code),
                        }
                    }
                    let Some((url, method)) = page.redirect else { return delivery };
                    (job.url, job.method) = (url, method);
                }
                Err(code) => {
                    let Some((url, method)) = fallback.take() else { return delivery };
                    let failed = job.url.split('#').next().unwrap_or_default().to_owned();
                    job.params.push(("ErrorCode".into(), code.to_string()));
                    job.params.push(("ErrorUrl".into(), failed));
                    (job.hook, job.url, job.method) = (Hook::Fallback, url, method);
                }
            }
        }
        delivery.errors.push(14106);
        delivery
    }
}

fn outgoing(reply: Reply, received: &Received) -> Outgoing {
    Outgoing {
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
