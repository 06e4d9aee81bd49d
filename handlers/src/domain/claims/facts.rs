//! What is known in a turn, against which the model's text is checked.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil};

use super::{
    contact::address_runs, dates, free_times::FreeTimes, money, offers, percents,
    sentence::Sentence, times, vocabulary::LIMITS, words,
};
use crate::domain::{
    calendar::Calendar,
    catalogue::{Repair, RepairKind},
    owner::OwnerState,
    slot::{Slot, SlotTime},
    text::{find_lead_ids, sentences},
    time_needed::TimeNeeded,
};

/// What is known in a turn. Everything in it comes from tool results, rows and the owner's texts.
#[derive(Debug, Clone)]
pub struct Facts {
    pub(super) now: civil::DateTime,
    pub(super) instant: Timestamp,
    pub(super) calendar: Calendar,
    pub(super) max_discount: u8,
    pub(super) free: FreeTimes,
    pub(super) bookings: Vec<KnownBooking>,
    pub(super) cancelled: Vec<Slot>,
    pub(super) moved: bool,
    /// A tool of this turn changed a booking or approved a discount.
    pub(super) changed: bool,
    pub(super) discounts: BTreeSet<u32>,
    /// A tool did something else, such as noting an extra.
    pub(super) something_done: bool,
    /// A tool failed so that nobody knows whether it did its work.
    pub(super) outcome_unknown: bool,
    /// Until when the owner is away: there are no appointments before.
    pub(super) away_until: Option<civil::DateTime>,
    /// The owner can be told of a promised callback.
    pub(super) owner_can_be_told: bool,
    /// The owner's texts, and everything that is allowed because it stands there.
    pub(super) owner: Mentioned,
    /// What earlier answers said.
    pub(super) said: Mentioned,
    /// What the customer wrote in this conversation.
    pub(super) customer: Mentioned,
    /// The customer's last text.
    pub(super) question: String,
    /// Its words.
    pub(super) asked: Vec<words::Token>,
}

/// A booking that a tool result or a confirmation names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownBooking {
    /// Its reference, such as `LEAD-20260210-201000-1a2b3c`.
    pub reference: String,
    /// When.
    pub slot: Slot,
    /// What; `None` when it is not known.
    pub repair: Option<RepairKind>,
    /// The owner drives to the customer for it.
    pub is_visit: bool,
}

/// What texts mention.
#[derive(Debug, Clone, Default)]
pub(super) struct Mentioned {
    pub(super) text: String,
    pub(super) times: BTreeSet<SlotTime>,
    pub(super) dates: BTreeSet<civil::Date>,
    pub(super) cents: BTreeSet<u32>,
    pub(super) percents: BTreeSet<u32>,
    /// The words of street addresses.
    pub(super) addresses: Vec<Vec<String>>,
}

impl Mentioned {
    fn add(&mut self, text: &str, today: civil::Date) {
        let tokens = words::tokens(text);
        self.times.extend(times::times(&tokens).into_iter().flat_map(|mention| mention.times));
        self.dates.extend(dates::dates(&tokens, today).into_iter().flat_map(|m| m.dates));
        self.cents.extend(money::prices(&tokens).into_iter().map(|price| price.cents));
        self.percents.extend(percents::percents(&tokens).into_iter().map(|percent| percent.value));
        self.addresses.extend(address_runs(&tokens));
        self.text.push(' ');
        self.text.push_str(&crate::domain::text::folded_lowercase(text));
    }
}

impl Facts {
    /// What is known before any tool has run.
    pub fn new(calendar: &Calendar, owner: &OwnerState, instant: Timestamp) -> Self {
        let now = calendar.local(instant);
        let mut facts = Self {
            now,
            instant,
            calendar: calendar.with_owner(owner),
            max_discount: owner.max_discount,
            free: FreeTimes::default(),
            bookings: Vec::new(),
            cancelled: Vec::new(),
            moved: false,
            changed: false,
            discounts: BTreeSet::new(),
            something_done: false,
            outcome_unknown: false,
            away_until: None,
            owner_can_be_told: true,
            owner: Mentioned::default(),
            said: Mentioned::default(),
            customer: Mentioned::default(),
            question: String::new(),
            asked: Vec::new(),
        };
        for text in [&owner.special_info, &owner.notes, &owner.location, &owner.greeting] {
            facts.owner.add(text, now.date());
            facts.add_durations(text);
        }
        if let Some(until) = facts.calendar.away_until(instant) {
            facts.owner.times.insert(SlotTime::of(until));
            facts.owner.dates.insert(until.date());
            facts.away_until = Some(until);
        }
        facts
    }

