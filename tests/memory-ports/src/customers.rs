//! The rows that name a customer in memory, and their erasure.

use std::collections::BTreeSet;

use handlers::{
    domain::{
        booking::Booking,
        customer_data::{CustomerData, DataRow},
        label::UNKNOWN_DEVICE,
        lead::{Lead, LeadId, LeadStatus},
        phone::Phone,
    },
    ports::EraseOutcome,
};
use jiff::{Timestamp, civil};

use super::rows::Rows;

/// The number of a lead whose customer was erased.
const NOBODY: &str = "+10000000000";

impl Rows {
    /// Notes that a customer had a turn.
    pub fn note_customer(&mut self, phone: &Phone, now: Timestamp) {
        self.customers.insert(phone.clone(), now.as_millisecond());
    }

    /// The customers who had a turn at `since` or later, the latest first.
    pub fn recent_customers(&self, since: Timestamp) -> Vec<Phone> {
        let recent = self.customers.iter().filter(|(_, last)| **last >= since.as_millisecond());
        let mut recent: Vec<(i64, &Phone)> = recent.map(|(phone, last)| (*last, phone)).collect();
        recent.sort_unstable_by(|a, b| b.cmp(a));
        recent.into_iter().map(|(_, phone)| phone.clone()).collect()
    }

    /// The rows that name a customer, each by its key alone.
    pub fn customer_data(&self, phone: &Phone) -> CustomerData {
        let unanswered = self.unanswered.values().filter(|row| row.text.key.phone == *phone);
        let outbox = self.outbox.values().map(|waiting| &waiting.text);
        let outbox = outbox.filter(|text| text.to == *phone || mentions(&text.body, phone));
        let bookings = self.bookings.values().filter(|booking| booking.phone == *phone);
        let starts = bookings.map(|booking| booking.slot.wall_clock());
        let guard = self.guards.get(phone).map(|_| "#form".to_owned());
        let leads = self.leads.values().filter(|lead| lead.phone == *phone);
        let schedule = self.schedule.iter().filter(|(_, row)| row.phone.as_ref() == Some(phone));
        CustomerData {
            opted_out: self.opted_out.contains(phone),
            bookings: guard.into_iter().chain(starts).map(|start| row("start", &start)).collect(),
            leads: leads.map(|lead| row("lead_id", lead.id.as_str())).collect(),
            schedule: schedule.map(|((_, key), _)| row("slot_time", key)).collect(),
            conversation: self.conversation(phone).iter().map(|id| row("item_id", id)).collect(),
            unanswered: unanswered.map(|waiting| row("item_id", &waiting.text.key.sid)).collect(),
            outbox: outbox.map(|text| row("item_id", &text.id)).collect(),
        }
    }

    /// The ids of the rows of a conversation, and of the lists that name its customer.
    fn conversation(&self, phone: &Phone) -> Vec<String> {
        let one = |is_there: bool, id: &str| is_there.then(|| id.to_owned());
        let sales = self.sales.keys().filter(|(of, ..)| of == phone);
        let turns = self.turns.keys().filter(|(of, _)| of == phone);
        let late = self.late.iter().filter(|(_, (_, of))| of == phone);
        let holds = self.holds.iter().filter(|(_, row)| row.hold.lead.phone == *phone);
        one(self.discounts.contains_key(phone), "discount")
            .into_iter()
            .chain(one(self.memories.contains_key(phone), "memory"))
            .chain(one(self.queues.contains_key(phone), "queue"))
            .chain(sales.map(|(_, sid, ordinal)| format!("sale#{sid}#{ordinal}")))
            .chain(turns.map(|(_, sid)| format!("turn#{sid}")))
            .chain(one(self.customers.contains_key(phone), phone.as_str()))
            .chain(late.map(|(sid, _)| sid.clone()))
            .chain(holds.map(|(key, _)| key.clone()))
            .collect()
    }

    pub fn erase_customer(&mut self, phone: &Phone, now: civil::DateTime) -> EraseOutcome {
        let open = self.open_leads(phone, now);
        if !open.is_empty() {
            return EraseOutcome::HasOpenBookings(open.into_iter().collect());
        }
        let data = self.customer_data(phone);
        let rows = [
            data.bookings,
            data.leads,
            data.schedule,
            data.conversation,
            data.unanswered,
            data.outbox,
        ];
        self.strip_leads(phone);
        for row in self.schedule.values_mut() {
            row.phone.take_if(|of| of == phone);
        }
        self.bookings.retain(|(of, _), _| of != phone);
        self.guards.remove(phone);
        self.discounts.remove(phone);
        self.memories.remove(phone);
        self.queues.remove(phone);
        self.sales.retain(|(of, ..), _| of != phone);
        self.turns.retain(|(of, _), _| of != phone);
        self.customers.remove(phone);
        self.late.retain(|_, (_, of)| of != phone);
        self.holds.retain(|_, row| row.hold.lead.phone != *phone);
        self.unanswered.retain(|_, row| row.text.key.phone != *phone);
        self.outbox
            .retain(|_, waiting| waiting.text.to != *phone && !mentions(&waiting.text.body, phone));
        EraseOutcome::Erased(rows.iter().map(Vec::len).sum())
    }

    fn open_leads(&self, phone: &Phone, now: civil::DateTime) -> BTreeSet<LeadId> {
        let is_open = |booking: &Booking| booking.phone == *phone && booking.is_open_at(now);
        let booked = self.leads.values().filter(|lead| lead.status == LeadStatus::Booked);
        let leads = booked.map(Booking::from).filter(is_open).map(|booking| booking.lead_id);
        let bookings = self.bookings.values().filter(|booking| is_open(booking));
        bookings.map(|booking| booking.lead_id.clone()).chain(leads).collect()
    }

    /// Leads stay for the books, without what tells whose they are.
    fn strip_leads(&mut self, phone: &Phone) {
        for lead in self.leads.values_mut().filter(|lead| lead.phone == *phone) {
            *lead = Lead {
                phone: Phone::from_e164(NOBODY).unwrap(),
                device: UNKNOWN_DEVICE.to_owned(),
                customer_name: None,
                address: None,
                ..lead.clone()
            };
        }
    }
}

fn row(name: &str, value: &str) -> DataRow {
    DataRow::from_iter([(name.to_owned(), value.into())])
}

/// Whether a text names this number, as those to the owner do.
fn mentions(body: &str, phone: &Phone) -> bool {
    body.match_indices(phone.as_str())
        .any(|(at, found)| !body[at + found.len()..].starts_with(|c: char| c.is_ascii_digit()))
}
