//! DynamoDB's numbers, which have up to 38 significant digits.

use std::fmt;

/// Most significant digits.
const MAX_DIGITS: usize = 38;
/// Largest and smallest power of ten of the first significant digit.
const MAX_POWER: i64 = 125;
const MIN_POWER: i64 = -130;

/// A number in parts: sign, significant digits without zeros at either end, and the power of ten of
/// the first digit. Zero has no digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Number {
    negative: bool,
    digits: String,
    power: i64,
}

impl Number {
    /// Parses a number as DynamoDB does; `None` if DynamoDB would refuse it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => (&rest[..at], rest[at + 1..].parse::<i64>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let all = format!("{whole}{fraction}");
        let kept = all.trim_start_matches('0');
        let before =
            i64::try_from(whole.len()).ok()? - i64::try_from(all.len() - kept.len()).ok()?;
        let power = exponent.checked_add(before)?.checked_sub(1)?;
        let digits = kept.trim_end_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Self { negative: false, digits, power: 0 });
        }
        let fits = digits.len() <= MAX_DIGITS && (MIN_POWER..=MAX_POWER).contains(&power);
        fits.then_some(Self { negative, digits, power })
    }

    /// Size in bytes by DynamoDB's rules: about one for two digits.
    pub(super) fn size_bytes(&self) -> usize {
        self.digits.len().div_ceil(2) + 1 + usize::from(self.negative)
    }
}

/// The digits as DynamoDB returns them, or with an exponent where most of them would be zeros.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let count = self.digits.len();
        match usize::try_from(self.power) {
            Ok(power) if power < MAX_DIGITS && power + 1 >= count => {
                let number = if count == 0 { "0" } else { &self.digits };
                write!(f, "{sign}{number}{}", "0".repeat((power + 1).saturating_sub(count.max(1))))
            }
            Ok(power) if power + 1 < count => {
                let (whole, fraction) = self.digits.split_at(power + 1);
                write!(f, "{sign}{whole}.{fraction}")
            }
            _ => write!(f, "{sign}{}E{}", self.digits, self.power + 1 - count as i64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_dynamodb_accepts_are_parsed() {
        let nines = "9".repeat(38);
        for text in
            ["0", "-0", "1.", ".5", "1E-130", "9.9E125", "+7", "1e+2", "00012.500", &nines, "0e999"]
        {
            assert!(Number::parse(text).is_some(), "{text}");
        }
        let long = "1".repeat(39);
        for text in [
            "", "-", ".", "NaN", "inf", "1e999", "1E126", "1E-131", "1_000", "0x1", "1 ", "1e",
            "é", &long,
        ] {
            assert!(Number::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_number_is_equal_however_it_is_written() {
        for (one, other) in
            [("1", "1.0"), ("100", "1e2"), ("-0", "0"), ("0.5", "5E-1"), ("1", "+01")]
        {
            assert_eq!(Number::parse(one), Number::parse(other), "{one} {other}");
        }
        for (one, other) in [("1", "-1"), ("1", "10"), ("1.5", "1.05")] {
            assert_ne!(Number::parse(one), Number::parse(other), "{one} {other}");
        }
        for (text, displayed) in [
            ("1.50", "1.5"),
            ("1e2", "100"),
            ("-0", "0"),
            ("5E-3", "5E-3"),
            ("-120.5", "-120.5"),
            ("1e60", "1E60"),
        ] {
            assert_eq!(Number::parse(text).unwrap().to_string(), displayed);
        }
        assert_eq!(Number::parse("-120.5").unwrap().size_bytes(), 4);
    }
}
