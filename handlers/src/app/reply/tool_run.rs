//! Running a tool for the model. Every failure is a result that the model reads.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    app::{
        bookings::{BookingError, Bookings, whole_seconds},
        errors::Chain,
    },
    domain::{
        booking::{Booking, NewBooking, RequestToken},
        catalogue::{Repair, Upsell},
        discount::{Decision, decide},
        lead::{Lead, LeadId, LeadSource, LeadStatus},
        owner::OwnerState,
        sales::{SalesEvent, SalesRecord},
        slot::Slot,
        text::OWNER_NAME,
        turn::TurnKey,
    },
    ports::StoreError,
    tools::{self, ToolCall, ToolError},
};

use super::{
    InboundText, Reply,
    outcome::{Outcome, row, texts},
    progress::{InFlight, Progress},
};

/// The tools at work for one turn.
pub(super) struct ToolRun<'a> {
    pub(super) reply: &'a Reply,
    pub(super) text: &'a InboundText,
    pub(super) owner: &'a OwnerState,
    /// Business time of the turn's first attempt.
    pub(super) now: Timestamp,
    pub(super) progress: &'a Progress,
}

/// A booking as somebody asked for it.
struct Wish {
    slot: Slot,
    repair: Repair,
    device: String,
    customer_name: Option<String>,
}

