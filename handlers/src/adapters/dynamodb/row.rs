//! Reads and writes single attributes. Reading is lenient where an older deployment wrote
//! differently (numbers as strings, optional fields missing) and strict where a guess could do
//! harm.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use crate::{domain::phone::Phone, ports::StoreError};

/// A row as the SDK represents it.
pub(super) type Row = HashMap<String, AttributeValue>;

/// Builds a row from attributes by name.
pub(super) fn row<'a>(attributes: impl IntoIterator<Item = (&'a str, AttributeValue)>) -> Row {
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn seconds(time: Timestamp) -> AttributeValue {
    number(time.as_second())
}

/// Reads one row of a table. Errors name table and attribute, never a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowReader<'a> {
    table: &'static str,
    row: &'a Row,
}

impl<'a> RowReader<'a> {
    pub(super) fn new(table: &'static str, row: &'a Row) -> Self {
        Self { table, row }
    }

    pub(super) fn malformed(&self, name: &str, expected: &str) -> StoreError {
        StoreError::Malformed { table: self.table, what: format!("{name} is not {expected}") }
    }

    /// The attribute; `None` when it is missing or null.
    pub(super) fn get(&self, name: &str) -> Option<&'a AttributeValue> {
        self.row.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(super) fn text(&self, name: &str) -> Result<&'a str, StoreError> {
        self.text_or_none(name)?.ok_or_else(|| self.malformed(name, "there"))
    }

    pub(super) fn text_or_none(&self, name: &str) -> Result<Option<&'a str>, StoreError> {
        match self.get(name) {
            None => Ok(None),
            Some(AttributeValue::S(text)) => Ok(Some(text)),
            Some(_) => Err(self.malformed(name, "a string")),
        }
    }

    /// A string; empty when the attribute is missing.
    pub(super) fn text_or_empty(&self, name: &str) -> Result<String, StoreError> {
        Ok(self.text_or_none(name)?.unwrap_or_default().to_owned())
    }

    pub(super) fn integer(&self, name: &str) -> Result<i64, StoreError> {
        self.integer_or_none(name)?.ok_or_else(|| self.malformed(name, "there"))
    }

    /// A number, or a string that holds one; a fraction is cut off.
    pub(super) fn integer_or_none(&self, name: &str) -> Result<Option<i64>, StoreError> {
        match self.get(name) {
            None => Ok(None),
            Some(AttributeValue::N(digits) | AttributeValue::S(digits)) => {
                integer(digits).map(Some).ok_or_else(|| self.malformed(name, "a whole number"))
            }
            Some(_) => Err(self.malformed(name, "a number")),
        }
    }

    /// A boolean, or a string or number that stands for one.
    pub(super) fn boolean_or_none(&self, name: &str) -> Result<Option<bool>, StoreError> {
        let value = match self.get(name) {
            None => return Ok(None),
            Some(AttributeValue::Bool(value)) => Some(*value),
            Some(AttributeValue::S(text)) if text.eq_ignore_ascii_case("true") => Some(true),
            Some(AttributeValue::S(text)) if text.eq_ignore_ascii_case("false") => Some(false),
            Some(AttributeValue::N(digits)) => integer(digits).map(|number| number != 0),
            Some(_) => None,
        };
        value.map(Some).ok_or_else(|| self.malformed(name, "true or false"))
    }

    /// Seconds since the Unix epoch.
    pub(super) fn seconds(&self, name: &str) -> Result<Timestamp, StoreError> {
        Timestamp::from_second(self.integer(name)?).map_err(|_| self.malformed(name, "a time"))
    }

    /// Milliseconds since the Unix epoch.
    pub(super) fn millis(&self, name: &str) -> Result<Timestamp, StoreError> {
        Timestamp::from_millisecond(self.integer(name)?).map_err(|_| self.malformed(name, "a time"))
    }

    /// A phone number in E.164 form, or as an owner typed it into the old system.
    pub(super) fn phone(&self, name: &str) -> Result<Phone, StoreError> {
        let text = self.text(name)?;
        Phone::from_e164(text)
            .or_else(|_| Phone::parse(text))
            .map_err(|_| self.malformed(name, "a phone number"))
    }

    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, StoreError> {
        let expected = || self.malformed(name, "a list of strings");
        let Some(AttributeValue::L(values)) = self.get(name) else { return Err(expected()) };
        values.iter().map(|value| value.as_s().cloned().map_err(|_| expected())).collect()
    }
}

fn integer(digits: &str) -> Option<i64> {
    let digits = digits.trim();
    if let Ok(number) = digits.parse() {
        return Some(number);
    }
    // The old system wrote some times as floats.
    let number: f64 = digits.parse().ok()?;
    // From 2^53 on a float cannot represent every whole number.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "in range, and the fraction is cut off on purpose"
    )]
    (number.abs() < EXACT).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_be_strings_and_floats() {
        let row = row([
            ("n", number(12)),
            ("s", text(" 12 ")),
            ("f", number("1770750600.75")),
            ("e", number("1.2E1")),
            ("x", text("twelve")),
            ("huge", number("1E30")),
        ]);
        let reader = RowReader::new("Leads", &row);
        assert_eq!(reader.integer("n").unwrap(), 12);
        assert_eq!(reader.integer("s").unwrap(), 12);
        assert_eq!(reader.integer("f").unwrap(), 1_770_750_600);
        assert_eq!(reader.integer("e").unwrap(), 12);
        assert_eq!(reader.integer_or_none("none").unwrap(), None);
        let error = reader.integer("x").unwrap_err().to_string();
        assert_eq!(error, "a row of Leads is malformed: x is not a whole number");
        assert!(reader.integer("huge").is_err());
    }

    #[test]
    fn null_is_missing_and_empty_is_not() {
        let row = row([("null", AttributeValue::Null(true)), ("empty", text(""))]);
        let reader = RowReader::new("Leads", &row);
        assert_eq!(reader.text_or_none("null").unwrap(), None);
        assert_eq!(reader.text_or_none("empty").unwrap(), Some(""));
        assert!(reader.text("null").is_err());
    }

    #[test]
    fn booleans_may_be_words_or_numbers() {
        let row = row([
            ("b", AttributeValue::Bool(true)),
            ("s", text("False")),
            ("n", number(1)),
            ("x", text("maybe")),
        ]);
        let reader = RowReader::new("OwnerState", &row);
        assert_eq!(reader.boolean_or_none("b").unwrap(), Some(true));
        assert_eq!(reader.boolean_or_none("s").unwrap(), Some(false));
        assert_eq!(reader.boolean_or_none("n").unwrap(), Some(true));
        assert!(reader.boolean_or_none("x").is_err());
    }

    #[test]
    fn an_error_does_not_repeat_the_value() {
        let row = row([("phone", text("904 nonsense"))]);
        let error = RowReader::new("Leads", &row).phone("phone").unwrap_err().to_string();
        assert_eq!(error, "a row of Leads is malformed: phone is not a phone number");
    }
}
