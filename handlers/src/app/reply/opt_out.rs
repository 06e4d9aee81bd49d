//! Handles the keywords that stop and start texts.

use super::{InboundText, ReplyService, TurnError, progress::Progress, turn::Attempt};
use crate::{
    app::{bookings::BookingService, error_chain::ErrorChain},
    domain::{
        digest::sha256_hex,
        opt_out::{Keyword, keyword},
    },
    ports::TurnClaim,
};

impl InboundText {
    /// The keyword that the text consists of. Twilio's reading takes precedence.
    pub(super) fn keyword(&self) -> Option<Keyword> {
        self.opt_out_type.or_else(|| keyword(&self.body))
    }
}

impl ReplyService {
    /// Handles a keyword. Returns true when the text needs no answer, because Twilio has answered
    /// it.
    pub(super) async fn handle_keyword(
        &self,
        attempt: &Attempt<'_>,
        progress: &Progress,
    ) -> Result<bool, TurnError> {
        let (text, store) = (attempt.text, &self.ports.store);
        match text.keyword() {
            None => Ok(false),
            Some(Keyword::Help) => Ok(true),
            Some(Keyword::Stop) => {
                self.record_opt_out(text).await;
                Ok(true)
            }
            Some(Keyword::Start) => {
                // "Yes" from a customer who is not opted out answers a question.
                let meant = text.opt_out_type.is_some() || store.opted_out(&text.phone).await?;
                if meant {
                    // Silence is stored before the opt-in: when the webhook is repeated, the
                    // customer is opted in already, and "Yes" would be taken for an answer to a
                    // question.
                    if let TurnClaim::Acquired(_) = self.claim(attempt, progress).await? {
                        self.finish(attempt, progress, Vec::new(), false).await?;
                    }
                    self.record_opt_in(text).await;
                }
                Ok(meant)
            }
        }
    }

    /// Records an opt-in. Twilio has it already and does not repeat it, so the owner hears when it is
    /// lost: the customer would get no answer any more.
    async fn record_opt_in(&self, text: &InboundText) {
        let customer = text.phone.masked();
        match self.ports.store.set_opted_out(&text.phone, false, text.now).await {
            Ok(()) => tracing::info!(customer, "opted in"),
            Err(error) => {
                tracing::error!(customer, error = %ErrorChain(&error), "failed to record an opt-in");
                let body = format!(
                    "{} wants texts again, but this could not be recorded, so they get no answers. \
                     Please call them, and have them text START again.",
                    text.phone.as_str()
                );
                self.alert(&format!("opt-in-lost#{}", text.sid), &body, text.now).await;
            }
        }
    }

    /// Records an opt-out. Whatever fails, a customer who wrote STOP gets no text.
    async fn record_opt_out(&self, text: &InboundText) {
        match self.ports.store.set_opted_out(&text.phone, true, text.now).await {
            Ok(()) => {
                tracing::info!(customer = text.phone.masked(), "opted out");
                self.notify_owner_of_opt_out(text).await;
            }
            Err(error) => {
                tracing::error!(
                    customer = text.phone.masked(), error = %ErrorChain(&error), "failed to record an opt-out"
                );
                let body = format!(
                    "{} asked for no more texts, but this could not be recorded. Please do not text them.",
                    text.phone.as_str()
                );
                self.alert(&format!("opt-out-lost#{}", text.sid), &body, text.now).await;
            }
        }
    }

    /// Texts the owner if a customer who opted out has open bookings, because nobody can remind
    /// them by text. Once for the same bookings, however often it is said.
    pub(super) async fn notify_owner_of_opt_out(&self, text: &InboundText) {
        let store = self.ports.store.as_ref();
        let bookings =
            BookingService { store, calendar: &self.calendar, now: text.now, fence: None };
        let open = match bookings.open(&text.phone).await {
            Ok(open) => open,
            Err(error) => {
                tracing::error!(error = %ErrorChain(&error), "failed to read the bookings of an opted-out customer");
                return;
            }
        };
        if open.is_empty() {
            return;
        }
        let summaries: Vec<_> = open.iter().map(|booking| booking.summary()).collect();
        let body = format!(
            "{} wants no more texts. The booking stands: {}",
            text.phone.as_str(),
            summaries.join("; ")
        );
        let id = sha256_hex(&["stop", &body]);
        self.alert(&format!("stop#{id}"), &body, text.now).await;
    }
}
