//! SplitMix64: a small generator whose numbers depend on its seed alone.
//!
//! It spreads faults, orders and made-up ids. It is not for secrets.
//! Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.

const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// A sequence of numbers; equal seeds give equal sequences.
#[derive(Debug, Clone)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// Starts a sequence.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next_number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        spread(self.0)
    }

    /// Puts a list into a random order (Fisher-Yates).
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            let among = last as u64 + 1;
            list.swap(last, usize::try_from(self.next_number() % among).unwrap_or(0));
        }
    }
}

/// The first number of the sequence with this seed.
pub fn mix(seed: u64) -> u64 {
    spread(seed.wrapping_add(GAMMA))
}

/// Spreads a number over all its bits; a bijection that leaves 0 as it is.
pub fn spread(mut number: u64) -> u64 {
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_of_the_published_test_vector() {
        let mut numbers = SplitMix64::new(1_234_567);
        let first = [numbers.next_number(), numbers.next_number(), numbers.next_number()];
        assert_eq!(
            first,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
        assert_eq!(mix(1_234_567), first[0]);
    }

    #[test]
    fn a_shuffle_keeps_every_item_and_depends_on_the_seed_alone() {
        let shuffled = |seed| {
            let mut list: Vec<u8> = (0..20).collect();
            SplitMix64::new(seed).shuffle(&mut list);
            list
        };
        assert_eq!(shuffled(1), shuffled(1));
        assert_ne!(shuffled(1), shuffled(2));
        let mut sorted = shuffled(1);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..20).collect::<Vec<u8>>());
    }
}
