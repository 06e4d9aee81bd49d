//! What came from outside: texts to the shop, and requests.

use jiff::Timestamp;
use serde_json::Value;

use rehearse_core::journal::{Exchange, ExchangeDetail};

/// A text or a request.
#[derive(Debug, Clone)]
pub(super) struct Happening {
    /// The position of its exchange.
    pub(super) seq: u64,
    /// Business time when it began.
    pub(super) at: Timestamp,
    /// Real time when it began.
    began_us: u64,
    /// Real time when it had been answered.
    ended_us: u64,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Text(Text),
    Request(Box<HttpRequest>),
}

/// A person's text to the shop.
#[derive(Debug, Clone)]
pub(super) struct Text {
    pub(super) sid: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) body: String,
    pub(super) media: Vec<String>,
}

/// A request through API Gateway.
#[derive(Debug, Clone)]
pub(super) struct HttpRequest {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) body: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) status: Option<u16>,
    pub(super) response: Value,
}

impl Happening {
    /// Who sent it, if it is a text.
    pub(super) fn sender(&self) -> Option<&str> {
        self.text().map(|text| text.from.as_str())
    }

    pub(super) fn text(&self) -> Option<&Text> {
        match &self.what {
            What::Text(text) => Some(text),
            What::Request(_) => None,
        }
    }
}

/// All texts and requests, in order.
pub(super) fn all(exchanges: &[Exchange]) -> Vec<Happening> {
    exchanges.iter().filter_map(|exchange| of(exchange, exchanges)).collect()
}

fn of(exchange: &Exchange, all: &[Exchange]) -> Option<Happening> {
    let ended = |exchange: &Exchange| exchange.started_us + exchange.took_us.unwrap_or(0);
    let (what, ended_us) = match &exchange.detail {
        ExchangeDetail::SmsReceived { sid, from, to, body, media } => {
            let deliveries = all.iter().filter(
                |other| matches!(&other.detail, ExchangeDetail::Webhook { sid: of, .. } if of == sid),
            );
            let text = Text {
                sid: sid.clone(),
                from: from.clone(),
                to: to.clone(),
                body: body.clone(),
                media: media.clone(),
            };
            (What::Text(text), deliveries.map(ended).max().unwrap_or(exchange.started_us))
        }
        // What another exchange caused belongs to that one's turn.
        ExchangeDetail::Http { .. } if exchange.turn.is_some_and(|turn| turn != exchange.seq) => {
            return None;
        }
        // Twilio's calls belong to their text, also when nothing says what caused them.
        ExchangeDetail::Http { path, body, .. }
            if [path, body].iter().any(|text| text.contains("MessageSid=")) =>
        {
            return None;
        }
        ExchangeDetail::Http { method, path, body, headers, .. } => {
            let outcome = exchange.outcome.clone().unwrap_or_default();
            let request = HttpRequest {
                method: method.clone(),
                path: path.clone(),
                body: body.clone(),
                headers: headers.clone(),
                status: outcome.status,
                response: outcome.response,
            };
            (What::Request(Box::new(request)), ended(exchange))
        }
        _ => return None,
    };
    Some(Happening {
        seq: exchange.seq,
        at: exchange.at,
        began_us: exchange.started_us,
        ended_us,
        what,
    })
}

/// Happenings that belong together because each began before an earlier one was answered. Requests
/// alone never do: pages load their parts at the same time, in no order that matters.
pub(super) fn groups(happenings: Vec<Happening>) -> Vec<Vec<Happening>> {
    let mut groups: Vec<Vec<Happening>> = Vec::new();
    let mut until = 0;
    for happening in happenings {
        let overlaps = happening.began_us < until;
        match groups.last_mut() {
            Some(group)
                if overlaps
                    && (happening.text().is_some() || group.iter().any(|h| h.text().is_some())) =>
            {
                until = until.max(happening.ended_us);
                group.push(happening);
            }
            _ => {
                until = happening.ended_us;
                groups.push(vec![happening]);
            }
        }
    }
    groups
}
