//! Texts of the journal in the words of a scenario: templates in place of what has a name.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Map, Value};

/// Dates that are further away than this stand in the file as they are.
const MOST_DAYS: i32 = 400;

/// What stands in place of what.
#[derive(Debug)]
pub(super) struct Words {
    /// A literal and the template's expression, the longest literal first.
    names: Vec<(String, String)>,
    zone: TimeZone,
}

impl Words {
    pub(super) fn new(zone: TimeZone) -> Self {
        Self { names: Vec::new(), zone }
    }

    /// Writes `{{ expression }}` in place of `literal` from now on. The first name of a literal counts.
    pub(super) fn name(&mut self, literal: impl Into<String>, expression: impl Into<String>) {
        let literal = literal.into();
        if literal.is_empty() || self.names.iter().any(|(known, _)| *known == literal) {
            return;
        }
        self.names.push((literal, expression.into()));
        self.names.sort_by_key(|(literal, _)| std::cmp::Reverse(literal.len()));
    }

    /// A text that a person or the model wrote. Dates stay as they are.
    pub(super) fn text(&self, text: &str) -> String {
        self.write(text, None)
    }

    /// A value whose dates are counted from the day of a moment.
    pub(super) fn value(&self, value: &Value, at: Timestamp) -> Value {
        let today = self.day(at);
        self.walk(value, today)
    }

    fn walk(&self, value: &Value, today: Date) -> Value {
        match value {
            Value::String(text) => self.write(text, Some(today)).into(),
            Value::Array(list) => list.iter().map(|value| self.walk(value, today)).collect(),
            Value::Object(map) => {
                let entries = map.iter().map(|(key, value)| (key.clone(), self.walk(value, today)));
                entries.collect::<Map<_, _>>().into()
            }
            other => other.clone(),
        }
    }

    /// The date at a moment.
    pub(super) fn day(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone.clone()).date()
    }

    fn write(&self, text: &str, today: Option<Date>) -> String {
        let mut written = String::new();
        let mut is_template = false;
        let mut rest = text;
        let mut before: Option<char> = None;
        while let Some(next) = rest.chars().next() {
            let found = self
                .named(rest, before)
                .or_else(|| today.and_then(|today| date(rest, before, today)))
                .or_else(|| opening(rest));
            let (length, expression) = match found {
                Some((length, expression)) => (length, Some(expression)),
                None => (next.len_utf8(), None),
            };
            match expression {
                Some(expression) => {
                    is_template = true;
                    written.push_str(&format!("{{{{ {expression} }}}}"));
                }
                None => written.push(next),
            }
            before = rest[..length].chars().next_back();
            rest = &rest[length..];
        }
        // A template loses a line break at its end.
        if is_template && written.ends_with('\n') {
            written.pop();
            written.push_str("{{ '\\n' }}");
        }
        written
    }

    /// What is named and stands at the beginning of a text, as a word of its own.
    fn named(&self, text: &str, before: Option<char>) -> Option<(usize, String)> {
        self.names.iter().find_map(|(literal, expression)| {
            let rest = text.strip_prefix(literal.as_str())?;
            let joins = |edge: Option<char>, other: Option<char>| {
                edge.is_some_and(char::is_alphanumeric) && other.is_some_and(char::is_alphanumeric)
            };
            let joined = joins(literal.chars().next(), before)
                || joins(literal.chars().next_back(), rest.chars().next());
            (!joined).then(|| (literal.len(), expression.clone()))
        })
    }
}

/// A date such as `2026-02-11` at the beginning of a text.
fn date(text: &str, before: Option<char>, today: Date) -> Option<(usize, String)> {
    let length = "2026-02-11".len();
    let word = text.get(..length)?;
    let next = text[length..].chars().next();
    if before.is_some_and(|c| c.is_alphanumeric() || c == '-')
        || next.is_some_and(|c| c.is_ascii_digit() || c == '-')
    {
        return None;
    }
    if !word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        return None;
    }
    let date: Date = word.parse().ok()?;
    let days = today.until(date).ok()?.get_days();
    (days.abs() <= MOST_DAYS).then(|| (length, format!("day({days})")))
}

/// What would begin a template.
fn opening(text: &str) -> Option<(usize, String)> {
    let opening = text.get(..2).filter(|word| ["{{", "{%", "{#"].contains(word))?;
    Some((opening.len(), format!("'{opening}'")))
}

#[cfg(test)]
mod tests {
    use rehearse_core::{clock::Clock, matcher::Vars};
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_filled_in_as_it_was() {
        let at: Timestamp = "2026-02-10T20:10:00Z".parse().unwrap();
        let mut words = Words::new(TimeZone::UTC);
        words.name("LEAD-1-abc", "lead_id");
        words.name("+19045550101", "ann");
        words.name("9045550101", "ann[2:]");
        let vars = Vars::new(Clock::stopped(at), TimeZone::UTC);
        vars.set("lead_id", json!("LEAD-1-abc"));
        vars.set("ann", json!("+19045550101"));
        for text in [
            "Ref LEAD-1-abc, +19045550101 or 9045550101",
            "xLEAD-1-abc LEAD-1-abcd",
            "{{ it }} {% if %} {# no #} }} {{",
            "{{",
            "{{ customer }}",
            "ends {{\n",
            "line\nline\n",
            "2026-02-11 day#2026-02-09 2026-02-11T14:00 12026-02-11 2026-13-45",
            "🙂 LEAD-1-abc\n",
            "é{",
            "",
        ] {
            let written = words.value(&json!(text), at);
            assert_eq!(vars.render(&written).unwrap(), json!(text), "{written}");
            let written = words.text(text);
            assert_eq!(vars.text(&written).unwrap(), text, "{written}");
        }
        assert_eq!(words.value(&json!("2026-02-11"), at), "{{ day(1) }}");
        assert_eq!(words.text("2026-02-11"), "2026-02-11");
        assert_eq!(words.text("LEAD-1-abc"), "{{ lead_id }}");
    }
}