    /// Without a number of the owner, nobody can be told to call back.
    #[must_use]
    pub fn with_owner_reachable(self, owner_can_be_told: bool) -> Self {
        Self { owner_can_be_told, ..self }
    }

    /// An earlier text of the customer and its answer.
    pub fn remember(&mut self, customer: &str, answer: &str) {
        let today = self.now.date();
        self.add_customer(customer);
        for sentence in sentences(answer) {
            self.remember_sentence(sentence, today);
        }
        for line in answer.lines() {
            self.read_confirmation(line);
        }
    }

    /// What was denied, such as a time or a discount, is not known by that.
    fn remember_sentence(&mut self, text: &str, today: civil::Date) {
        let sentence = Sentence::read(text, today);
        if sentence.is_denied(0..sentence.tokens.len()) {
            return;
        }
        self.said.add(text, today);
        let limit = sentence.has(&LIMITS);
        if limit || sentence.asks(0) {
            return;
        }
        let granted = percents::percents(&sentence.tokens).into_iter().filter(|percent| {
            percent.value <= 100 && offers::is_granted(&sentence, percent, &self.asked)
        });
        self.discounts.extend(granted.map(|percent| percent.value));
    }

    /// What the owner wrote to the customer himself.
    pub fn owner_says(&mut self, text: &str) {
        let today = self.now.date();
        self.owner.add(text, today);
        self.said.add(text, today);
    }

    /// The text that is answered.
    pub fn customer_says(&mut self, text: &str) {
        self.add_customer(text);
        text.clone_into(&mut self.question);
        self.asked = words::tokens(text);
    }

    /// What customers write is read generously: any number may be a price, any small one a time.
    fn add_customer(&mut self, text: &str) {
        self.customer.add(text, self.now.date());
        let tokens = words::tokens(text);
        let numbers = (0..tokens.len()).filter_map(|at| words::number_at(&tokens, at));
        for (number, _) in numbers {
            self.customer.cents.insert(number.saturating_mul(100));
            if let Some(hour) = u8::try_from(number).ok().filter(|hour| (1..=12).contains(hour)) {
                self.customer.times.insert(SlotTime::hour_of_day(hour));
                self.customer.times.insert(SlotTime::hour_of_day(hour % 12 + 12));
            }
        }
    }

    /// The calendar of a date was read for appointments of this length.
    pub fn add_free(
        &mut self,
        date: civil::Date,
        needed: TimeNeeded,
        times: impl IntoIterator<Item = SlotTime>,
    ) {
        self.free.set(date, needed, times);
    }

    /// A part of a date's calendar was read for appointments of this length.
    pub fn add_some_free(
        &mut self,
        date: civil::Date,
        needed: TimeNeeded,
        times: impl IntoIterator<Item = SlotTime>,
    ) {
        self.free.extend(date, needed, times);
    }

    /// Nothing can be booked on a date.
    pub fn add_closed(&mut self, date: civil::Date) {
        self.free.close(date);
    }

    /// How long an appointment takes by the calendar.
    pub fn time_needed(&self, repair: Option<RepairKind>, on_site: bool) -> TimeNeeded {
        let listed = repair.map(|kind| Repair::Listed { kind, on_site });
        listed.map(|repair| self.calendar.time_needed(&repair)).unwrap_or_default()
    }

    /// How long the booking with this reference takes by the calendar.
    pub fn time_needed_of(&self, reference: &str) -> Option<TimeNeeded> {
        let booking = self.bookings.iter().find(|booking| booking.reference == reference)?;
        Some(self.time_needed(booking.repair, booking.is_visit))
    }

    /// The minute of the day at which a booking is over.
    pub(super) fn end_of(&self, booking: &KnownBooking) -> u16 {
        let minutes = self.time_needed(booking.repair, false).minutes;
        booking.slot.time().minute_of_day().saturating_add(minutes)
    }

