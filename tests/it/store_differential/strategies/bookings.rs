//! Operations on the calendar: settings, schedule, bookings, the form's holds, discounts, limits.

use handlers::domain::{
    booking::{
        Booking, Cancellation, Completion, IdempotencyRecord, NewBooking, RecordWrite,
        RequestToken, Reschedule,
    },
    calendar::CalendarVersions,
    calendar_settings::CalendarSettings,
    discount::DiscountGrant,
    form_hold::{FormCode, FormHold, HoldId, NewFormHold},
    lead::Lead,
    owner::{OwnerState, OwnerStatus},
    slot::Slot,
    time_needed::TimeNeeded,
    time_off::{TimeOffChange, TimeOffRow},
    turn::TurnFence,
    usage::{Usage, Use},
};
use jiff::{SignedDuration, Timestamp};
use proptest::{
    option,
    prelude::*,
    sample::{select, subsequence},
};

use super::{
    DATES, END, KEYS, LEADS, Operations, START, SUBJECTS, any_holder, any_key, any_phone, any_slot,
    any_time, key_hash, lead_id, phones, some_texts,
};
use crate::store::{lead, now};
use crate::store_differential::operation::{
    Operation, Reading, Replaced, SlotKey, Version, Versions,
};

pub fn operations() -> Vec<(u32, Operations)> {
    vec![
        (1, Just(Operation::Owner).boxed()),
        (2, (owner(), version()).prop_map(|(o, v)| Operation::PutOwner(o, v)).boxed()),
        (1, Just(Operation::CalendarSettings).boxed()),
        (
            2,
            (settings(), version()).prop_map(|(s, v)| Operation::PutCalendarSettings(s, v)).boxed(),
        ),
        (1, select(DATES.to_vec()).prop_map(Operation::HoldsFrom).boxed()),
        (3, (time_off(), version()).prop_map(|(c, v)| Operation::ChangeTimeOff(c, v)).boxed()),
        (1, select(DATES.to_vec()).prop_map(Operation::DaySchedule).boxed()),
        (2, select(DATES.to_vec()).prop_map(Operation::VersionedDaySchedule).boxed()),
        (16, book().boxed()),
        (2, (any_phone(), wall_clock()).prop_map(|(p, t)| Operation::OpenBookings(p, t)).boxed()),
        (1, (0..LEADS).prop_map(|lead| Operation::Lead(lead_id(lead))).boxed()),
        (5, cancel().boxed()),
        (7, reschedule().boxed()),
        (4, complete().boxed()),
        (1, (0..KEYS).prop_map(|key| Operation::IdempotencyRecord(key_hash(key))).boxed()),
        (7, hold_slot().boxed()),
        (1, (0..KEYS).prop_map(|key| Operation::FormHold(key_hash(key))).boxed()),
        (5, (hold_id(), attempt()).prop_map(|(id, a)| Operation::CountCodeTry(id, a)).boxed()),
        (3, (hold(), any_time()).prop_map(|(h, t)| Operation::ReleaseSlot(Box::new(h), t)).boxed()),
        (4, grant().prop_map(Operation::GrantDiscount).boxed()),
        (2, (any_phone(), any_time()).prop_map(|(p, t)| Operation::OpenDiscount(p, t)).boxed()),
        (1, subject().prop_map(Operation::Usage).boxed()),
        (2, put_usage().boxed()),
    ]
}

fn version() -> impl Strategy<Value = Version> {
    prop_oneof![6 => Just(Version::Current), 1 => Just(Version::Before), 1 => Just(Version::After)]
}

fn versions() -> impl Strategy<Value = Versions> {
    let rarely_other = || prop_oneof![3 => Just(Version::Current), 1 => version()];
    (rarely_other(), rarely_other(), rarely_other()).prop_map(|(day, settings, owner)| Versions {
        day,
        settings,
        owner,
    })
}

fn reading() -> impl Strategy<Value = Reading> {
    prop_oneof![
        6 => Just(Reading::Current),
        1 => Just(Reading::OtherTime),
        1 => Just(Reading::OtherCustomer),
    ]
}

