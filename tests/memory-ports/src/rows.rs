//! The tables in memory, and the effects of transactions on them.

use std::collections::{BTreeMap, BTreeSet};

use handlers::{
    domain::{
        booking::{
            Booking, Cancellation, Completion, FormGuard, IdempotencyRecord, NewBooking,
            RecordWrite, Reschedule,
        },
        calendar::CalendarVersions,
        calendar_settings::CalendarSettings,
        customer_data::{CustomerData, DataRow},
        day_schedule::{DaySchedule, HeldTime, HeldTimes, Hold, UnreadableRow},
        discount::{DiscountGrant, discounts_count_from},
        form_hold::FormHold,
        lead::{Lead, LeadId, LeadStatus},
        outbox::{OutboxText, OwnerAnswer, UnansweredText},
        owner::OwnerState,
        phone::Phone,
        sales::SalesRecord,
        slot::{Slot, SlotTime},
        time_off::TimeOffChange,
        turn::{ConversationMemory, QueueEntry},
        usage::Usage,
    },
    ports::{BookOutcome, CancelOutcome, CompleteOutcome, EraseOutcome, RescheduleOutcome},
};
use jiff::{Timestamp, civil};

use super::turns::Turn;

#[derive(Default)]
pub struct Rows {
    pub owner: OwnerState,
    pub calendar: Option<CalendarSettings>,
    pub slots: BTreeMap<Slot, LeadId>,
    /// Until when the form holds those slots that are not booked yet.
    pub held_until: BTreeMap<Slot, Timestamp>,
    /// Time off: minutes by date and the row's key.
    pub time_off: BTreeMap<(civil::Date, String), u16>,
    /// Rows of the schedule that cannot be read.
    pub unreadable: BTreeMap<civil::Date, Vec<UnreadableRow>>,
    pub leads: BTreeMap<LeadId, Lead>,
    pub bookings: BTreeMap<(Phone, Slot), Booking>,
    pub day_versions: BTreeMap<civil::Date, u64>,
    pub guards: BTreeMap<Phone, FormGuard>,
    pub forms: BTreeMap<String, IdempotencyRecord>,
    /// The last hold of each key.
    pub holds: BTreeMap<String, FormHold>,
    /// Grants by customer, and whether a booking has used them.
    pub discounts: BTreeMap<Phone, (DiscountGrant, bool)>,
    pub sales: BTreeMap<(String, usize), SalesRecord>,
    pub opted_out: BTreeSet<Phone>,
    pub usages: BTreeMap<String, Usage>,
    pub turns: BTreeMap<String, Turn>,
    pub queues: BTreeMap<Phone, Vec<QueueEntry>>,
    pub memories: BTreeMap<Phone, ConversationMemory>,
    pub outbox: BTreeMap<String, Waiting>,
    pub enqueued: BTreeSet<String>,
    pub unanswered: BTreeMap<String, UnansweredText>,
    /// What was booked, for a planted race.
    pub tokens: BTreeSet<(Phone, Slot)>,
    /// Ids of the texts that the owner marked as answered.
    pub answered: BTreeSet<String>,
}

/// A text in the outbox.
pub struct Waiting {
    pub text: OutboxText,
    pub holder: String,
    pub until_ms: i64,
    attempts: u32,
}

impl Rows {
    pub fn day(&self, date: civil::Date) -> DaySchedule {
        DaySchedule {
            version: self.day_version(date),
            holds: self
                .slots
                .iter()
                .filter(|(slot, _)| slot.date() == date)
                .map(|(slot, lead)| self.hold(*slot, lead))
                .chain(self.time_off_from(date).filter(|off| off.date == date).map(|off| off.hold))
                .collect(),
            unreadable: self.unreadable.get(&date).into_iter().flatten().cloned().collect(),
            held_until: self
                .held_until
                .iter()
                .filter(|(slot, _)| slot.date() == date)
                .map(|(slot, until)| (slot.time().to_string(), *until))
                .collect(),
        }
    }

