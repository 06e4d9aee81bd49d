//! When an asynchronous invocation begins: when its caller has answered the request that it was made
//! in.
//!
//! Lambda's queue takes a moment, in which a caller that has nothing more to do answers. Without that
//! moment an invocation would overtake its caller's answer now and then, and no scenario could say
//! which text comes first.

use std::time::Duration;

use rehearse_core::journal::{Exchange, ExchangeDetail, Journal};

/// The longest moment: a caller that goes on working is not waited for.
const LONGEST: Duration = Duration::from_secs(1);

/// Waits until one of the requests in which the call can have been made has been answered.
///
/// These are the webhooks under way whose message the payload names, or else all webhooks under way,
/// or else the requests to the caller. They are those under way when this is called, not when the
/// future is polled first.
pub(super) fn answered(
    journal: &Journal,
    caller: Option<&str>,
    payload: &str,
) -> impl Future<Output = ()> + Send + use<> {
    answered_within(LONGEST, journal, caller, payload)
}

fn answered_within(
    longest: Duration,
    journal: &Journal,
    caller: Option<&str>,
    payload: &str,
) -> impl Future<Output = ()> + Send + use<> {
    let under_way = journal.select(0, |exchange| Request::of(exchange, caller, payload));
    let best = under_way.iter().map(|request| request.rank).min();
    let requests: Vec<u64> =
        under_way.iter().filter(|r| Some(r.rank) == best).map(|r| r.seq).collect();
    let journal = journal.clone();
    async move {
        let Some(first) = requests.iter().min().copied() else { return };
        let mut changes = journal.watch();
        let ended = |exchange: &Exchange| {
            (requests.contains(&exchange.seq) && exchange.outcome.is_some()).then_some(())
        };
        let all = requests.len();
        let is_answered = |_: &u64| {
            // Fewer are there when the journal was emptied.
            let left =
                journal.select(first, |exchange| requests.contains(&exchange.seq).then_some(()));
            left.len() < all || !journal.select(first, ended).is_empty()
        };
        // The journal is there as long as this is.
        let _ = tokio::time::timeout(longest, changes.wait_for(is_answered)).await;
    }
}

/// A request under way, the likelier ones of a lower rank.
struct Request {
    seq: u64,
    rank: u8,
}

impl Request {
    fn of(exchange: &Exchange, caller: Option<&str>, payload: &str) -> Option<Self> {
        if exchange.outcome.is_some() {
            return None;
        }
        let rank = match &exchange.detail {
            ExchangeDetail::Webhook { sid, .. } if payload.contains(sid.as_str()) => 0,
            ExchangeDetail::Webhook { .. } => 1,
            ExchangeDetail::Http { function: Some(function), .. }
                if caller == Some(function.as_str()) =>
            {
                2
            }
            _ => return None,
        };
        Some(Self { seq: exchange.seq, rank })
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use rehearse_core::{
        clock::Clock,
        journal::{Outcome, PendingExchange},
    };
    use rehearse_testutils::until;

    use super::*;

    fn webhook(journal: &Journal, sid: &str) -> PendingExchange {
        let detail = ExchangeDetail::Webhook {
            sid: sid.into(),
            attempt: 1,
            method: "POST".into(),
            url: String::new(),
            params: Vec::new(),
        };
        journal.begin("webhook.sms", detail)
    }

    fn request(journal: &Journal, function: &str) -> PendingExchange {
        let detail = ExchangeDetail::Http {
            function: Some(function.into()),
            method: "POST".into(),
            path: "/".into(),
            body: String::new(),
            headers: Vec::new(),
        };
        journal.begin("http.POST /", detail)
    }

    #[tokio::test]
    async fn the_webhook_that_the_payload_names_is_waited_for() {
        let journal = Journal::new(Clock::running());
        let (one, two) = (webhook(&journal, "SM1"), webhook(&journal, "SM2"));
        let own = request(&journal, "Front");
        let mut answered = Box::pin(answered(&journal, Some("Front"), r#"{"sid":"SM2"}"#));
        assert!((&mut answered).now_or_never().is_none());
        one.end(Outcome::default());
        own.end(Outcome::default());
        assert!((&mut answered).now_or_never().is_none(), "it is another's");
        two.end(Outcome::default());
        until("its own to count", answered).await;
    }

    #[tokio::test]
    async fn without_a_webhook_the_callers_own_request_is_waited_for() {
        let journal = Journal::new(Clock::running());
        let (other, own) = (request(&journal, "Other"), request(&journal, "Front"));
        let mut answered = Box::pin(answered(&journal, Some("Front"), "{}"));
        other.end(Outcome::default());
        assert!((&mut answered).now_or_never().is_none());
        own.end(Outcome::default());
        until("its own to count", answered).await;
    }

    #[tokio::test]
    async fn nothing_is_waited_for_when_nothing_is_under_way_or_the_journal_was_emptied() {
        let journal = Journal::new(Clock::running());
        assert!(answered(&journal, None, "{}").now_or_never().is_some());
        let _own = request(&journal, "Front");
        let answered = answered(&journal, Some("Front"), "{}");
        journal.clear();
        until("the end of the wait", answered).await;
    }

    #[tokio::test]
    async fn a_caller_that_goes_on_is_not_waited_for_longer() {
        let journal = Journal::new(Clock::running());
        let _own = request(&journal, "Front");
        let millisecond = Duration::from_millis(1);
        let answered = answered_within(millisecond, &journal, Some("Front"), "{}");
        until("the end of the wait", answered).await;
    }
}