    /// Whether the calendar leaves room in a slot, apart from other bookings, for an appointment of
    /// any of these lengths, or of any length at all when none is given.
    pub(super) fn has_room(&self, slot: Slot, lengths: &[TimeNeeded]) -> bool {
        let fits = |needed: &TimeNeeded| {
            self.calendar.unbookable_reason(slot, *needed, self.instant).is_none()
        };
        match lengths {
            [] => self.calendar.lengths().iter().any(fits),
            lengths => lengths.iter().any(fits),
        }
    }

    /// A booking that exists now, at this time and no other.
    pub fn add_booking(&mut self, booking: KnownBooking) {
        self.free.take(booking.slot, self.time_needed(booking.repair, booking.is_visit));
        self.bookings.retain(|other| other.reference != booking.reference);
        self.bookings.push(booking);
    }

    /// All open bookings were listed: there are no others.
    pub fn set_bookings(&mut self, bookings: Vec<KnownBooking>) {
        self.bookings = bookings;
    }

    /// A booking was moved to its new slot.
    pub fn add_move(&mut self, booking: KnownBooking) {
        self.moved = true;
        self.add_booking(booking);
    }

    /// A booking was cancelled.
    pub fn add_cancellation(&mut self, booking: &KnownBooking) {
        self.bookings.retain(|other| other.reference != booking.reference);
        self.cancelled.push(booking.slot);
    }

    /// A tool of this turn changed a booking.
    pub fn add_change(&mut self) {
        self.changed = true;
    }

    /// The customer has a discount that was approved before, in percent.
    pub fn add_known_discount(&mut self, percent: u32) {
        self.discounts.insert(percent);
    }

    /// A discount was approved, in percent.
    pub fn add_discount(&mut self, percent: u32) {
        self.changed = true;
        self.discounts.insert(percent);
    }

    /// A tool did something that is no change of a booking.
    pub fn add_something_done(&mut self) {
        self.something_done = true;
    }

    /// It is not known whether a tool did its work.
    pub fn add_unknown_outcome(&mut self) {
        self.outcome_unknown = true;
    }

    /// Reads `Confirmed: Wed Feb 11, 2:00 PM, iPhone screen. Ref ...`, which code wrote.
    fn read_confirmation(&mut self, line: &str) {
        let Some((heading, rest)) = line.split_once(": ") else { return };
        let tokens = words::tokens(rest);
        let date =
            dates::dates(&tokens, self.now.date()).last().and_then(|m| m.dates.first().copied());
        let time = times::times(&tokens).first().and_then(|m| m.times.first().copied());
        let (Some(date), Some(time)) = (date, time) else { return };
        let slot = Slot::new(date, time);
        let Some(reference) = find_lead_ids(line).into_iter().next() else { return };
        let repair = money::repairs(&tokens).first().copied();
        let booking = KnownBooking { reference, slot, repair, is_visit: money::on_site(&tokens) };
        // What has begun may be over; a tool says whether it is still open.
        let is_ahead = slot.start() > self.now;
        match heading {
            "Confirmed" if is_ahead => self.add_booking(booking),
            "Moved" if is_ahead => self.add_move(booking),
            "Cancelled" => self.add_cancellation(&booking),
            _ => {}
        }
    }

    /// "Back in 2 hours" allows the hour that it means.
    fn add_durations(&mut self, text: &str) {
        let tokens = words::tokens(text);
        for at in 0..tokens.len() {
            let Some((count, used)) = words::number_at(&tokens, at) else { continue };
            let minutes = match tokens.get(at + used).map(|t| t.text.as_str()) {
                Some("hour" | "hours" | "hora" | "horas" | "hr" | "hrs") => {
                    count.saturating_mul(60)
                }
                Some("minutes" | "min" | "mins" | "minutos") => count,
                _ => continue,
            };
            let start = u32::try_from(self.now.hour()).unwrap_or_default() * 60
                + u32::try_from(self.now.minute()).unwrap_or_default();
            for drift in 0..=60 {
                let at = start.saturating_add(minutes).saturating_add(drift).saturating_sub(30);
                let (hour, minute) = (at / 60, at % 60);
                let time = SlotTime::new(
                    u8::try_from(hour).unwrap_or(u8::MAX),
                    u8::try_from(minute).unwrap_or(u8::MAX),
                );
                self.owner.times.extend(time);
            }
        }
    }

    /// The street addresses that the owner or the customer wrote.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &[String]> {
        self.owner.addresses.iter().chain(&self.customer.addresses).map(Vec::as_slice)
    }

    pub(super) fn today(&self) -> civil::Date {
        self.now.date()
    }
}
