//! How a call fails.

use std::{ops::RangeInclusive, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::Crash;

/// How one call fails. All parts may be combined with `delay`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// HTTP status that the provider answers with, in its own error format.
    #[serde(default, deserialize_with = "of_failure", skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The provider's own error code, such as `21610` or `insufficient_quota`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// `Retry-After`, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// Real time to wait before answering, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// The connection is closed: `before` the call has any effect, or `after` it (a lost acknowledgement).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
    /// What only a database does.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub database_fault: Option<DatabaseFault>,
    /// The function that makes the call ends where `cut` says.
    #[serde(skip)]
    pub crash: Option<Crash>,
}

/// Failures that only a database has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DatabaseFault {
    /// Another transaction holds the row: nothing is written.
    Conflict,
    /// The call takes effect, and half of its answer arrives.
    Truncated,
    /// The answer's `x-amz-crc32` belongs to another body.
    WrongCrc,
    /// The database has forgotten the call's `ClientRequestToken`, as it does after ten minutes.
    ExpiredToken,
    /// An eventually consistent read answers with the rows as they were when the fault was armed.
    Stale,
}

impl DatabaseFault {
    /// All of them, by their names in scenarios.
    pub const ALL: [(&str, Self); 5] = [
        ("conflict", Self::Conflict),
        ("truncated", Self::Truncated),
        ("wrong-crc", Self::WrongCrc),
        ("expired-token", Self::ExpiredToken),
        ("stale", Self::Stale),
    ];

    /// The operations that it can happen to; `None` is all of them.
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

    /// Whether it can happen to an operation: `dynamodb.PutItem`, or `dynamodb.*` for any.
    pub fn can_happen_to(self, name: &str) -> bool {
        let Some(operation) = name.strip_prefix("dynamodb.") else { return false };
        operation == "*" || self.operations().is_none_or(|all| all.contains(&operation))
    }
}

/// Where a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// The call has no effect.
    Before,
    /// The call takes effect, its answer is lost.
    After,
}

impl Failure {
    /// The statuses with which a provider fails: what looks like a success fails nobody, and a
    /// scenario that arms it would prove something false.
    pub const STATUSES: RangeInclusive<u16> = 300..=599;

    /// A number as such a status.
    ///
    /// # Errors
    /// Any other number, in words.
    pub fn status_of(number: u64) -> Result<u16, String> {
        let status = u16::try_from(number).ok().filter(|status| Self::STATUSES.contains(status));
        status.ok_or_else(|| {
            let (least, most) = (Self::STATUSES.start(), Self::STATUSES.end());
            format!("{number} is no status of a failure, which is from {least} to {most}")
        })
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
