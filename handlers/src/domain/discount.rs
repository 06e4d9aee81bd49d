//! Discounts. The owner's ceiling decides about them, never the conversation.

use jiff::{SignedDuration, Timestamp};

use super::turn::TurnKey;

/// Days for which a discount waits for its booking, and for which a customer who used one gets no
/// other.
const DISCOUNT_DAYS: i64 = 30;

/// A discount that is granted, until a booking uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscountGrant {
    /// The turn in which it is granted.
    pub key: TurnKey,
    /// Ordinal of the call in the turn. A repeat of the call is the same grant.
    pub ordinal: usize,
    /// Percent.
    pub percent: u8,
    /// Business time.
    pub now: Timestamp,
}

/// What was granted or used before this moment counts no more.
pub fn discounts_count_from(now: Timestamp) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(24 * DISCOUNT_DAYS)).unwrap_or(Timestamp::MIN)
}

/// Highest discount that can be asked for, in percent.
const MAX_PERCENT: i64 = 100;

/// The number is not a percentage of a discount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("discount_percent must be a whole number from 1 to 100")]
pub struct PercentError;

/// Parses a percentage.
///
/// # Errors
/// When it is not from 1 to 100.
pub fn percent(number: i64) -> Result<u8, PercentError> {
    u8::try_from(number).ok().filter(|_| (1..=MAX_PERCENT).contains(&number)).ok_or(PercentError)
}

/// Whether a discount may be given: it is at most the owner's ceiling. Both in percent.
pub fn is_approved(percent: u8, ceiling: u8) -> bool {
    percent <= ceiling
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_is_the_highest_approved_discount() {
        assert!(is_approved(15, 15));
        assert!(!is_approved(16, 15));
        assert!(!is_approved(1, 0));
    }

    #[test]
    fn percentages_have_a_range() {
        assert_eq!(percent(1), Ok(1));
        assert_eq!(percent(100), Ok(100));
        for bad in [-10, 0, 101, 356] {
            assert_eq!(percent(bad), Err(PercentError), "{bad}");
        }
    }
}