    fn hold(&self, slot: Slot, id: &LeadId) -> Hold {
        let lead = self.leads.get(id);
        let unconfirmed = || self.holds.values().find(|hold| hold.lead.id == *id);
        let needed = lead.or_else(|| unconfirmed().map(|hold| &hold.lead));
        let needed = needed.map(|lead| lead.time_needed).unwrap_or_default();
        Hold {
            key: slot.time().to_string(),
            start: slot.time(),
            minutes: needed.minutes,
            travel: needed.travel,
            lead_id: id.to_string(),
            phone: lead.map(|lead| lead.phone.clone()),
            is_time_off: false,
            is_done: lead.is_some_and(|lead| lead.status == LeadStatus::Completed),
        }
    }

    pub fn holds_from(&self, date: civil::Date) -> HeldTimes {
        let is_booking = |slot: &Slot| !self.held_until.contains_key(slot);
        let from = self.slots.iter().filter(|(slot, _)| slot.date() >= date && is_booking(slot));
        let mut times: Vec<HeldTime> = from
            .map(|(slot, lead)| HeldTime { date: slot.date(), hold: self.hold(*slot, lead) })
            .chain(self.time_off_from(date))
            .collect();
        times.sort_by_key(|held| (held.date, held.hold.start));
        let unreadable = self.unreadable.range(date..).map(|(date, _)| *date).collect();
        HeldTimes { times, unreadable }
    }

    fn time_off_from(&self, date: civil::Date) -> impl Iterator<Item = HeldTime> {
        self.time_off.range((date, String::new())..).map(|((date, key), minutes)| HeldTime {
            date: *date,
            hold: Hold {
                key: key.clone(),
                start: SlotTime::parse(key).unwrap(),
                minutes: *minutes,
                travel: 0,
                lead_id: String::new(),
                phone: None,
                is_time_off: true,
                is_done: false,
            },
        })
    }

    pub fn change_time_off(&mut self, change: &TimeOffChange) -> bool {
        if self.day_version(change.date) != change.day_version {
            return false;
        }
        for row in &change.rows {
            let key = (change.date, row.key.clone());
            match row.minutes {
                Some(minutes) => self.time_off.insert(key, minutes),
                None => self.time_off.remove(&key),
            };
        }
        *self.day_versions.entry(change.date).or_default() += 1;
        true
    }

    pub fn calendar_versions(&self) -> CalendarVersions {
        CalendarVersions {
            settings: self.calendar.as_ref().map_or(0, |settings| settings.version),
            owner: self.owner.version,
        }
    }

    pub fn day_version(&self, date: civil::Date) -> u64 {
        self.day_versions.get(&date).copied().unwrap_or_default()
    }

    pub fn count_change(&mut self, slot: Slot) {
        *self.day_versions.entry(slot.date()).or_default() += 1;
    }

    pub fn grant_discount(&mut self, grant: &DiscountGrant) -> bool {
        let phone = &grant.key.phone;
        if let Some((granted, _)) = self.discounts.get(phone)
            && granted.now >= discounts_count_from(grant.now)
        {
            return (&granted.key.sid, granted.ordinal) == (&grant.key.sid, grant.ordinal);
        }
        self.discounts.insert(phone.clone(), (grant.clone(), false));
        true
    }

    pub fn open_discount(&self, phone: &Phone, now: Timestamp) -> Option<u8> {
        let (grant, used) = self.discounts.get(phone)?;
        (!used && grant.now >= discounts_count_from(now)).then_some(grant.percent)
    }

