//! What the owner is told by text.

use jiff::Timestamp;

use super::{
    InboundText, ReplyService,
    limits::{NOTIFICATION_TIMEOUT, READ_TIMEOUT},
    progress::TurnState,
};
use crate::{
    app::{bookings::BookingService, error_chain::ErrorChain},
    domain::{
        background::BackgroundTask,
        digest::sha256_hex,
        outbox::{Callback, OutboxText, UnansweredText},
        phone::Phone,
        text,
        turn::TurnKey,
    },
};

/// Most characters of a customer's text that the owner gets by SMS; the row has all of it.
const MAX_QUOTED_CHARS: usize = 600;
const SECONDS_PER_HOUR: i64 = 60 * 60;

/// Why a customer is promised that the owner gets back to them. One turn has one at most: the first
/// is the cause of the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CallbackReason {
    /// The turn has no answer, because of this error.
    NoAnswer(String),
    /// The same, and it is unknown whether their booking was changed.
    NoAnswerDuringChange(String),
    /// The opt-outs cannot be read, so the customer hears nothing.
    OptOutUnreadable,
    /// The database failed while a tool ran.
    CalendarFailed,
    /// The assistant said that the owner gets back to the customer.
    Promised,
    /// The assistant is switched off.
    AssistantOff,
    /// Other texts of the same customer kept this one from being answered. A flood of them is one
    /// text to the owner within an hour.
    Crowded,
}

impl CallbackReason {
    /// What happened to `customer`, and what the owner is asked to do.
    fn sentences(&self, customer: &str) -> (String, &'static str) {
        match self {
            Self::NoAnswer(error) => {
                (format!("{customer} got no answer ({error})."), " Please text them back.")
            }
            Self::NoAnswerDuringChange(error) => (
                format!(
                    "{customer} got no answer ({error}) while their booking was being changed."
                ),
                " Please check it and text them back.",
            ),
            Self::OptOutUnreadable => (
                format!("{customer} heard nothing, because the opt-outs cannot be read."),
                " Please text them back if they want texts.",
            ),
            Self::CalendarFailed => (
                format!("The calendar failed while {customer} was texting."),
                " Please check their booking and text them back.",
            ),
            Self::Promised => {
                (format!("{customer} was promised an answer by you."), " Please text them back.")
            }
            Self::AssistantOff => (format!("The assistant is off, and {customer} wrote."), ""),
            Self::Crowded => (
                format!("{customer} texts faster than answers come, and some get none."),
                " There may be more of them. Please text or call them.",
            ),
        }
    }
}

impl ReplyService {
    /// What must be stored before the customer is told that the owner gets back to them.
    pub(super) fn callback(
        &self,
        text: &InboundText,
        reason: &CallbackReason,
        owner_reachable: bool,
    ) -> Callback {
        let (happened, wish) = reason.sentences(text.phone.as_str());
        let time = self.calendar.local(text.now).strftime("%-I:%M %p").to_string();
        let words: String = text.content().chars().take(MAX_QUOTED_CHARS).collect();
        let pictures: String = text.media_urls.iter().map(|url| format!(" {url}")).collect();
        let body = format!("{happened} {time}: \"{words}\"{pictures}{wish}");
        let id = match reason {
            CallbackReason::Crowded => crowd_id(&text.phone, text.now),
            _ => format!("callback#{}", text.sid),
        };
        let notification = match (&self.settings.owner_phone, owner_reachable) {
            (Some(owner), true) => OutboxText::messages(&id, owner, &body, text.now),
            _ => Vec::new(),
        };
        Callback {
            unanswered: UnansweredText {
                key: TurnKey { phone: text.phone.clone(), sid: text.sid.clone() },
                words: text.content(),
                media: text.media_urls.clone(),
                reason: happened,
                now: text.now,
            },
            notification,
        }
    }

    /// Whether the owner can be reached by text: a number is configured and has not opted out.
    pub(super) async fn owner_is_reachable(&self) -> bool {
        let Some(owner) = &self.settings.owner_phone else { return false };
        match self.with_timeout(READ_TIMEOUT, self.ports.store.opted_out(owner)).await {
            Some(Ok(opted_out)) => !opted_out,
            // What is stored now waits until it can be sent.
            Some(Err(_)) | None => true,
        }
    }

