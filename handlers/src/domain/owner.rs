//! The owner's state: what Brandon is doing, and what the assistant may say and grant.

mod patch;
mod until;

use jiff::Timestamp;

use super::changed_by::ChangedBy;

pub use patch::{OwnerPatch, PatchError};
pub use until::Until;

/// Highest discount ceiling that the owner can set, in percent.
pub const MAX_DISCOUNT: u8 = 25;

/// What the owner is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerStatus {
    /// At work.
    Working,
    /// At the gym.
    Gym,
    /// Driving.
    Driving,
    /// On a break.
    Break,
    /// Asleep.
    Sleeping,
    /// Described in the notes.
    Custom,
    /// Free.
    Available,
}

impl OwnerStatus {
    /// All statuses.
    pub const ALL: [Self; 7] = [
        Self::Working,
        Self::Gym,
        Self::Driving,
        Self::Break,
        Self::Sleeping,
        Self::Custom,
        Self::Available,
    ];

    /// The name in the table and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Gym => "gym",
            Self::Driving => "driving",
            Self::Break => "break",
            Self::Sleeping => "sleeping",
            Self::Custom => "custom",
            Self::Available => "available",
        }
    }

    /// Parses the name in the table and in the API.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// The owner's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerState {
    /// What the owner is doing.
    pub status: OwnerStatus,
    /// Until when the status lasts; slots that begin before it are blocked.
    pub until: Option<Until>,
    /// Where the owner is.
    pub location: String,
    /// Free text, such as when the owner is back.
    pub notes: String,
    /// An announcement for customers.
    pub special_info: String,
    /// The assistant's name.
    pub assistant_name: String,
    /// How the assistant greets; when empty, it decides itself.
    pub greeting: String,
    /// Discount ceiling in percent, 0 to [`MAX_DISCOUNT`].
    pub max_discount: u8,
    /// Whether the assistant answers texts.
    pub ai_answers_sms: bool,
    /// Whether the assistant offers extras.
    pub auto_upsell: bool,
    /// A field of the old system, kept unchanged.
    pub voice: Option<String>,
    /// A field of the old system, kept unchanged.
    pub ai_answers_calls: Option<bool>,
    /// Business time of the last change; `None` before the first.
    pub updated_at: Option<Timestamp>,
    /// By what it was changed last; `None` before the first change, and for a row of an older version.
    pub changed_by: Option<ChangedBy>,
    /// Number of changes; 0 without a row, or for a row of the old system.
    pub version: u64,
}

impl Default for OwnerState {
    fn default() -> Self {
        Self {
            status: OwnerStatus::Available,
            until: None,
            location: "shop".to_owned(),
            notes: String::new(),
            special_info: String::new(),
            assistant_name: "Linda".to_owned(),
            greeting: String::new(),
            max_discount: 15,
            ai_answers_sms: true,
            auto_upsell: true,
            voice: None,
            ai_answers_calls: None,
            updated_at: None,
            changed_by: None,
            version: 0,
        }
    }
}

impl OwnerState {
    /// The state after a change at `now`. Only the given fields differ, and the version is one
    /// higher.
    #[must_use]
    pub fn merge(&self, patch: &OwnerPatch, by: ChangedBy, now: Timestamp) -> Self {
        let mut owner = self.clone();
        patch.apply(&mut owner);
        owner.changed(self.version, by, now)
    }

    /// The default state with a version one higher; the fields of the old system are kept.
    #[must_use]
    pub fn reset(&self, by: ChangedBy, now: Timestamp) -> Self {
        let owner = Self {
            voice: self.voice.clone(),
            ai_answers_calls: self.ai_answers_calls,
            ..Self::default()
        };
        owner.changed(self.version, by, now)
    }

    fn changed(self, from: u64, by: ChangedBy, now: Timestamp) -> Self {
        let version = from.saturating_add(1);
        Self { updated_at: Some(now), changed_by: Some(by), version, ..self }
    }
}