fn slot_key() -> impl Strategy<Value = SlotKey> {
    prop_oneof![6 => Just(SlotKey::Right), 1 => Just(SlotKey::Wrong), 1 => Just(SlotKey::None)]
}

/// Two states, so that one is written again.
fn owner() -> impl Strategy<Value = OwnerState> {
    let of = |status| OwnerState { status, updated_at: Some(now()), ..OwnerState::default() };
    select(vec![of(OwnerStatus::Gym), of(OwnerStatus::Sleeping)])
}

fn settings() -> impl Strategy<Value = CalendarSettings> {
    let of = |notice_minutes| CalendarSettings {
        notice_minutes,
        closed_dates: [DATES[1]].into(),
        updated_at: Some(now()),
        ..CalendarSettings::default()
    };
    select(vec![of(60), of(120)])
}

fn wall_clock() -> impl Strategy<Value = jiff::civil::DateTime> {
    select(vec![START, DATES[0].at(14, 0, 0, 0), DATES[0].at(15, 30, 0, 0), END])
}

/// Rows of one date, some of them in the spelling of a booking.
fn time_off() -> impl Strategy<Value = TimeOffChange> {
    let keys = subsequence(vec!["9:00 AM", "09:00", "2:00 PM", "14:00"], 1..=3);
    let minutes = option::of(select(vec![30_u16, 60]));
    (select(DATES.to_vec()), keys, minutes, any_time()).prop_map(|(date, keys, minutes, now)| {
        let row = |key: &str| TimeOffRow { key: key.to_owned(), minutes };
        let rows = keys.into_iter().map(row).collect();
        TimeOffChange { date, day_version: 0, rows, now }
    })
}

fn needed() -> impl Strategy<Value = TimeNeeded> {
    let visit = TimeNeeded { minutes: 60, travel: 20 };
    select(vec![TimeNeeded::default(), TimeNeeded::in_shop(90), visit])
}

/// The lead with a number. Customer and time are the number's, so that a repeat is the same lead;
/// slot and length are not.
fn numbered(number: usize, slot: Slot, time_needed: TimeNeeded) -> Lead {
    const MINUTES: [i64; 3] = [0, 10, 11];
    let phone = phones().nth(number % 2).unwrap();
    let timestamp = now() + SignedDuration::from_mins(MINUTES[number % 3]);
    Lead { timestamp, slot, time_needed, ..lead(lead_id(number).as_str(), &phone, 9) }
}

fn any_lead() -> impl Strategy<Value = Lead> {
    (0..LEADS, any_slot(), needed())
        .prop_map(|(number, slot, needed)| numbered(number, slot, needed))
}

/// A lead whose id is sometimes another customer's.
fn new_lead() -> impl Strategy<Value = Lead> {
    let foreign = (any_lead(), any_phone()).prop_map(|(lead, phone)| Lead { phone, ..lead });
    prop_oneof![8 => any_lead(), 1 => foreign]
}

fn token() -> RequestToken {
    RequestToken::derive(&["replaced when it is played"])
}

fn record() -> impl Strategy<Value = Option<(usize, Option<Timestamp>)>> {
    let record = (0..KEYS, option::of(any_time()));
    prop_oneof![2 => Just(None), 1 => record.prop_map(Some)]
}

/// Mostly that of the turn on which the attempts meet.
fn fence() -> impl Strategy<Value = Option<TurnFence>> {
    let fence = (any_key(), any_holder()).prop_map(|(key, holder)| TurnFence { key, holder });
    prop_oneof![3 => Just(None), 2 => fence.prop_map(Some)]
}

