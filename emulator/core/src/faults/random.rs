//! Which calls fail when a fault has a chance.

use serde::{Deserialize, Serialize};

use crate::random::mix;

/// The part of all calls that fail, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chance(u32);

const WHOLE: u32 = 1_000_000;

impl Chance {
    /// A chance from a number above 0 and up to 1; `None` for any other number.
    pub fn of(part: f64) -> Option<Self> {
        let millionths = part * f64::from(WHOLE);
        // In range, so nothing is cut off.
        (part > 0.0 && part <= 1.0).then(|| Self((millionths as u32).max(1)))
    }

    /// The part as a number.
    pub fn part(self) -> f64 {
        f64::from(self.0) / f64::from(WHOLE)
    }

    /// Whether the `nth` call that a fault applies to fails. The same for the same seed, on any
    /// machine.
    pub(super) fn decides(self, seed: u64, fault: u64, nth: u64) -> bool {
        let mixed = mix(mix(mix(seed) ^ fault) ^ nth);
        mixed % u64::from(WHOLE) < u64::from(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_lies_between_nothing_and_all() {
        for wrong in [0.0, -0.1, 1.1, f64::NAN] {
            assert_eq!(Chance::of(wrong), None);
        }
        let always = Chance::of(1.0).unwrap();
        assert!((0..100).all(|nth| always.decides(1, 2, nth)));
        assert!(Chance::of(1e-9).is_some());
    }
}