    pub fn book(&mut self, new: &NewBooking) -> BookOutcome {
        let lead = &new.lead;
        if let Some(written) = self.leads.get(&lead.id) {
            return BookOutcome::Exists(Box::new(written.clone()));
        }
        if self.is_taken(lead.slot, &lead.id, lead.timestamp) {
            return BookOutcome::SlotTaken;
        }
        if self.day_version(lead.slot.date()) != new.day_version {
            return BookOutcome::DayChanged;
        }
        if self.calendar_versions() != new.calendar_versions {
            return BookOutcome::CalendarChanged;
        }
        if let Some(RecordWrite { record, replace_before }) = &new.record {
            let replaces =
                |old: &IdempotencyRecord| replace_before.is_some_and(|time| old.now < time);
            if self.forms.get(&record.key_hash).is_some_and(|old| !replaces(old)) {
                return BookOutcome::RecordExists;
            }
        }
        if let Some(guard) = &new.guard {
            if self.guards.get(&lead.phone).copied() != guard.expected {
                return BookOutcome::GuardChanged;
            }
            self.guards.insert(lead.phone.clone(), guard.next);
        }
        if let Some(RecordWrite { record, .. }) = &new.record {
            self.forms.insert(record.key_hash.clone(), record.clone());
        }
        if new.uses_discount {
            match self.discounts.get_mut(&lead.phone) {
                Some((_, used)) if !*used => *used = true,
                _ => return BookOutcome::DiscountChanged,
            }
        }
        self.count_change(lead.slot);
        self.put_texts(&new.notification);
        self.held_until.remove(&lead.slot);
        self.slots.insert(lead.slot, lead.id.clone());
        self.bookings.insert((lead.phone.clone(), lead.slot), Booking::from(lead));
        self.leads.insert(lead.id.clone(), lead.clone());
        BookOutcome::Booked
    }

    /// Whether a booking is unchanged since it was read.
    fn stands(&self, booking: &Booking) -> bool {
        self.leads.get(&booking.lead_id).is_some_and(|lead| {
            lead.status == LeadStatus::Booked && Booking::from(lead) == *booking
        })
    }

    pub fn cancel(&mut self, cancel: &Cancellation) -> CancelOutcome {
        let booking = &cancel.booking;
        if !self.stands(booking) {
            return CancelOutcome::BookingChanged;
        }
        self.bookings.remove(&(booking.phone.clone(), booking.slot));
        self.slots.remove(&booking.slot);
        self.count_change(booking.slot);
        self.put_texts(&cancel.notification);
        self.leads.get_mut(&booking.lead_id).unwrap().status = LeadStatus::Cancelled;
        CancelOutcome::Cancelled
    }

    pub fn complete(&mut self, done: &Completion) -> CompleteOutcome {
        let booking = &done.booking;
        if !self.stands(booking) {
            return CompleteOutcome::BookingChanged;
        }
        self.bookings.remove(&(booking.phone.clone(), booking.slot));
        self.leads.get_mut(&booking.lead_id).unwrap().status = LeadStatus::Completed;
        CompleteOutcome::Completed
    }

    pub fn reschedule(&mut self, change: &Reschedule) -> RescheduleOutcome {
        let booking = &change.booking;
        if !self.stands(booking) {
            return RescheduleOutcome::BookingChanged;
        }
        if self.is_taken(change.to, &booking.lead_id, change.now) {
            return RescheduleOutcome::SlotTaken;
        }
        if self.day_version(change.to.date()) != change.day_version {
            return RescheduleOutcome::BookingChanged;
        }
        if self.calendar_versions() != change.calendar_versions {
            return RescheduleOutcome::CalendarChanged;
        }
        self.count_change(change.to);
        if booking.slot.date() != change.to.date() {
            self.count_change(booking.slot);
        }
        self.put_texts(&change.notification);
        self.bookings.remove(&(booking.phone.clone(), booking.slot));
        self.slots.remove(&booking.slot);
        self.held_until.remove(&change.to);
        self.slots.insert(change.to, booking.lead_id.clone());
        self.bookings.insert((booking.phone.clone(), change.to), change.moved());
        let lead = self.leads.get_mut(&booking.lead_id).unwrap();
        (lead.slot, lead.time_needed) = (change.to, change.time_needed);
        RescheduleOutcome::Rescheduled
    }

    pub fn answer_by_owner(&mut self, answer: &OwnerAnswer) {
        if self.enqueue(&answer.texts) {
            let memory = self.memories.entry(answer.to.clone()).or_default();
            memory.turns.push(answer.memory.clone());
            self.unanswered.retain(|sid, _| !answer.answered.contains(sid));
        }
    }

