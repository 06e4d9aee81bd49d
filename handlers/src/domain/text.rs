//! Texts to customers: their characters, their length, and what must not be in them.

mod fold;
mod gsm7;
mod lead_ids;
mod redaction;
mod segments;
mod sentences;
mod split;

pub(crate) use fold::{fold, folded_lowercase};
pub use gsm7::to_gsm7;
pub use lead_ids::{find_lead_ids, remove_foreign_lead_ids, replace_foreign_lead_ids};
pub use redaction::remove_foreign_lead_clauses;
pub use segments::count_segments;
pub(crate) use sentences::sentences;
pub use split::{MAX_MESSAGE_UNITS, split_into_messages};

/// Whether a text confirms a change of a booking, so that its delivery matters.
pub fn is_confirmation(message: &str) -> bool {
    !find_lead_ids(message).is_empty()
}

/// The owner's name in texts and instructions.
pub const OWNER_NAME: &str = "Brandon";

/// Sent when there is no answer. Claims nothing that did not happen.
pub const FALLBACK_REPLY: &str =
    "Sorry, I can't answer right now. We have your text and Brandon will get back to you.";

/// Sent when an answer takes longer than Twilio waits, and follows.
pub const HOLDING_REPLY: &str = "One moment please, I'm still checking. I'll text you shortly.";

/// Sent when there is no answer and nobody could be told that the customer needs one.
pub const NO_PROMISE_REPLY: &str =
    "Sorry, I can't answer right now. Please call us, or text again later.";

/// Sent while the assistant is switched off and the owner has the text.
pub const ASSISTANT_OFF_REPLY: &str =
    "Thanks for your text! Brandon has it and answers you himself.";

/// The last text for a while to a customer who has sent more than are answered.
pub const TOO_MANY_TEXTS_REPLY: &str = "This conversation has reached its limit, and I can't \
                                        answer here for up to a day. If it is urgent, please call \
                                        us.";

/// The last text to a customer who asked in their own words for no more texts.
pub const OPT_OUT_REPLY: &str =
    "You won't get any more texts from us. Text START if you change your mind.";
