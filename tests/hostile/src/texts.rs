//! Phone numbers, times, and what else people type.

use handlers::{
    app::scheduler::{FormFields, FormRequest},
    domain::{
        catalogue::{Repair, Upsell},
        label,
        lead::LeadId,
        opt_out, owner_command,
        phone::Phone,
        slot::{SlotTime, parse_date},
        text,
        time_span::{DailyHours, TimeSpan},
    },
};
use jiff::civil::date;

/// A text is a number or a time, which is written as it is read, or neither.
pub(crate) fn phone_and_time(bytes: &[u8]) {
    let typed = String::from_utf8_lossy(bytes);
    for part in typed.split('\n').take(64) {
        one(part);
    }
    let parts = text::split_into_messages(&text::to_gsm7(&typed));
    assert!(parts.iter().all(|part| part.encode_utf16().count() <= text::MAX_MESSAGE_UNITS));
    let own = text::find_lead_ids(&typed);
    assert_eq!(text::remove_foreign_lead_ids(&typed, &own), typed);
}

fn one(typed: &str) {
    for phone in [Phone::parse(typed), Phone::from_e164(typed)].into_iter().flatten() {
        assert!(phone.as_str().starts_with('+') && (9..=16).contains(&phone.as_str().len()));
        // A carrier's number may be none that a person is taken to have typed.
        assert_eq!(Phone::from_e164(phone.as_str()).as_ref(), Ok(&phone));
        assert_eq!(phone.masked().chars().count(), 5);
    }
    if let Ok(time) = SlotTime::parse(typed) {
        assert_eq!(SlotTime::parse(&time.to_string()), Ok(time));
    }
    if let Ok(date) = parse_date(typed) {
        assert_eq!(parse_date(&date.to_string()), Ok(date));
    }
    if let Some(span) = TimeSpan::parse(typed) {
        assert_eq!(TimeSpan::parse(&span.to_string()), Some(span));
    }
    DailyHours::parse(typed);
    owner_command::parse(typed, date(2026, 2, 10));
    opt_out::keyword(typed);
    // What is refused here is refused with words, which other tests read.
    let _ = (label::parse(typed), label::parse_address(typed), LeadId::parse(typed));
    let _ = (Repair::parse(typed), Upsell::parse(typed));
    let any = || Some(typed.to_owned());
    let fields = FormFields {
        phone: any(),
        date: any(),
        time: any(),
        repair_type: any(),
        device: any(),
        customer_name: any(),
        address: any(),
    };
    // No text is a date and a phone number.
    assert!(FormRequest::parse(&fields).is_err());
}
