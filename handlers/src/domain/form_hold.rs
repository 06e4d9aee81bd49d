//! A time that the form holds until the number has confirmed it by the code that it was texted.
//!
//! The code itself is in the text alone; the row of the hold has its digest.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use subtle::ConstantTimeEq as _;

use super::{
    booking::RequestToken,
    digest::sha256_hex,
    lead::Lead,
    outbox::{OutboxText, TextKind},
    text::OWNER_NAME,
    usage::UsageLimit,
};

/// How long a time is held for its confirmation, in business time.
pub const HOLD_TIME: SignedDuration = SignedDuration::from_mins(10);
/// Codes that may be tried for one hold, right or wrong.
pub const CODE_TRIES: u32 = 5;
/// Codes that are texted to one number.
pub const CODES_TO_NUMBER: [UsageLimit; 1] =
    [UsageLimit { most: 3, within: SignedDuration::from_hours(1) }];
/// Codes that one address may ask for.
pub const CODES_FROM_ADDRESS: [UsageLimit; 1] =
    [UsageLimit { most: 10, within: SignedDuration::from_hours(1) }];
/// Codes that are texted at all: what strangers can cost the shop.
pub const CODES_IN_ALL: [UsageLimit; 1] =
    [UsageLimit { most: 100, within: SignedDuration::from_hours(24) }];

const CODE_DIGITS: usize = 6;
/// How many codes there are.
const CODES: u32 = 1_000_000;
/// Hexadecimal digits of the digest of a request's key.
const KEY_DIGITS: usize = 64;
/// Hexadecimal digits of what makes a hold's name secret.
const NONCE_DIGITS: usize = 32;

/// What the form asks for before it books.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FormConfirmation {
    /// Nothing.
    #[default]
    None,
    /// The code that was texted to the number.
    Sms,
}

impl FormConfirmation {
    /// Parses the value of the setting.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::None),
            "sms" => Some(Self::Sms),
            _ => None,
        }
    }
}

/// The name of a hold, which nobody can guess: the key of the request that it is for, and random
/// digits, which tell it from the key's other holds.
///
/// `Debug` hides it, so that it cannot reach a log by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct HoldId {
    key_hash: String,
    nonce: String,
}

impl HoldId {
    /// The name of a hold for a request's key. `nonce` is an identifier's random digits.
    pub fn new(key_hash: &str, nonce: &str) -> Self {
        Self { key_hash: key_hash.to_owned(), nonce: nonce.to_owned() }
    }

    /// Parses what its `Display` gives; `None` for anything else, which names no hold.
    pub fn parse(text: &str) -> Option<Self> {
        let (key_hash, nonce) = text.split_once('-')?;
        let is_hex = |text: &str, digits: usize| {
            text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        (is_hex(key_hash, KEY_DIGITS) && is_hex(nonce, NONCE_DIGITS))
            .then(|| Self::new(key_hash, nonce))
    }

    /// SHA-256 of the key of the request that it is for.
    pub fn key_hash(&self) -> &str {
        &self.key_hash
    }

    /// The random digits.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }
}

impl fmt::Display for HoldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.key_hash, self.nonce)
    }
}

impl fmt::Debug for HoldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HoldId(hidden)")
    }
}

/// Six digits. `Debug` hides them.
#[derive(Clone, PartialEq, Eq)]
pub struct FormCode(String);

/// The text is not a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Invalid code: it is the six digits of the text")]
pub struct FormCodeError;

impl FormCode {
    /// The code of an identifier: its number modulo a million, which is as good as even for random
    /// bits.
    pub fn from_random(identifier: &str) -> Self {
        let digits = identifier.chars().filter_map(|c| c.to_digit(16));
        let code = digits.fold(0, |code, digit| (code * 16 + digit) % CODES);
        Self(format!("{code:06}"))
    }

    /// Parses what a person typed; spaces and hyphens do not matter.
    ///
    /// # Errors
    /// When it is not six digits.
    pub fn parse(text: &str) -> Result<Self, FormCodeError> {
        let digits: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        let sound = digits.len() == CODE_DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
        if sound { Ok(Self(digits)) } else { Err(FormCodeError) }
    }

    fn digest(&self, id: &HoldId) -> String {
        sha256_hex(&["form code", id.key_hash(), id.nonce(), &self.0])
    }
}

impl fmt::Debug for FormCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FormCode(hidden)")
    }
}

/// A time that is held for a request of the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormHold {
    /// Its name.
    pub id: HoldId,
    /// What is booked once the number has confirmed it. Its timestamp is when the hold began.
    pub lead: Lead,
    /// SHA-256 of the request.
    pub fingerprint: String,
    /// SHA-256 of the code together with the hold's name.
    pub code_hash: String,
    /// Codes that were tried.
    pub tries: u32,
    /// When the time is free again, in whole seconds.
    pub until: Timestamp,
}

impl FormHold {
    /// A hold that begins at the lead's timestamp.
    pub fn new(id: HoldId, lead: Lead, fingerprint: String, code: &FormCode) -> Self {
        let until = lead.timestamp.checked_add(HOLD_TIME).unwrap_or(Timestamp::MAX);
        Self { code_hash: code.digest(&id), id, lead, fingerprint, tries: 0, until }
    }

    /// Whether it can still be confirmed.
    pub fn stands(&self, now: Timestamp) -> bool {
        now < self.until && self.tries < CODE_TRIES
    }

    /// Whether this is its code. Compares digests, so that the duration reveals nothing.
    pub fn is_right(&self, code: &FormCode) -> bool {
        code.digest(&self.id).as_bytes().ct_eq(self.code_hash.as_bytes()).into()
    }