    pub fn mark_answered(&mut self, sid: &str) -> bool {
        let is_known = self.unanswered.remove(sid).is_some() || self.answered.contains(sid);
        if is_known {
            self.answered.insert(sid.to_owned());
        }
        is_known
    }

    pub fn keep_unanswered(&mut self, unanswered: &UnansweredText) {
        self.unanswered.insert(unanswered.key.sid.clone(), unanswered.clone());
    }

    pub fn enqueue(&mut self, texts: &[OutboxText]) -> bool {
        let Some(first) = texts.first() else { return true };
        let new = self.enqueued.insert(first.id.clone());
        if new {
            self.put_texts(texts);
        }
        new
    }

    pub fn put_texts(&mut self, texts: &[OutboxText]) {
        for text in texts {
            let waiting = Waiting {
                text: text.clone(),
                holder: String::new(),
                until_ms: i64::MIN,
                attempts: 0,
            };
            self.outbox.insert(text.id.clone(), waiting);
        }
    }

    /// The rows that name a customer, each by its reference or id.
    pub fn customer_data(&self, phone: &Phone) -> CustomerData {
        let row = |name: &str, value: &str| DataRow::from_iter([(name.to_owned(), value.into())]);
        let bookings = self.bookings.values().filter(|booking| booking.phone == *phone);
        let leads = self.leads.values().filter(|lead| lead.phone == *phone);
        let unanswered = self.unanswered.iter().filter(|(_, text)| text.key.phone == *phone);
        let outbox = self.outbox.iter().filter(|(_, waiting)| waiting.text.to == *phone);
        CustomerData {
            opted_out: self.opted_out.contains(phone),
            bookings: bookings.map(|booking| row("lead_id", booking.lead_id.as_str())).collect(),
            leads: leads.map(|lead| row("lead_id", lead.id.as_str())).collect(),
            schedule: Vec::new(),
            conversation: self
                .memories
                .get(phone)
                .map(|_| row("item_id", "memory"))
                .into_iter()
                .collect(),
            unanswered: unanswered.map(|(sid, _)| row("item_id", sid)).collect(),
            outbox: outbox.map(|(id, _)| row("item_id", id)).collect(),
        }
    }

    pub fn erase_customer(&mut self, phone: &Phone, now: civil::DateTime) -> EraseOutcome {
        let is_open = |booking: &&Booking| booking.phone == *phone && booking.is_open_at(now);
        let open: Vec<LeadId> =
            self.bookings.values().filter(is_open).map(|booking| booking.lead_id.clone()).collect();
        if !open.is_empty() {
            return EraseOutcome::HasOpenBookings(open);
        }
        let data = self.customer_data(phone);
        let lists = [data.bookings, data.leads, data.conversation, data.unanswered, data.outbox];
        self.bookings.retain(|_, booking| booking.phone != *phone);
        self.leads.retain(|_, lead| lead.phone != *phone);
        self.memories.remove(phone);
        self.queues.remove(phone);
        self.discounts.remove(phone);
        self.guards.remove(phone);
        self.holds.retain(|_, hold| hold.lead.phone != *phone);
        self.turns.retain(|_, turn| turn.phone != *phone);
        self.sales.retain(|_, sale| sale.key.phone != *phone);
        self.unanswered.retain(|_, text| text.key.phone != *phone);
        self.outbox.retain(|_, waiting| waiting.text.to != *phone);
        EraseOutcome::Erased(lists.iter().map(Vec::len).sum())
    }

    pub fn claim_text(
        &mut self,
        id: &str,
        holder: &str,
        unix_ms: i64,
        until_ms: i64,
    ) -> Option<(OutboxText, u32)> {
        let waiting = self.outbox.get_mut(id)?;
        if waiting.until_ms > unix_ms {
            return None;
        }
        waiting.holder = holder.to_owned();
        waiting.until_ms = until_ms;
        waiting.attempts += 1;
        Some((waiting.text.clone(), waiting.attempts - 1))
    }
}
