//! A change of the owner's state, as the API receives it.

use serde_json::{Map, Value};

use super::{MAX_DISCOUNT, OwnerState, OwnerStatus, Until};

/// Longest text of a field, in characters.
const MAX_TEXT: usize = 500;
/// What `until` may be.
const UNTIL: &str = "a time such as 2026-02-10T15:00, or null";
/// Longest name of the assistant, in characters.
const MAX_NAME: usize = 40;
/// Fields of the response that a page may send back; they are ignored.
const READ_ONLY: [&str; 4] = ["state_id", "updated_at", "changed_by", "version"];

/// The fields to change; the others stay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnerPatch {
    status: Option<OwnerStatus>,
    /// `Some(None)` clears it.
    until: Option<Option<Until>>,
    location: Option<String>,
    notes: Option<String>,
    special_info: Option<String>,
    assistant_name: Option<String>,
    greeting: Option<String>,
    max_discount: Option<u8>,
    ai_answers_sms: Option<bool>,
    auto_upsell: Option<bool>,
    voice: Option<String>,
    ai_answers_calls: Option<bool>,
    /// The version that the caller has seen; without it the change is made to whatever is there.
    expected_version: Option<u64>,
}

/// Why a change is refused. Every text names the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// The owner's state has no such field.
    #[error("Unknown field: {0}")]
    Unknown(String),
    /// The value is not allowed for the field.
    #[error("Invalid value for {field}: {expected}")]
    Invalid {
        /// The field.
        field: String,
        /// The allowed values.
        expected: &'static str,
    },
}

impl OwnerPatch {
    /// Parses a JSON object.
    ///
    /// # Errors
    /// [`PatchError`] for the first field that is unknown or has a value that is not allowed.
    pub fn from_json(fields: &Map<String, Value>) -> Result<Self, PatchError> {
        let mut patch = Self::default();
        for (field, value) in fields {
            patch.set(field, value)?;
        }
        Ok(patch)
    }

    /// Parses the fields of a form, where `true`, `false` and numbers are texts.
    ///
    /// # Errors
    /// [`PatchError`] for the first field that is unknown or has a value that is not allowed.
    pub fn from_pairs<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, PatchError> {
        let mut patch = Self::default();
        for (field, value) in pairs {
            patch.set(field, &Value::from(value))?;
        }
        Ok(patch)
    }

    /// Whether it has no field to change.
    pub fn changes_nothing(&self) -> bool {
        Self { expected_version: None, ..self.clone() } == Self::default()
    }

    /// The version that the caller has seen (`if_version`).
    pub fn expected_version(&self) -> Option<u64> {
        self.expected_version
    }

    /// Whether it blocks slots until some time.
    pub fn blocks_slots(&self) -> bool {
        matches!(self.until, Some(Some(_)))
    }

    fn set(&mut self, field: &str, value: &Value) -> Result<(), PatchError> {
        let parsed = match field {
            "status" => status(value).map(|v| self.status = Some(v)),
            "until" => until(value).map(|v| self.until = Some(v)),
            "location" => text(value, MAX_TEXT).map(|v| self.location = Some(v)),
            "notes" => text(value, MAX_TEXT).map(|v| self.notes = Some(v)),
            "special_info" => text(value, MAX_TEXT).map(|v| self.special_info = Some(v)),
            "assistant_name" => name(value).map(|v| self.assistant_name = Some(v)),
            "greeting" => text(value, MAX_TEXT).map(|v| self.greeting = Some(v)),
            "max_discount" => percent(value).map(|v| self.max_discount = Some(v)),
            "ai_answers_sms" => boolean(value).map(|v| self.ai_answers_sms = Some(v)),
            "auto_upsell" => boolean(value).map(|v| self.auto_upsell = Some(v)),
            "voice" => text(value, MAX_TEXT).map(|v| self.voice = Some(v)),
            "ai_answers_calls" => boolean(value).map(|v| self.ai_answers_calls = Some(v)),
            "if_version" => {
                let given = value.as_u64().ok_or("the version that the state had");
                given.map(|v| self.expected_version = Some(v))
            }
            known if READ_ONLY.contains(&known) => Ok(()),
            unknown => return Err(PatchError::Unknown(shortened(unknown))),
        };
        parsed.map_err(|expected| PatchError::Invalid { field: field.to_owned(), expected })
    }

    pub(super) fn apply(&self, owner: &mut OwnerState) {
        fn put<T: Clone>(given: &Option<T>, field: &mut T) {
            if let Some(value) = given {
                *field = value.clone();
            }
        }
        // A new status does not last until the old one's end; a page may send the old one back.
        if self.status.is_some_and(|status| status != owner.status) {
            owner.until = None;
        }
        put(&self.until, &mut owner.until);
        put(&self.status, &mut owner.status);
        put(&self.location, &mut owner.location);
        put(&self.notes, &mut owner.notes);
        put(&self.special_info, &mut owner.special_info);
        put(&self.assistant_name, &mut owner.assistant_name);
        put(&self.greeting, &mut owner.greeting);
        put(&self.max_discount, &mut owner.max_discount);
        put(&self.ai_answers_sms, &mut owner.ai_answers_sms);
        put(&self.auto_upsell, &mut owner.auto_upsell);
        if self.voice.is_some() {
            owner.voice.clone_from(&self.voice);
        }
        owner.ai_answers_calls = self.ai_answers_calls.or(owner.ai_answers_calls);
    }
}