    /// Tells the owner something that is no answer to a customer, once per `id`.
    pub(super) async fn alert(&self, id: &str, body: &str, now: Timestamp) {
        let owner = self.settings.owner_phone.as_ref();
        let texts = owner.map(|owner| OutboxText::messages(id, owner, body, now));
        self.send_once(&texts.unwrap_or_default(), now).await;
    }

    /// Sends texts to the owner, unless the first one's id was used before.
    pub(super) async fn send_once(&self, texts: &[OutboxText], now: Timestamp) {
        if texts.is_empty() {
            tracing::warn!("no owner phone is configured, so nobody is alerted");
            return;
        }
        let stored = self.ports.store.enqueue_once(texts);
        match self.with_timeout(READ_TIMEOUT, stored).await {
            Some(Ok(false)) => {}
            Some(Ok(true)) => self.send_texts(texts, &TurnState::default(), now).await,
            Some(Err(error)) => {
                tracing::warn!(error = %ErrorChain(&error), "failed to store an alert, sending it at once");
                self.send_to_owner(texts).await;
            }
            None => {
                tracing::warn!("storing an alert timed out, sending it at once");
                self.send_to_owner(texts).await;
            }
        }
    }

    /// Tells the owner that a confirmation did not arrive, with what the customer has booked.
    pub async fn report_undelivered(&self, to: &Phone, sid: &str, code: &str, now: Timestamp) {
        let store = self.ports.store.as_ref();
        let bookings = BookingService { store, calendar: &self.calendar, now, fence: None };
        let booked = match self.with_timeout(READ_TIMEOUT, bookings.open(to)).await {
            Some(Ok(open)) if open.is_empty() => "They have no open booking.".to_owned(),
            Some(Ok(open)) => {
                let summaries: Vec<_> = open.iter().map(|booking| booking.summary()).collect();
                format!("Open: {}", summaries.join("; "))
            }
            Some(Err(_)) | None => "Their bookings cannot be read right now.".to_owned(),
        };
        let body = format!(
            "A confirmation to {} did not arrive (code {code}). Please call them. {booked}",
            to.as_str()
        );
        self.alert(&format!("undelivered#{sid}"), &body, now).await;
    }

    /// Sends texts to the owner without the outbox, when nothing can be stored. Returns whether
    /// Twilio took them.
    pub(super) async fn send_to_owner(&self, texts: &[OutboxText]) -> bool {
        if texts.is_empty() {
            return false;
        }
        let send = async {
            for text in texts {
                self.ports.sms.send(&text.to, &text.body, false).await?;
            }
            Ok::<(), crate::ports::SmsError>(())
        };
        match self.with_timeout(NOTIFICATION_TIMEOUT, send).await {
            Some(Ok(())) => true,
            Some(Err(error)) => {
                tracing::error!(error = %ErrorChain(&error), "failed to text the owner");
                false
            }
            None => {
                tracing::error!("texting the owner timed out");
                false
            }
        }
    }

    /// Has texts of the outbox sent, with those that the turn's changes of bookings put there. A
    /// failure is only logged: the schedule sends them within a minute.
    pub(super) async fn send_texts(&self, texts: &[OutboxText], state: &TurnState, now: Timestamp) {
        let mut ids = state.notifications.clone();
        ids.extend(texts.iter().map(|text| text.id.clone()));
        if ids.is_empty() || self.settings.owner_phone.is_none() && texts.is_empty() {
            return;
        }
        let task = BackgroundTask::SendTexts { ids, now };
        let timeout = self.settings.send_timeout;
        match self.with_timeout(timeout, self.ports.background.start(&task)).await {
            Some(Ok(())) => {}
            Some(Err(error)) => {
                tracing::error!(error = %ErrorChain(error.as_ref()), "failed to have the outbox sent");
            }
            None => tracing::error!("having the outbox sent timed out"),
        }
    }
}

/// Names what the owner is told of a customer's texts that crowd each other, the same in an hour of the
/// clock.
fn crowd_id(customer: &Phone, now: Timestamp) -> String {
    let hour = now.as_second().div_euclid(SECONDS_PER_HOUR);
    format!("crowd#{}", sha256_hex(&["crowd", customer.as_str(), &hour.to_string()]))
}

impl TurnState {
    /// The text for a customer of whom nobody could be told.
    pub(super) fn without_promise(&self) -> String {
        super::reply_text::reply_text(
            text::NO_PROMISE_REPLY,
            &self.confirmations,
            &Default::default(),
        )
    }
}
