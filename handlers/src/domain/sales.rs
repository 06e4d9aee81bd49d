//! Discounts and upsells, stored for the owner.

use jiff::Timestamp;

use super::{catalogue::Upsell, turn::TurnKey};

/// A discount or an upsell of a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SalesRecord {
    /// The turn in which it was spoken of.
    pub key: TurnKey,
    /// Ordinal of the tool call in the turn.
    pub ordinal: usize,
    /// Business time of the turn.
    pub now: Timestamp,
    /// What it is.
    pub kind: SalesEvent,
}

/// What was asked for or offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SalesEvent {
    /// A discount.
    Discount {
        /// Percent asked for.
        percent: u8,
        /// Whether it is within the owner's ceiling.
        approved: bool,
        /// Why it was asked for, in the model's words.
        reason: String,
    },
    /// An upsell.
    Upsell {
        /// What was offered.
        item: Upsell,
        /// Whether the customer took it.
        accepted: bool,
        /// Dollars by the catalogue; `None` when it is decided in the shop.
        price: Option<u32>,
    },
}