fn status(value: &Value) -> Result<OwnerStatus, &'static str> {
    value
        .as_str()
        .and_then(OwnerStatus::parse)
        .ok_or("one of working, gym, driving, break, sleeping, custom, available")
}

fn until(value: &Value) -> Result<Option<Until>, &'static str> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        Value::String(text) => Until::parse(text).map(Some).ok_or(UNTIL),
        _ => Err(UNTIL),
    }
}

fn text(value: &Value, max: usize) -> Result<String, &'static str> {
    let text = value.as_str().ok_or("a text")?.trim();
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err("a text without control characters");
    }
    if text.chars().count() > max {
        return Err("a shorter text");
    }
    Ok(text.to_owned())
}

fn name(value: &Value) -> Result<String, &'static str> {
    match text(value, MAX_NAME)? {
        name if name.is_empty() || name.contains('\n') => Err("a name"),
        name => Ok(name),
    }
}

fn percent(value: &Value) -> Result<u8, &'static str> {
    let number = match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_u64(),
    };
    number
        .and_then(|n: u64| u8::try_from(n).ok())
        .filter(|n| *n <= MAX_DISCOUNT)
        .ok_or("a whole number from 0 to 25")
}

fn boolean(value: &Value) -> Result<bool, &'static str> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::String(text) if text == "true" => Ok(true),
        Value::String(text) if text == "false" => Ok(false),
        _ => Err("true or false"),
    }
}

/// The name of an unknown field as the error repeats it: at most 60 characters, without control
/// characters.
fn shortened(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(60).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::domain::changed_by::ChangedBy;

    fn patch(value: Value) -> Result<OwnerPatch, PatchError> {
        OwnerPatch::from_json(value.as_object().unwrap())
    }

    #[test]
    fn only_given_fields_change() {
        let before =
            OwnerState { voice: Some("alloy".to_owned()), version: 4, ..OwnerState::default() };
        let now: Timestamp = "2026-02-10T20:10:00Z".parse().unwrap();
        let patch = patch(json!({ "status": "gym", "max_discount": 0 })).unwrap();
        let after = before.merge(&patch, ChangedBy::Api, now);
        let expected = OwnerState {
            status: OwnerStatus::Gym,
            max_discount: 0,
            updated_at: Some(now),
            changed_by: Some(ChangedBy::Api),
            version: 5,
            ..before
        };
        assert_eq!(after, expected);
    }

    #[test]
    fn a_reset_keeps_the_old_fields() {
        let now: Timestamp = "2026-02-10T20:10:00Z".parse().unwrap();
        let before = OwnerState {
            status: OwnerStatus::Gym,
            voice: Some("alloy".to_owned()),
            ai_answers_calls: Some(false),
            version: 4,
            ..OwnerState::default()
        };
        let after = before.reset(ChangedBy::OwnersPage, now);
        assert_eq!(after.status, OwnerStatus::Available);
        assert_eq!((after.voice.as_deref(), after.ai_answers_calls), (Some("alloy"), Some(false)));
        assert_eq!((after.version, after.changed_by), (5, Some(ChangedBy::OwnersPage)));
    }

    #[test]
    fn errors_name_the_field() {
        for (value, message) in [
            (json!({ "colour": 1 }), "Unknown field: colour"),
            (
                json!({ "max_discount": 26 }),
                "Invalid value for max_discount: a whole number from 0 to 25",
            ),
            (
                json!({ "max_discount": -1 }),
                "Invalid value for max_discount: a whole number from 0 to 25",
            ),
            (
                json!({ "max_discount": 1.5 }),
                "Invalid value for max_discount: a whole number from 0 to 25",
            ),
            (
                json!({ "status": null }),
                "Invalid value for status: one of working, gym, driving, break, sleeping, custom, available",
            ),
            (json!({ "auto_upsell": "yes" }), "Invalid value for auto_upsell: true or false"),
            (json!({ "assistant_name": "" }), "Invalid value for assistant_name: a name"),
            (json!({ "notes": "x".repeat(501) }), "Invalid value for notes: a shorter text"),
        ] {
            assert_eq!(patch(value).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn a_form_says_the_same_as_json() {
        let form = OwnerPatch::from_pairs([("max_discount", "20"), ("ai_answers_sms", "false")]);
        let json = patch(json!({ "max_discount": 20, "ai_answers_sms": false }));
        assert_eq!(form, json);
    }

    #[test]
    fn a_page_may_send_the_whole_state_back() {
        let back = json!({ "state_id": "CURRENT", "version": 3, "updated_at": 1, "changed_by": "api", "status": "gym" });
        assert_eq!(patch(back), patch(json!({ "status": "gym" })));
    }
}