fn book() -> impl Strategy<Value = Operation> {
    let guard = prop_oneof![3 => Just(None), 2 => version().prop_map(Some)];
    let discount = prop_oneof![3 => Just(None), 2 => percent().prop_map(Some)];
    let with = (guard, record(), fence());
    (new_lead(), versions(), with, discount, any::<bool>(), some_texts()).prop_map(
        |(lead, versions, with, discount_percent, uses_discount, notification)| {
            let (guard, record, fence) = with;
            let record = record.map(|(key, replace_before)| RecordWrite {
                record: IdempotencyRecord {
                    key_hash: key_hash(key),
                    fingerprint: "fingerprint".to_owned(),
                    lead_id: lead.id.clone(),
                    now: lead.timestamp,
                },
                replace_before,
            });
            let new = NewBooking {
                lead: Lead { discount_percent, ..lead },
                token: token(),
                day_version: 0,
                calendar_versions: CalendarVersions::default(),
                uses_discount,
                guard: None,
                record,
                fence,
                notification,
            };
            Operation::Book(Box::new(new), versions, guard)
        },
    )
}

fn any_booking() -> impl Strategy<Value = Booking> {
    any_lead().prop_map(|lead| Booking::from(&lead))
}

fn cancel() -> impl Strategy<Value = Operation> {
    (any_booking(), reading(), slot_key(), any_time(), fence(), some_texts()).prop_map(
        |(booking, reading, key, now, fence, notification)| {
            let token = token();
            let cancel = Cancellation { booking, slot_key: None, token, now, fence, notification };
            Operation::Cancel(Box::new(cancel), reading, key)
        },
    )
}

fn complete() -> impl Strategy<Value = Operation> {
    (any_booking(), reading(), slot_key(), any_time()).prop_map(|(booking, reading, key, now)| {
        let done = Completion { booking, slot_key: None, token: token(), now };
        Operation::Complete(Box::new(done), reading, key)
    })
}

fn reschedule() -> impl Strategy<Value = Operation> {
    let place = (any_booking(), any_slot(), needed());
    (place, versions(), reading(), slot_key(), any_time(), fence(), some_texts()).prop_map(
        |((booking, to, time_needed), versions, reading, key, now, fence, notification)| {
            let change = Reschedule {
                booking,
                to,
                time_needed,
                slot_key: None,
                day_version: 0,
                calendar_versions: CalendarVersions::default(),
                token: token(),
                now,
                fence,
                notification,
            };
            Operation::Reschedule(Box::new(change), versions, reading, key)
        },
    )
}

fn hold_id() -> impl Strategy<Value = HoldId> {
    (0..KEYS, select(vec!["nonce-1", "nonce-2"]))
        .prop_map(|(key, nonce)| HoldId::new(&key_hash(key), nonce))
}

fn hold() -> impl Strategy<Value = FormHold> {
    (hold_id(), any_lead()).prop_map(|(id, lead)| {
        FormHold::new(id, lead, "fingerprint".to_owned(), &FormCode::from_random("2a"))
    })
}

fn hold_slot() -> impl Strategy<Value = Operation> {
    let replaced = prop_oneof![
        2 => Just(Replaced::None),
        2 => Just(Replaced::Last),
        1 => Just(Replaced::Another),
    ];
    (hold(), version(), replaced, some_texts()).prop_map(|(hold, version, replaced, texts)| {
        let new = NewFormHold { hold, token: token(), day_version: 0, replaces: None, texts };
        Operation::HoldSlot(Box::new(new), version, replaced)
    })
}

fn attempt() -> impl Strategy<Value = String> {
    (0..9).prop_map(|attempt| format!("attempt-{attempt}"))
}

fn percent() -> impl Strategy<Value = u8> {
    prop_oneof![3 => Just(10_u8), 1 => Just(15)]
}

fn grant() -> impl Strategy<Value = DiscountGrant> {
    (any_key(), 0..2_usize, percent(), any_time())
        .prop_map(|(key, ordinal, percent, now)| DiscountGrant { key, ordinal, percent, now })
}

fn subject() -> impl Strategy<Value = String> {
    select(SUBJECTS.to_vec()).prop_map(str::to_owned)
}

fn put_usage() -> impl Strategy<Value = Operation> {
    (subject(), 0..3_i64, version()).prop_map(|(subject, at_ms, version)| {
        let uses = vec![Use { id: format!("use-{at_ms}"), at_ms }];
        Operation::PutUsage(subject, Usage { version: 0, uses }, version)
    })
}