impl ToolRun<'_> {
    /// Runs the turn's call number `ordinal`.
    pub(super) async fn run(&self, ordinal: usize, name: &str, arguments: &str) -> Outcome {
        let call = match tools::parse(name, arguments) {
            Ok(call) => call,
            Err(error) => {
                // Its source may quote the arguments.
                tracing::warn!(sid = self.text.sid, ordinal, error = %error, "tool call refused");
                return match error {
                    ToolError::Malformed(_) | ToolError::Label { .. } => {
                        Outcome::failure(Chain(&error))
                    }
                    _ => Outcome::failure(error),
                };
            }
        };
        tracing::info!(sid = self.text.sid, ordinal, tool = name, "tool call");
        let ordinal_text = ordinal.to_string();
        let identity = [self.text.sid.as_str(), &ordinal_text];
        match call {
            ToolCall::CheckAvailability(date) => self.check(date).await,
            ToolCall::BookSlot { slot, repair, device, customer_name } => {
                self.book(Wish { slot, repair, device, customer_name }, &identity).await
            }
            ToolCall::ListBookings => self.list().await,
            ToolCall::CancelBooking(id) => {
                let in_flight = self.in_flight("Cancelled", &id, LeadStatus::Cancelled, None);
                let bookings = self.bookings();
                let result = bookings.cancel(&self.text.phone, &id, &identity);
                self.changed(in_flight, result).await
            }
            ToolCall::RescheduleBooking { lead_id, to } => {
                self.reschedule(&lead_id, to, &identity).await
            }
            ToolCall::AuthorizeDiscount { percent, reason } => {
                self.discount(ordinal, percent, reason).await
            }
            ToolCall::LogUpsell { item, accepted } => self.upsell(ordinal, item, accepted).await,
            ToolCall::StopTexting => self.stop().await,
        }
    }

    async fn check(&self, date: jiff::civil::Date) -> Outcome {
        let bookings = self.bookings();
        if let Some(reason) = bookings.calendar.day_unbookable_reason(date, self.now) {
            return self.unbookable(&reason);
        }
        match bookings.available(date).await {
            Ok(slots) => Outcome::of(json!({
                "success": true,
                "date": date.to_string(),
                "available_slots": texts(&slots),
            })),
            Err(error) => self.unread(&error).await,
        }
    }

    async fn book(&self, wish: Wish, identity: &[&str]) -> Outcome {
        let lead = Lead {
            id: LeadId::derive(self.now, identity),
            timestamp: whole_seconds(self.now),
            phone: self.text.phone.clone(),
            slot: wish.slot,
            repair: wish.repair,
            device: wish.device,
            customer_name: wish.customer_name,
            status: LeadStatus::Booked,
            source: LeadSource::Sms,
        };
        let in_flight = self.in_flight("Confirmed", &lead.id, LeadStatus::Booked, Some(lead.slot));
        let new = NewBooking { lead, token: RequestToken::derive(identity), guard: None };
        let bookings = self.bookings();
        let result = bookings.book(&new);
        self.changed(in_flight, result).await
    }

    async fn list(&self) -> Outcome {
        match self.bookings().open(&self.text.phone).await {
            Ok(open) => {
                let rows: Vec<Value> = open.iter().map(row).collect();
                Outcome::of(json!({ "success": true, "bookings": rows }))
            }
            Err(error) => self.unread(&error).await,
        }
    }

    async fn reschedule(&self, id: &LeadId, to: Slot, identity: &[&str]) -> Outcome {
        let in_flight = self.in_flight("Moved", id, LeadStatus::Booked, Some(to));
        let bookings = self.bookings();
        let result = bookings.reschedule(&self.text.phone, id, to, identity);
        self.changed(in_flight, result).await
    }

    async fn discount(&self, ordinal: usize, percent: u8, reason: String) -> Outcome {
        let ceiling = self.owner.max_discount;
        let approved = decide(percent, ceiling) == Decision::Approved;
        let kind = SalesEvent::Discount { percent, approved, reason };
        if let Err(error) = self.note(ordinal, kind).await {
            return self.unwritten(&error).await;
        }
        let (granted, message) = if approved {
            (percent, format!("{percent} percent is approved, once and with no other discount"))
        } else {
            (0, format!("Not approved: the most that may be given is {ceiling} percent"))
        };
        Outcome::of(json!({
            "success": true,
            "approved": approved,
            "discount_percent": granted,
            "max_discount": ceiling,
            "message": message,
        }))
    }

    async fn upsell(&self, ordinal: usize, item: Upsell, accepted: bool) -> Outcome {
        let price = item.price();
        match self.note(ordinal, SalesEvent::Upsell { item, accepted, price }).await {
            Ok(()) => Outcome::of(json!({
                "success": true,
                "upsell_item": item.slug(),
                "accepted": accepted,
                "price": price,
                "message": "Noted",
            })),
            Err(error) => self.unwritten(&error).await,
        }
    }

    async fn stop(&self) -> Outcome {
        let store = &self.reply.ports.store;
        match store.set_opted_out(&self.text.phone, true, self.text.now).await {
            Ok(()) => {
                tracing::info!(customer = self.text.phone.masked(), "opted out in their own words");
                self.reply.tell_owner_of_stop(self.text).await;
                let output =
                    json!({ "success": true, "message": "No more texts to this customer" });
                Outcome { output, line: None, farewell: true }
            }
            Err(error) => self.unwritten(&error).await,
        }
    }

    async fn note(&self, ordinal: usize, kind: SalesEvent) -> Result<(), StoreError> {
        let key = TurnKey { phone: self.text.phone.clone(), sid: self.text.sid.clone() };
        self.reply.ports.store.record_sale(&SalesRecord { key, ordinal, now: self.now, kind }).await
    }

    fn in_flight(
        &self,
        what: &'static str,
        id: &LeadId,
        status: LeadStatus,
        slot: Option<Slot>,
    ) -> InFlight {
        InFlight { what, lead_id: id.clone(), phone: self.text.phone.clone(), status, slot }
    }

    /// Runs a change, and remembers meanwhile that it is under way.
    async fn changed(
        &self,
        in_flight: InFlight,
        change: impl Future<Output = Result<Booking, BookingError>> + Send,
    ) -> Outcome {
        let what = in_flight.what;
        self.progress.update(|state| state.in_flight = Some(in_flight));
        let result = change.await;
        self.progress.update(|state| state.in_flight = None);
        match result {
            Ok(booking) => Outcome::change(what, &booking),
            Err(BookingError::Unbookable(reason)) => self.unbookable(&reason),
            Err(BookingError::Taken { available }) => Outcome::of(json!({
                "success": false,
                "message": "That time is already taken",
                "available_slots": texts(&available),
            })),
            Err(BookingError::Store(error)) => self.unwritten(&error).await,
            Err(error) => Outcome::failure(error),
        }
    }

    fn unbookable(&self, why: &dyn std::fmt::Display) -> Outcome {
        let today = self.reply.calendar.today(self.now);
        Outcome::failure(format_args!("{why}. Today is {today}"))
    }

    async fn unread(&self, error: &StoreError) -> Outcome {
        self.store_failed(error).await;
        Outcome::failure(format_args!(
            "The calendar cannot be read right now. Offer no times; say that {OWNER_NAME} will get back to the customer"
        ))
    }

    /// A write that failed may have been done all the same.
    async fn unwritten(&self, error: &StoreError) -> Outcome {
        self.store_failed(error).await;
        Outcome::failure(format_args!(
            "It is not known whether this was done. Do not say that it was; say that {OWNER_NAME} will get back to the customer"
        ))
    }

    /// The customer is told that the owner will get back to them: so he must know.
    async fn store_failed(&self, error: &StoreError) {
        let customer = &self.text.phone;
        tracing::error!(
            customer = customer.masked(), sid = self.text.sid, error = %Chain(error), "a tool failed on the tables"
        );
        let body = format!(
            "The calendar failed while {} was texting. Please check their booking and text them back.",
            customer.as_str()
        );
        self.reply.alert("tool_store", &body, self.text.now).await;
    }

    fn bookings(&self) -> Bookings<'_> {
        let Reply { ports, calendar, .. } = self.reply;
        Bookings { store: ports.store.as_ref(), calendar, now: self.now }
    }
}
