//! Phone numbers in E.164 form.

use std::fmt;

/// A phone number in E.164 form: `+` and 8 to 15 digits.
///
/// `Debug` shows the last two digits only, and there is no `Display`, so that a number cannot reach
/// a log by accident.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(String);

/// Why a text is not a phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// Neither E.164 nor a US national form.
    #[error("a phone number is written like +19045550123 or (904) 555-0123")]
    Shape,
    /// A number of the North American plan with an area code or exchange that does not exist.
    #[error("there is no such US phone number")]
    NorthAmerican,
}

impl Phone {
    /// Parses what a person typed: E.164 with any punctuation, or a US national form.
    ///
    /// # Errors
    /// [`PhoneError::Shape`] or [`PhoneError::NorthAmerican`].
    pub fn parse(text: &str) -> Result<Self, PhoneError> {
        let text = text.trim();
        let (international, rest) = match text.strip_prefix('+') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut digits = String::with_capacity(15);
        for c in rest.chars() {
            match c {
                '0'..='9' => digits.push(c),
                ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}' => {}
                _ => return Err(PhoneError::Shape),
            }
        }
        let e164 = match (international, digits.len()) {
            (true, _) => format!("+{digits}"),
            (false, 10) => format!("+1{digits}"),
            (false, 11) if digits.starts_with('1') => format!("+{digits}"),
            (false, _) => return Err(PhoneError::Shape),
        };
        let phone = Self::from_e164(&e164)?;
        match e164.strip_prefix("+1") {
            Some(national) if !is_north_american(national) => Err(PhoneError::NorthAmerican),
            _ => Ok(phone),
        }
    }

    /// Parses exact E.164, as a carrier or a stored row has it; nothing is normalised.
    ///
    /// # Errors
    /// [`PhoneError::Shape`] when it is not `+` and 8 to 15 digits without a leading zero.
    pub fn from_e164(text: &str) -> Result<Self, PhoneError> {
        let digits = text.strip_prefix('+').ok_or(PhoneError::Shape)?;
        let sound = (8..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        if sound { Ok(Self(text.to_owned())) } else { Err(PhoneError::Shape) }
    }

    /// Whether it is a number of the shop's country, the one whose national forms [`Phone::parse`]
    /// reads: `+1`.
    pub fn is_domestic(&self) -> bool {
        self.0.starts_with("+1")
    }

    /// The number as text, in E.164 form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Three asterisks and the last two digits, for logs.
    pub fn masked(&self) -> String {
        let shown = self.0.len().saturating_sub(2);
        format!("***{}", self.0.get(shown..).unwrap_or_default())
    }
}

/// Whether these are ten digits whose area code and exchange both start with 2 to 9.
fn is_north_american(national: &str) -> bool {
    let digits = national.as_bytes();
    let leads = |at: usize| digits.get(at).is_some_and(|d| (b'2'..=b'9').contains(d));
    digits.len() == 10 && leads(0) && leads(3)
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone({})", self.masked())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn us_forms_are_one_number() {
        for form in [
            "+19042520927",
            "(904) 252-0927",
            "904-252-0927",
            "904.252.0927",
            "19042520927",
            " +1 904 252 0927 ",
        ] {
            assert_eq!(Phone::parse(form).unwrap().as_str(), "+19042520927", "{form}");
        }
    }

    #[test]
    fn other_countries_need_the_plus() {
        assert_eq!(Phone::parse("+44 20 7946 0958").unwrap().as_str(), "+442079460958");
        assert_eq!(Phone::parse("442079460958"), Err(PhoneError::Shape));
        assert!(!Phone::parse("+44 20 7946 0958").unwrap().is_domestic());
        assert!(Phone::parse("904-252-0927").unwrap().is_domestic());
    }

    #[test]
    fn impossible_numbers_are_refused() {
        for bad in ["", "+", "+1", "911", "+0904252092", "904-252-092x", "+1234567890123456"] {
            assert_eq!(Phone::parse(bad), Err(PhoneError::Shape), "{bad}");
        }
        for bad in ["+11042520927", "904-152-0927", "+1904252092"] {
            assert_eq!(Phone::parse(bad), Err(PhoneError::NorthAmerican), "{bad}");
        }
    }

    #[test]
    fn debug_hides_all_but_two_digits() {
        let phone = Phone::parse("+19042520927").unwrap();
        assert_eq!(format!("{phone:?}"), "Phone(***27)");
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_round_trips(text in "\\PC*") {
            if let Ok(phone) = Phone::parse(&text) {
                prop_assert_eq!(Phone::parse(phone.as_str()), Ok(phone.clone()));
                prop_assert_eq!(Phone::from_e164(phone.as_str()), Ok(phone));
            }
        }

        #[test]
        fn national_forms_mean_plus_one(area in 200u32..1000, exchange in 200u32..1000, line in 0u32..10_000) {
            let expected = format!("+1{area}{exchange}{line:04}");
            let phone = Phone::parse(&format!("({area}) {exchange}-{line:04}")).unwrap();
            prop_assert_eq!(phone.as_str(), expected);
        }
    }
}
