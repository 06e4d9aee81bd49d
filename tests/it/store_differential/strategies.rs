//! Operations of the port on few things, so that they meet.

mod bookings;
mod conversations;

use handlers::domain::{
    lead::LeadId,
    outbox::OutboxText,
    phone::Phone,
    slot::{Slot, SlotTime},
    turn::TurnKey,
};
use jiff::{SignedDuration, Timestamp, civil};
use proptest::{
    prelude::*,
    sample::{select, subsequence},
    strategy::Union,
};

use super::operation::Operation;
use crate::store::{ann, now, phone as number};

/// Dates of appointments.
pub const DATES: [civil::Date; 2] = [civil::date(2026, 2, 11), civil::date(2026, 2, 12)];
/// Before all appointments, on the shop's wall clock.
pub const START: civil::DateTime = civil::datetime(2026, 2, 10, 0, 0, 0, 0);
/// After all of them.
pub const END: civil::DateTime = civil::datetime(2026, 3, 10, 0, 0, 0, 0);
/// What is counted.
pub const SUBJECTS: [&str; 2] = ["address", "number"];
/// Leads that are booked.
pub const LEADS: usize = 4;
/// Requests of the form.
pub const KEYS: usize = 2;

const HOURS: [u8; 3] = [9, 13, 14];
const SIDS: [&str; 3] = ["SM1", "SM2", "SM3"];
/// Who works on a turn in the webhook, and who finishes it late: every claim has a name of its own, so
/// nobody does both.
const HOLDERS: [&str; 3] = ["h1", "h2", "h3"];
const LATE_HOLDERS: [&str; 2] = ["late-1", "late-2"];
/// First words of the texts' ids.
const CAUSES: [&str; 3] = ["booked#A", "callback#SM1", "owner#SM9"];

type Operations = BoxedStrategy<Operation>;

/// Any operation of the port.
pub fn operation() -> impl Strategy<Value = Operation> {
    Union::new_weighted(
        bookings::operations().into_iter().chain(conversations::operations()).collect(),
    )
}

pub fn phones() -> impl Iterator<Item = Phone> {
    [ann(), number("+19045550123")].into_iter()
}

pub fn other_phone(phone: &Phone) -> Phone {
    phones().find(|other| other != phone).unwrap()
}

pub fn other_slot(slot: Slot) -> Slot {
    let at = HOURS.iter().position(|hour| SlotTime::hour_of_day(*hour) == slot.time());
    let next = at.map_or(0, |at| (at + 1) % HOURS.len());
    Slot::new(slot.date(), SlotTime::hour_of_day(HOURS[next]))
}

pub fn lead_id(lead: usize) -> LeadId {
    LeadId::from_row(format!("LEAD-{lead}"))
}

pub fn key_hash(key: usize) -> String {
    format!("key-{key}")
}

/// Who claims at the end what nobody holds.
pub fn last_holder() -> String {
    "last".to_owned()
}

/// The turns of all customers.
pub fn turn_keys() -> Vec<TurnKey> {
    let of = |sid: &str| phones().map(|phone| (phone, sid.to_owned())).collect::<Vec<_>>();
    let keys = SIDS.iter().flat_map(|sid| of(sid));
    keys.map(|(phone, sid)| TurnKey { phone, sid }).collect()
}

fn any_phone() -> impl Strategy<Value = Phone> {
    prop_oneof![2 => Just(ann()), 1 => select(phones().collect::<Vec<_>>())]
}

fn any_slot() -> impl Strategy<Value = Slot> {
    let slot = |(date, hour)| Slot::new(date, SlotTime::hour_of_day(hour));
    (select(DATES.to_vec()), select(HOURS.to_vec())).prop_map(slot)
}

fn any_sid() -> impl Strategy<Value = String> {
    select(SIDS.to_vec()).prop_map(str::to_owned)
}

fn holder() -> impl Strategy<Value = String> {
    prop_oneof![1 => Just(HOLDERS[0]), 1 => select(HOLDERS.to_vec())].prop_map(str::to_owned)
}

fn late_holder() -> impl Strategy<Value = String> {
    select(LATE_HOLDERS.to_vec()).prop_map(str::to_owned)
}

fn any_holder() -> impl Strategy<Value = String> {
    prop_oneof![3 => holder(), 1 => late_holder()]
}

fn any_key() -> impl Strategy<Value = TurnKey> {
    // Mostly the same, so that its attempts meet.
    prop_oneof![3 => Just(turn_keys()[0].clone()), 2 => select(turn_keys())]
}

/// Business time: before and after a hold of the form ends, and when a discount counts no more.
fn any_time() -> impl Strategy<Value = Timestamp> {
    const MINUTES: [i64; 5] = [0, 5, 10, 11, 31 * 24 * 60];
    select(MINUTES.to_vec()).prop_map(|minutes| now() + SignedDuration::from_mins(minutes))
}

/// Up to two texts of a cause, of which some name a customer.
fn texts(cause: String) -> impl Strategy<Value = Vec<OutboxText>> {
    let body = prop_oneof![
        Just("Hi".to_owned()),
        any_phone().prop_map(|phone| format!("Booked: {} (\"Ann\")", phone.as_str())),
    ];
    (1..=2_usize, any_phone(), body, any_time(), any::<bool>()).prop_map(
        move |(count, to, body, created, despite_opt_out)| {
            let text = |part| OutboxText {
                id: format!("{cause}#{part}"),
                to: to.clone(),
                body: body.clone(),
                created,
                despite_opt_out,
            };
            (0..count).map(text).collect()
        },
    )
}

fn any_cause() -> impl Strategy<Value = &'static str> {
    prop_oneof![1 => Just(CAUSES[0]), 1 => select(CAUSES.to_vec())]
}

fn any_texts() -> impl Strategy<Value = Vec<OutboxText>> {
    any_cause().prop_flat_map(|cause| texts(cause.to_owned()))
}

/// Texts that come of something, or none.
fn some_texts() -> impl Strategy<Value = Vec<OutboxText>> {
    prop_oneof![Just(Vec::new()), any_texts()]
}

fn any_text_id() -> impl Strategy<Value = String> {
    let part = prop_oneof![3 => Just(0), 1 => Just(1)];
    (any_cause(), part).prop_map(|(cause, part)| format!("{cause}#{part}"))
}

fn some_sids() -> impl Strategy<Value = Vec<String>> {
    let sids: Vec<String> = SIDS.iter().map(|sid| (*sid).to_owned()).collect();
    let most = sids.len();
    subsequence(sids, 0..=most)
}
