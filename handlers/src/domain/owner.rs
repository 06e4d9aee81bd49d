//! The owner's state: where Brandon is, and what the assistant may say and give.

mod patch;

use jiff::Timestamp;

pub use patch::{OwnerPatch, PatchError};

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
    /// What the notes say.
    Custom,
    /// Free.
    Available,
}

impl OwnerStatus {
    /// All of them.
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

    /// Reads the name in the table and in the API.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// The owner's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerState {
    /// What he is doing.
    pub status: OwnerStatus,
    /// Where he is.
    pub location: String,
    /// Free text, such as when he is back.
    pub notes: String,
    /// The bulletin for customers.
    pub special_info: String,
    /// The assistant's name.
    pub assistant_name: String,
    /// How the assistant greets; empty: as it likes.
    pub greeting: String,
    /// Discount ceiling in percent, 0 to [`MAX_DISCOUNT`].
    pub max_discount: u8,
    /// Whether the assistant answers texts.
    pub ai_answers_sms: bool,
    /// Whether the assistant offers extras.
    pub auto_upsell: bool,
    /// A field of the old system; kept as it is.
    pub voice: Option<String>,
    /// A field of the old system; kept as it is.
    pub ai_answers_calls: Option<bool>,
    /// Business time of the last change; `None` before the first.
    pub updated_at: Option<Timestamp>,
    /// Counts the changes; 0 when there is no row, or one of the old system.
    pub version: u64,
}

impl Default for OwnerState {
    fn default() -> Self {
        Self {
            status: OwnerStatus::Available,
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
            version: 0,
        }
    }
}

impl OwnerState {
    /// The state after a change at `now`: only the given fields differ.
    #[must_use]
    pub fn merge(&self, patch: &OwnerPatch, now: Timestamp) -> Self {
        let mut owner = self.clone();
        patch.apply(&mut owner);
        owner.changed(self.version, now)
    }

    /// The default state in place of this one; the fields of the old system are kept.
    #[must_use]
    pub fn reset(&self, now: Timestamp) -> Self {
        let owner = Self {
            voice: self.voice.clone(),
            ai_answers_calls: self.ai_answers_calls,
            ..Self::default()
        };
        owner.changed(self.version, now)
    }

    fn changed(self, from: u64, now: Timestamp) -> Self {
        Self { updated_at: Some(now), version: from.saturating_add(1), ..self }
    }
}
