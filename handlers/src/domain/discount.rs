//! Discounts: the owner's ceiling decides, never the conversation.

/// Highest percentage that anybody can ask for.
const WHOLE: i64 = 100;

/// What becomes of a request for a discount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// At or below the ceiling.
    Approved,
    /// Above the ceiling.
    AboveCeiling,
}

/// A percentage that is no discount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("discount_percent must be a whole number from 1 to 100")]
pub struct PercentError;

/// Reads a percentage.
///
/// # Errors
/// Outside of 1 to 100.
pub fn percent(number: i64) -> Result<u8, PercentError> {
    u8::try_from(number).ok().filter(|_| (1..=WHOLE).contains(&number)).ok_or(PercentError)
}

/// Decides on a discount.
pub fn decide(percent: u8, ceiling: u8) -> Decision {
    if percent <= ceiling { Decision::Approved } else { Decision::AboveCeiling }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_itself_is_approved() {
        assert_eq!(decide(15, 15), Decision::Approved);
        assert_eq!(decide(16, 15), Decision::AboveCeiling);
        assert_eq!(decide(1, 0), Decision::AboveCeiling);
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
