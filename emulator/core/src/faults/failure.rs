//! How a call fails.

use std::{ops::RangeInclusive, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::Crash;

/// How one call fails. Every field may be combined with `delay_ms`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// HTTP status of the response, whose body is in the provider's own error format.
    #[serde(default, deserialize_with = "of_failure", skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The provider's own error code, such as `21610` or `insufficient_quota`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Value of the `Retry-After` header, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// Real time to wait before responding, in milliseconds. A step waits for a call to the database
    /// that is delayed by at most 5 s, also when its caller does not; a longer delay means a call
    /// that hangs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// Closes the connection `before` the call has any effect, `after` it (a lost acknowledgement), or
    /// `mid-stream`, when half of the response is sent, which only the model's endpoints can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
    /// Responds 200 with a body that is not JSON. Only the model's endpoints can.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub malformed: bool,
    /// A failure that only a database has.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub database_fault: Option<DatabaseFault>,
    /// Terminates the calling function at the moment that `cut` says.
    #[serde(skip)]
    pub crash: Option<Crash>,
}

/// Failures that only a database has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DatabaseFault {
    /// Another transaction holds the row: nothing is written.
    Conflict,
    /// The call takes effect, and half of its response arrives.
    Truncated,
    /// The response's `x-amz-crc32` header belongs to another body.
    WrongCrc,
    /// The database has forgotten the call's `ClientRequestToken`, as it does after ten minutes.
    ExpiredToken,
    /// An eventually consistent read returns the rows as they were when the fault was armed.
    Stale,
}

impl DatabaseFault {
    /// Every kind with its name in scenarios.
    pub const ALL: [(&str, Self); 5] = [
        ("conflict", Self::Conflict),
        ("truncated", Self::Truncated),
        ("wrong-crc", Self::WrongCrc),
        ("expired-token", Self::ExpiredToken),
        ("stale", Self::Stale),
    ];

    /// The operations that can fail so; `None` is all of them.
    pub fn operations(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Conflict => Some(&[
                "PutItem",
                "UpdateItem",
                "DeleteItem",
                "TransactGetItems",
                "TransactWriteItems",
            ]),
            Self::ExpiredToken => Some(&["TransactWriteItems", "ExecuteTransaction"]),
            Self::Stale => Some(&["GetItem", "Query", "Scan", "BatchGetItem"]),
            Self::Truncated | Self::WrongCrc => None,
        }
    }

    /// Whether an exchange of this name can fail so. `dynamodb.*` is any operation, so it always can.
    pub fn can_happen_to(self, name: &str) -> bool {
        let Some(operation) = name.strip_prefix("dynamodb.") else { return false };
        operation == "*" || self.operations().is_none_or(|all| all.contains(&operation))
    }
}

/// Where a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// The call has no effect.
    Before,
    /// The call takes effect, its response is lost.
    After,
    /// The call takes effect, and half of its response arrives. Only responses of the model; the
    /// database's are [`DatabaseFault::Truncated`].
    MidStream,
}

impl Cut {
    /// The words for it, in the order of the variants.
    pub const NAMES: [&str; 3] = ["before", "after", "mid-stream"];
}

impl std::fmt::Display for Failure {
    /// In the words of scenarios: `503`, `cut-before`, `stale, delay 200ms`; empty when nothing fails.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut words = Vec::new();
        words.extend(self.status.map(|status| status.to_string()));
        words.extend(self.code.clone());
        words.extend(self.cut.map(|cut| match cut {
            Cut::Before => "cut-before".to_owned(),
            Cut::After => "cut-after".to_owned(),
            Cut::MidStream => "cut mid-stream".to_owned(),
        }));
        words.extend(self.malformed.then(|| "malformed".to_owned()));
        words.extend(self.database_fault.and_then(|fault| {
            let (name, _) = DatabaseFault::ALL.iter().find(|(_, other)| *other == fault)?;
            Some((*name).to_owned())
        }));
        words.extend(self.delay_ms.map(|delay| format!("delay {delay}ms")));
        words.extend(self.crash.as_ref().map(|_| "crash".to_owned()));
        f.write_str(&words.join(", "))
    }
}

impl Failure {
    /// Statuses that a failure can have. A scenario that armed a success would test nothing.
    pub const STATUSES: RangeInclusive<u16> = 300..=599;

    /// The names of failures in scenarios, in the order in which help lists them. The JSON Schema,
    /// the reader of scenarios and hints for misspelt names use this table.
    pub const NAMES: [&str; 9] = [
        "throttled",
        "conflict",
        "stale",
        "cut-before",
        "cut-after",
        "truncated",
        "wrong-crc",
        "expired-token",
        "malformed",
    ];

    /// The failure with one of [`Failure::NAMES`]; `None` for any other name.
    ///
    /// ```
    /// use rehearse_core::faults::{Cut, Failure};
    ///
    /// assert_eq!(Failure::named("cut-after").unwrap().cut, Some(Cut::After));
    /// assert_eq!(Failure::named("no such failure"), None);
    /// ```
    pub fn named(name: &str) -> Option<Self> {
        let nothing = Self::default();
        match name {
            "throttled" => Some(Self {
                status: Some(400),
                code: Some("ThrottlingException".into()),
                ..nothing
            }),
            "cut-before" => Some(Self { cut: Some(Cut::Before), ..nothing }),
            "cut-after" => Some(Self { cut: Some(Cut::After), ..nothing }),
            "malformed" => Some(Self { malformed: true, ..nothing }),
            _ => {
                let (_, fault) =
                    DatabaseFault::ALL.into_iter().find(|(known, _)| *known == name)?;
                Some(Self { database_fault: Some(fault), ..nothing })
            }
        }
    }

    /// Converts a number to a status of a failure.
    ///
    /// # Errors
    /// Explains which numbers are allowed, when the number is not one of [`Failure::STATUSES`].
    pub fn status_of(number: u64) -> Result<u16, String> {
        let status = u16::try_from(number).ok().filter(|status| Self::STATUSES.contains(status));
        status.ok_or_else(|| {
            let (least, most) = (Self::STATUSES.start(), Self::STATUSES.end());
            format!("{number} is not a status of a failure, which is from {least} to {most}")
        })
    }

    /// Whether a call of this name, or of some name of this pattern, can fail so.
    ///
    /// # Errors
    /// Says what it can happen to.
    pub fn can_happen_to(&self, name: &str) -> Result<(), String> {
        let model = name.starts_with("openai.");
        let what = match (self.cut, self.malformed) {
            (Some(Cut::MidStream), _) if !model => "a cut 'mid-stream'",
            (_, true) if !model => "'malformed'",
            _ => return Ok(()),
        };
        let other = if name.starts_with("dynamodb.") { "; a database has 'truncated'" } else { "" };
        Err(format!(
            "{what} cannot happen to {name}; it happens to openai.responses and openai.chat{other}"
        ))
    }

    /// The delay as a duration; zero when there is none.
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms.unwrap_or(0))
    }
}

fn of_failure<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    let number = Option::<u64>::deserialize(deserializer)?;
    number.map(Failure::status_of).transpose().map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_name_is_a_failure_and_every_database_fault_is_listed() {
        for name in Failure::NAMES {
            assert!(Failure::named(name).is_some(), "{name}");
        }
        for (name, _) in DatabaseFault::ALL {
            assert!(Failure::NAMES.contains(&name), "{name} is missing from NAMES");
        }
    }
}
