//! Texts to customers: characters, length, and what must not be in them.

mod gsm7;
mod leads;
mod split;
mod talk;

pub use gsm7::to_gsm7;
pub use leads::{lead_ids, without_foreign_leads};
pub use split::{MAX_CHARS, split};
pub use talk::without_talk_of_foreign_leads;

/// The owner's name in texts and in the prompt.
pub const OWNER_NAME: &str = "Brandon";

/// What a customer hears when no answer could be made. It claims nothing that did not happen.
pub const FALLBACK: &str =
    "Sorry, I can't answer right now. We have your text and Brandon will get back to you.";

/// What a customer hears while the assistant is switched off.
pub const OWNER_ANSWERS: &str = "Thanks for your text! Brandon will answer you himself.";

/// The last text to a customer who asked in their own words for no more of them.
pub const GOODBYE: &str =
    "You won't get any more texts from us. Text START if you change your mind.";
