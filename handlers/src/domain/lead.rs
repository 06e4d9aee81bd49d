//! Leads: one per booking, with an id that customers see.

use std::fmt;

use jiff::{Timestamp, tz::TimeZone};

use super::{
    catalogue::Repair, digest::sha256_hex, label, phone::Phone, slot::Slot, time_needed::TimeNeeded,
};

/// A lead's id, `LEAD-YYYYMMDD-HHMMSS-xxxxxx`: UTC time of the turn and six hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeadId(String);

/// The text is not a lead id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a booking reference looks like LEAD-20260211-140000-1a2b3c")]
pub struct LeadIdError;

impl LeadId {
    /// The id of what `identity` does at `now`: the same for a repeat, another one for anything
    /// else.
    pub fn derive(now: Timestamp, identity: &[&str]) -> Self {
        let digest = sha256_hex(identity);
        let suffix = digest.get(..6).unwrap_or(&digest);
        let utc = now.to_zoned(TimeZone::UTC);
        Self(format!("LEAD-{}-{suffix}", utc.strftime("%Y%m%d-%H%M%S")))
    }

    /// Parses an id, including those of the old system (`LEAD-YYYYMMDD-HHMMSS-mmm`).
    ///
    /// # Errors
    /// When the text has another form.
    pub fn parse(text: &str) -> Result<Self, LeadIdError> {
        let text = text.trim();
        let mut parts = text.split('-');
        let digits = |part: Option<&str>, len: usize| {
            part.is_some_and(|p| p.len() == len && p.bytes().all(|b| b.is_ascii_digit()))
        };
        let sound = parts.next() == Some("LEAD")
            && digits(parts.next(), 8)
            && digits(parts.next(), 6)
            && parts.next().is_some_and(|suffix| match suffix.len() {
                3 => suffix.bytes().all(|b| b.is_ascii_digit()),
                6 => suffix.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
                _ => false,
            })
            && parts.next().is_none();
        if sound { Ok(Self(text.to_owned())) } else { Err(LeadIdError) }
    }

    /// The id in a stored row, whatever its form.
    pub fn from_row(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The id as text, as customers see it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LeadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// State of a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeadStatus {
    /// The lead holds its slot.
    Booked,
    /// The slot was freed.
    Cancelled,
    /// The repair is done.
    Completed,
}

impl LeadStatus {
    /// The name in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::Cancelled => "cancelled",
            Self::Completed => "completed",
        }
    }

    /// Parses the name in tables.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Booked, Self::Cancelled, Self::Completed].into_iter().find(|s| s.as_str() == text)
    }
}

/// Where a lead comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeadSource {
    /// A conversation by SMS.
    Sms,
    /// The booking form.
    Form,
}

impl LeadSource {
    /// The name in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Form => "form",
        }
    }

    /// Parses the name in tables.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Sms, Self::Form].into_iter().find(|s| s.as_str() == text)
    }
}

/// Who booked what, and when. Kept after the booking has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    /// Its id, the hash key of its row.
    pub id: LeadId,
    /// Business time of the booking in whole seconds: range key and `created_at` of its row.
    pub timestamp: Timestamp,
    /// The customer.
    pub phone: Phone,
    /// The appointment.
    pub slot: Slot,
    /// How long it keeps the owner.
    pub time_needed: TimeNeeded,
    /// The repair.
    pub repair: Repair,
    /// The device to repair.
    pub device: String,
    /// The customer's name, when known.
    pub customer_name: Option<String>,
    /// Where the owner drives to, for a visit.
    pub address: Option<String>,
    /// Its state.
    pub status: LeadStatus,
    /// Where it comes from.
    pub source: LeadSource,
    /// The approved discount that was bound to it, in percent.
    pub discount_percent: Option<u8>,
}

/// A repair with its device as texts name it: `iPhone screen`, or `screen` when the device is
/// unknown or is no model's name. Somebody typed the device, so it stands in no text of the shop
/// otherwise; the same holds for a repair of the old system.
pub fn repair_display_name(repair: &Repair, device: &str) -> String {
    let repair = match repair {
        Repair::Listed { .. } => repair.to_string(),
        Repair::Unlisted(_) => "repair".to_owned(),
    };
    match label::known_device(device) {
        Some(device) => format!("{device} {repair}"),
        None => repair,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_depend_on_time_and_identity_only() {
        let now: Timestamp = "2026-02-10T20:10:00Z".parse().unwrap();
        let id = LeadId::derive(now, &["SM1", "0"]);
        assert_eq!(id, LeadId::derive(now, &["SM1", "0"]));
        assert_ne!(id, LeadId::derive(now, &["SM1", "1"]));
        assert!(id.as_str().starts_with("LEAD-20260210-201000-"));
        assert_eq!(LeadId::parse(id.as_str()), Ok(id));
    }

    #[test]
    fn old_ids_are_read_and_others_refused() {
        assert!(LeadId::parse("LEAD-20250101-120000-123").is_ok());
        for bad in [
            "",
            "LEAD-20250101-120000-12",
            "LEAD-20250101-120000-1a2B3c",
            "LEAD-20250101-120000-123456-7",
            "lead-20250101-120000-123",
            "LEAD-2025x101-120000-123",
        ] {
            assert_eq!(LeadId::parse(bad), Err(LeadIdError), "{bad}");
        }
    }
}