    /// The text with the code, of one segment.
    pub fn code_text(&self, code: &FormCode, now: Timestamp) -> Vec<OutboxText> {
        let body = format!(
            "Your code is {}. It books {} at {OWNER_NAME}'s phone repair shop and is good for {} \
             minutes. If you did not ask for it, ignore this text.",
            code.0,
            self.lead.slot,
            HOLD_TIME.as_mins(),
        );
        let id = OutboxText::id_of(TextKind::Code, self.lead.id.as_str());
        OutboxText::messages(&id, &self.lead.phone, &body, now)
    }
}

/// Whether a text holds a code whose hold is over: nobody can use it.
pub fn is_code_of_the_past(text: &OutboxText, now: Timestamp) -> bool {
    text.kind() == Some(TextKind::Code) && now.duration_since(text.created) >= HOLD_TIME
}

/// A hold to write, on the condition that its time is free and its date unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFormHold {
    /// The hold.
    pub hold: FormHold,
    /// The transaction's token.
    pub token: RequestToken,
    /// Version of the date's schedule on which it was decided.
    pub day_version: u64,
    /// The key's hold that has ended, as it was read; this one takes its place.
    pub replaces: Option<HoldId>,
    /// The texts with the code.
    pub texts: Vec<OutboxText>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        catalogue::{Repair, RepairKind},
        lead::{LeadId, LeadSource, LeadStatus},
        phone::Phone,
        slot::{Slot, SlotTime},
    };

    fn id() -> HoldId {
        HoldId::new(&"0f".repeat(32), &"a1".repeat(16))
    }

    fn hold(code: &FormCode) -> FormHold {
        let lead = Lead {
            id: LeadId::from_row("LEAD-20260210-201000-1a2b3c"),
            timestamp: "2026-02-10T20:10:00Z".parse().unwrap(),
            phone: Phone::parse("+19042520927").unwrap(),
            slot: Slot::new(jiff::civil::date(2026, 2, 11), SlotTime::hour_of_day(12)),
            time_needed: Default::default(),
            repair: Repair::at_shop(RepairKind::Screen),
            device: "iPhone".into(),
            customer_name: None,
            address: None,
            status: LeadStatus::Booked,
            source: LeadSource::Form,
            discount_percent: None,
        };
        FormHold::new(id(), lead, "fingerprint".into(), code)
    }

    #[test]
    fn a_code_is_six_digits_of_the_random_bits() {
        assert_eq!(FormCode::from_random("0000000000000000000000000000002a").0, "000042");
        assert_eq!(FormCode::from_random("000000000000000000000000000f4240").0, "000000");
        let random = "9f86d081884c4d639a5c4e2b7d0a1c3e";
        let number = u128::from_str_radix(random, 16).unwrap() % 1_000_000;
        assert_eq!(FormCode::from_random(random).0, format!("{number:06}"));
    }

    #[test]
    fn a_typed_code_has_six_digits_and_nothing_else() {
        for typed in ["012345", " 012 345\n", "012-345"] {
            assert_eq!(FormCode::parse(typed).unwrap().0, "012345", "{typed}");
        }
        for typed in ["", "12345", "0123456", "O12345", "٠١٢٣٤٥"] {
            assert_eq!(FormCode::parse(typed), Err(FormCodeError), "{typed}");
        }
    }

    #[test]
    fn only_its_own_code_is_right_and_for_its_own_hold_only() {
        let (code, other) = (FormCode("012345".into()), FormCode("012346".into()));
        let hold = hold(&code);
        assert!(hold.is_right(&code) && !hold.is_right(&other));
        let elsewhere = FormHold { id: HoldId::new(&"0f".repeat(32), "b2"), ..hold };
        assert!(!elsewhere.is_right(&code));
    }

    #[test]
    fn it_stands_for_ten_minutes_and_five_tries() {
        let hold = hold(&FormCode("012345".into()));
        let at = |seconds| hold.lead.timestamp + SignedDuration::from_secs(seconds);
        assert!(hold.stands(at(0)) && hold.stands(at(599)) && !hold.stands(at(600)));
        assert!(FormHold { tries: 4, ..hold.clone() }.stands(at(0)));
        assert!(!FormHold { tries: 5, ..hold.clone() }.stands(at(0)));
    }

    #[test]
    fn the_text_is_one_segment_and_is_known_as_one_with_a_code() {
        let code = FormCode("012345".into());
        let hold = hold(&code);
        let texts = hold.code_text(&code, hold.lead.timestamp);
        assert_eq!(texts.len(), 1);
        let text = &texts[0];
        assert_eq!(
            text.body,
            "Your code is 012345. It books Wed Feb 11, 12:00 PM at Brandon's phone repair shop and \
             is good for 10 minutes. If you did not ask for it, ignore this text."
        );
        assert!(text.body.len() <= 160, "{}", text.body.len());
        assert_eq!(text.kind(), Some(TextKind::Code));
        let later = |minutes| text.created + SignedDuration::from_mins(minutes);
        assert!(!is_code_of_the_past(text, later(9)) && is_code_of_the_past(text, later(10)));
    }

    #[test]
    fn names_are_read_back_and_nothing_is_printed() {
        let id = id();
        assert_eq!(HoldId::parse(&id.to_string()), Some(id.clone()));
        for text in ["", "-", "hold", &"0f".repeat(32), &format!("{}-{}", "0F".repeat(32), "a")] {
            assert_eq!(HoldId::parse(text), None, "{text}");
        }
        let hold = hold(&FormCode("012345".into()));
        let printed = format!("{hold:?} {:?}", FormCode("012345".into()));
        assert!(!printed.contains("012345") && !printed.contains("a1a1"), "{printed}");
    }
}
