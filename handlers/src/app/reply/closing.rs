//! Ending a turn that has no answer of its own.

use crate::{
    app::errors::Chain,
    domain::{opt_out::Keyword, text, turn::TurnEnd},
    ports::ModelError,
};

use super::{
    InboundText, Reply, TurnError,
    compose::compose,
    limits::CLOSING,
    progress::{Progress, State},
};

impl TurnError {
    /// A name for logs, and for counting alerts.
    fn cause(&self) -> &'static str {
        match self {
            Self::Store(_) => "store",
            Self::Model(ModelError::Unavailable(_)) => "model_unavailable",
            Self::Model(ModelError::Rejected(_)) => "model_rejected",
            Self::Model(ModelError::Refused) => "model_refused",
            Self::Model(ModelError::Filtered) => "model_filtered",
            Self::Model(ModelError::Incomplete) => "model_incomplete",
            Self::Model(ModelError::Empty) => "model_empty",
            Self::RoundsExhausted => "rounds_exhausted",
            Self::Deadline => "deadline",
            Self::Lost => "lost",
        }
    }
}

impl Reply {
    /// The fallback, stored and told to the owner as far as the remaining time allows.
    pub(super) async fn give_up(
        &self,
        text: &InboundText,
        progress: &Progress,
        error: &TurnError,
    ) -> Vec<String> {
        let state = progress.snapshot();
        let cause = error.cause();
        tracing::error!(
            customer = text.phone.masked(),
            sid = text.sid,
            cause,
            error = %Chain(error),
            "no answer of its own: falling back"
        );
        if text.keyword() == Some(Keyword::Stop) {
            return Vec::new();
        }
        let whole = compose(text::FALLBACK, &state.lines, &Default::default());
        let messages = text::split(&whole);
        let alert = async {
            // The attempt that has the turn speaks for both.
            if !state.waits_for_other {
                let body = format!(
                    "{} got no answer ({error}). Please text them back.",
                    text.phone.as_str()
                );
                self.alert(cause, &body, text.now).await;
            }
        };
        let close = self.close(text, &state, &whole, &messages);
        let work = async { futures::join!(close, alert).0 };
        match self.within(CLOSING, work).await {
            Some(Closed::OptedOut) => Vec::new(),
            Some(Closed::Stored | Closed::NotStored) => messages,
            None => {
                tracing::warn!(sid = text.sid, "the turn was not closed in time");
                messages
            }
        }
    }

    /// Looks once more whether the customer wants no texts, stores the answer, leaves the queue.
    async fn close(
        &self,
        text: &InboundText,
        state: &State,
        whole: &str,
        messages: &[String],
    ) -> Closed {
        let store = &self.ports.store;
        let Some(held) = &state.held else { return Closed::NotStored };
        let opted_out = match store.opted_out(&text.phone).await {
            Ok(opted_out) => opted_out,
            // The customer has just written, not STOP, and the carrier blocks who opted out.
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "opt-out not read: answering a text");
                false
            }
        };
        // Only who has the conversation may change its memory, and is at the head of its queue.
        let memory =
            state.memory.clone().map(|memory| memory.with(text.content(), whole.to_owned()));
        let end = TurnEnd {
            key: held.key.clone(),
            holder: held.holder.clone(),
            now: held.now,
            messages: if opted_out { Vec::new() } else { messages.to_vec() },
            leave: state.place.clone().filter(|_| memory.is_some()),
            memory,
        };
        let (finished, left) = futures::join!(store.finish_turn(&end), async {
            match (&state.place, &end.leave) {
                (Some(me), None) => self.give_place_up(&text.phone, me).await,
                _ => Ok(()),
            }
        });
        if let Err(error) = left {
            tracing::warn!(error = %Chain(&error), "place in the queue not given up");
        }
        if let Err(error) = finished {
            tracing::warn!(error = %Chain(&error), "fallback not stored");
        }
        if opted_out { Closed::OptedOut } else { Closed::Stored }
    }
}

/// How closing went.
enum Closed {
    Stored,
    NotStored,
    OptedOut,
}
