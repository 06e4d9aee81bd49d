//! Message sids: `SM`, or `MM` with media, and 32 hexadecimal digits.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};
use thiserror::Error;

use rehearse_core::random::mix;

/// The sid of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sid {
    has_media: bool,
    id: u128,
}

/// The error when a text is not a message sid.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a message sid (SM or MM and 32 hexadecimal digits)")]
pub struct InvalidSid(String);

impl Sid {
    /// The 128 bits after the prefix.
    pub(super) fn bits(self) -> u128 {
        self.id
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:032x}", if self.has_media { "MM" } else { "SM" }, self.id)
    }
}

impl FromStr for Sid {
    type Err = InvalidSid;

    fn from_str(text: &str) -> Result<Self, InvalidSid> {
        let invalid = || InvalidSid(text.to_owned());
        let (has_media, digits) = match (text.strip_prefix("SM"), text.strip_prefix("MM")) {
            (Some(digits), _) => (false, digits),
            (_, Some(digits)) => (true, digits),
            _ => return Err(invalid()),
        };
        if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(invalid());
        }
        let id = u128::from_str_radix(digits, 16).map_err(|_| invalid())?;
        Ok(Self { has_media, id })
    }
}

impl Serialize for Sid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Generates sids that differ from each other and are the same for equal seeds.
#[derive(Debug, Clone)]
pub(super) struct SidGenerator {
    seed: u64,
    next: u64,
}

impl SidGenerator {
    pub fn new(seed: u64) -> Self {
        Self { seed, next: 0 }
    }

    pub fn generate(&mut self, has_media: bool) -> Sid {
        let count = self.next;
        self.next += 1;
        // `mix` is a bijection, so the low half alone never repeats.
        let low = mix(count.wrapping_add(self.seed));
        let high = mix(low ^ self.seed.rotate_left(32));
        Sid { has_media, id: u128::from(high) << 64 | u128::from(low) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn sids_are_the_same_for_a_seed_and_never_repeat() {
        let (mut one, mut two) = (SidGenerator::new(7), SidGenerator::new(7));
        let sids: HashSet<Sid> = (0..10_000).map(|_| one.generate(false)).collect();
        assert_eq!(sids.len(), 10_000);
        assert!((0..10_000).all(|_| sids.contains(&two.generate(false))));
        assert_ne!(SidGenerator::new(8).generate(false), SidGenerator::new(7).generate(false));
    }

    #[test]
    fn sids_read_what_they_print() {
        let sid = SidGenerator::new(1).generate(true);
        assert!(sid.to_string().starts_with("MM") && sid.to_string().len() == 34);
        assert_eq!(sid.to_string().parse(), Ok(sid));
        for wrong in [
            "",
            "SM",
            "SM12",
            "XX00000000000000000000000000000001",
            "SM+0000000000000000000000000000001",
            "SM0000000000000000000000000000000é",
        ] {
            assert!(wrong.parse::<Sid>().is_err(), "{wrong}");
        }
    }
}
