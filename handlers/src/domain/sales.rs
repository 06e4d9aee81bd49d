//! Discounts and upsells, stored for the owner.

use jiff::Timestamp;

use super::{catalogue::Upsell, turn::TurnKey};

/// A discount or an upsell in a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SalesRecord {
    /// The turn.
    pub key: TurnKey,
    /// Ordinal of the tool call in the turn.
    pub ordinal: usize,
    /// Business time of the turn.
    pub now: Timestamp,
    /// What happened.
    pub kind: SalesEvent,
}

/// A discount that was asked for, or an upsell that was offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SalesEvent {
    /// A discount.
    Discount {
        /// Percent asked for.
        percent: u8,
        /// Whether it is within the owner's ceiling.
        approved: bool,
        /// Why, in the model's words.
        reason: String,
    },
    /// An upsell.
    Upsell {
        /// What was offered.
        item: Upsell,
        /// Whether the customer took it.
        accepted: bool,
        /// Price in dollars from the catalogue; `None` when it is agreed in the shop.
        price: Option<u32>,
    },
}
