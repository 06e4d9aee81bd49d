//! By what the owner made a change.

use std::fmt;

/// By what a row of the owner's was changed last. A text changes neither his state nor the settings of
/// the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangedBy {
    /// The owner's page, on any device.
    OwnersPage,
    /// A program with the admin token.
    Api,
}

impl ChangedBy {
    /// The name in the table and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OwnersPage => "owners_page",
            Self::Api => "api",
        }
    }

    /// Parses the name in the table.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::OwnersPage, Self::Api].into_iter().find(|by| by.as_str() == text)
    }
}

/// As a message says it.
impl fmt::Display for ChangedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OwnersPage => "the owner's page",
            Self::Api => "the API",
        })
    }
}
