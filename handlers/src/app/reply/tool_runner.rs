//! Runs the tools that the model calls. Every failure becomes a result that the model reads.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    InboundText, ReplyService,
    alerts::CallbackReason,
    progress::{PendingChange, Progress},
    tool_outcome::{
        BOOKED, CANCELLED, MOVED, OUTCOME_UNKNOWN, OWNER_GETS_BACK, TODAY_IS, ToolOutcome, row,
    },
};
use crate::{
    app::{
        bookings::{BookingDraft, BookingError, BookingService, DayAvailability, whole_seconds},
        error_chain::ErrorChain,
        owner_news::OwnerNews,
    },
    domain::{
        booking::Booking,
        calendar::Calendar,
        catalogue::{Repair, Upsell},
        discount::{DiscountGrant, is_approved},
        lead::{Lead, LeadId, LeadSource, LeadStatus},
        outbox::OutboxText,
        owner::OwnerState,
        sales::{SalesEvent, SalesRecord},
        slot::{Slot, time_texts},
        text::OWNER_NAME,
        turn::TurnKey,
    },
    ports::StoreError,
    tools::{self, ToolCall, ToolError},
};

/// Runs the tool calls of one turn.
pub(super) struct ToolRunner<'a> {
    pub(super) reply: &'a ReplyService,
    pub(super) text: &'a InboundText,
    pub(super) owner: &'a OwnerState,
    /// The shop's calendar as the owner's state leaves it.
    pub(super) calendar: Calendar,
    /// Business time of the turn's first attempt.
    pub(super) now: Timestamp,
    pub(super) progress: &'a Progress,
}

/// Most appointments that one text may book.
const MAX_BOOKINGS_PER_TEXT: usize = 2;
/// Most open appointments that a customer may have when another is booked by text.
const MAX_OPEN_BOOKINGS: usize = 5;

/// What the model asks to book.
struct BookingRequest {
    slot: Slot,
    repair: Repair,
    device: String,
    customer_name: Option<String>,
    address: Option<String>,
}

impl ToolRunner<'_> {
    /// Runs a call. `ordinal` is its number in the turn, from 0.
    pub(super) async fn run(&self, ordinal: usize, name: &str, arguments: &str) -> ToolOutcome {
        let call = match tools::parse(name, arguments) {
            Ok(call) => call,
            Err(error) => {
                // Not its source, which may quote the arguments.
                tracing::warn!(sid = self.text.sid, ordinal, error = %error, "tool call refused");
                return match error {
                    ToolError::Malformed(_) | ToolError::Label { .. } => {
                        ToolOutcome::failure(ErrorChain(&error))
                    }
                    _ => ToolOutcome::failure(error),
                };
            }
        };
        tracing::info!(sid = self.text.sid, ordinal, tool = name, "tool call");
        let ordinal_text = ordinal.to_string();
        let identity = [self.text.sid.as_str(), &ordinal_text];
        match call {
            ToolCall::CheckAvailability { date, until: None } => self.check(date).await,
            ToolCall::CheckAvailability { date, until: Some(until) } => {
                self.check_range(date, until).await
            }
            ToolCall::BookSlot { slot, repair, device, customer_name, address } => {
                let request = BookingRequest { slot, repair, device, customer_name, address };
                self.book(request, &identity).await
            }
            ToolCall::ListBookings => self.list().await,
            ToolCall::CancelBooking(id) => self.cancel(&id, &identity).await,
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

    async fn check(&self, date: jiff::civil::Date) -> ToolOutcome {
        let bookings = self.bookings();
        if let Some(reason) = bookings.calendar.day_unbookable_reason(date, self.now) {
            return self.unbookable(&reason);
        }
        match bookings.available(date).await {
            Ok(day) => {
                self.tell_of_unreadable_date(&day).await;
                let mut output = json!({
                    "success": true,
                    "date": date.to_string(),
                    "available_slots": time_texts(&day.slots),
                });
                if day.unreadable.is_some() {
                    output["message"] = json!("Nothing is free on that date");
                }
                ToolOutcome::of(output)
            }
            Err(error) => self.read_failure(&error),
        }
    }

    /// The owner wrote something into the schedule that no program can read. He is told once for
    /// each date.
    pub(super) async fn tell_of_unreadable_date(&self, day: &DayAvailability) {
        let Some(date) = day.unreadable else { return };
        let owner = self.reply.settings.owner_phone.as_ref();
        let news = OwnerNews { owner, now: self.text.now };
        self.reply.send_once(&news.unreadable_date(date), self.text.now).await;
    }

    async fn book(&self, request: BookingRequest, identity: &[&str]) -> ToolOutcome {
        let booked = self.progress.snapshot().confirmations;
        if booked.iter().filter(|line| line.starts_with(BOOKED)).count() >= MAX_BOOKINGS_PER_TEXT {
            return ToolOutcome::failure(format_args!(
                "At most {MAX_BOOKINGS_PER_TEXT} appointments can be booked with one text; the \
                 customer can ask for more in another one"
            ));
        }
        let lead = Lead {
            id: LeadId::derive(self.now, identity),
            timestamp: whole_seconds(self.now),
            phone: self.text.phone.clone(),
            slot: request.slot,
            repair: request.repair,
            device: request.device,
            customer_name: request.customer_name,
            address: request.address,
            status: LeadStatus::Booked,
            source: LeadSource::Sms,
            discount_percent: None,
        };
        let open = match self.bookings().open(&self.text.phone).await {
            Ok(open) => open,
            Err(error) => return self.read_failure(&error),
        };
        // Its own booking is there when the call is repeated.
        let others = |booking: &&Booking| booking.lead_id != lead.id && booking.slot != lead.slot;
        if open.iter().filter(others).count() >= MAX_OPEN_BOOKINGS {
            return ToolOutcome::failure(format_args!(
                "The customer has {MAX_OPEN_BOOKINGS} open appointments, the most that can be \
                 booked by text; for more they can call"
            ));
        }
        let notification = self.news().booked(&Booking::from(&lead));
        let pending_change = self.pending_change(
            BOOKED,
            &lead.id,
            LeadStatus::Booked,
            Some(lead.slot),
            &notification,
        );
        let wish = (lead.repair.clone(), lead.address.clone());
        let draft = BookingDraft {
            lead,
            identity,
            with_discount: true,
            guard: None,
            record: None,
            notification,
        };
        let bookings = self.bookings();
        let result = bookings.book(&draft);
        self.track_change(pending_change, Some(wish), result).await
    }

    async fn cancel(&self, id: &LeadId, identity: &[&str]) -> ToolOutcome {
        let cause = identity.join("#");
        let notify = |booking: &Booking| self.news().cancelled(booking, &cause);
        // The id of the text depends on the booking's only.
        let ids = [format!("cancelled#{id}#{cause}#0")];
        let pending_change = PendingChange {
            notification: ids.to_vec(),
            ..self.pending_change(CANCELLED, id, LeadStatus::Cancelled, None, &[])
        };
        let bookings = self.bookings();
        let result = bookings.cancel(&self.text.phone, id, identity, notify);
        self.track_change(pending_change, None, result).await
    }

    async fn list(&self) -> ToolOutcome {
        match self.bookings().open(&self.text.phone).await {
            Ok(open) => {
                let rows: Vec<Value> = open.iter().map(row).collect();
                ToolOutcome::of(json!({ "success": true, "bookings": rows }))
            }
            Err(error) => self.read_failure(&error),
        }
    }

    async fn reschedule(&self, id: &LeadId, to: Slot, identity: &[&str]) -> ToolOutcome {
        let cause = identity.join("#");
        let notify = |from: &Booking, to: &Booking| self.news().moved(from, to, &cause);
        let pending_change = PendingChange {
            notification: vec![format!("moved#{id}#{cause}#0")],
            ..self.pending_change(MOVED, id, LeadStatus::Booked, Some(to), &[])
        };
        let bookings = self.bookings();
        let result = bookings.reschedule(&self.text.phone, id, to, identity, notify);
        self.track_change(pending_change, None, result).await
    }

    async fn discount(&self, ordinal: usize, percent: u8, reason: String) -> ToolOutcome {
        let ceiling = self.owner.max_discount;
        let within = is_approved(percent, ceiling);
        let approved = if within {
            let key = TurnKey { phone: self.text.phone.clone(), sid: self.text.sid.clone() };
            let grant = DiscountGrant { key, ordinal, percent, now: self.now };
            match self.reply.ports.store.grant_discount(&grant).await {
                Ok(granted) => granted,
                Err(error) => return self.write_failure(&error),
            }
        } else {
            false
        };
        let kind = SalesEvent::Discount { percent, approved, reason };
        if let Err(error) = self.note(ordinal, kind).await {
            return self.write_failure(&error);
        }
        let existing = match within && !approved {
            true => self.reply.ports.store.open_discount(&self.text.phone, self.now).await,
            false => Ok(None),
        };
        let existing = match existing {
            Ok(existing) => existing,
            Err(error) => return self.read_failure(&error),
        };
        let (granted, message) = if approved {
            (percent, format!("{percent} percent is approved, once and with no other discount"))
        } else if let Some(percent) = existing {
            (
                0,
                format!(
                    "Not approved: this customer has {percent} percent already, for the next booking"
                ),
            )
        } else if within {
            (0, "Not approved: this customer has used a discount already".to_owned())
        } else {
            (0, format!("Not approved: the most that may be given is {ceiling} percent"))
        };
        let mut output = json!({
            "success": true,
            "approved": approved,
            "discount_percent": granted,
            "max_discount": ceiling,
            "message": message,
        });
        if let Some(percent) = existing {
            output["open_discount_percent"] = json!(percent);
        }
        ToolOutcome::of(output)
    }

    async fn upsell(&self, ordinal: usize, item: Upsell, accepted: bool) -> ToolOutcome {
        let price = item.price();
        match self.note(ordinal, SalesEvent::Upsell { item, accepted, price }).await {
            Ok(()) => ToolOutcome::of(json!({
                "success": true,
                "upsell_item": item.slug(),
                "accepted": accepted,
                "price": price,
                "message": "Noted",
            })),
            Err(error) => self.write_failure(&error),
        }
    }

    async fn stop(&self) -> ToolOutcome {
        let store = &self.reply.ports.store;
        match store.set_opted_out(&self.text.phone, true, self.text.now).await {
            Ok(()) => {
                tracing::info!(customer = self.text.phone.masked(), "opted out in their own words");
                self.reply.notify_owner_of_opt_out(self.text).await;
                let output =
                    json!({ "success": true, "message": "No more texts to this customer" });
                ToolOutcome { output, confirmation: None, ends_conversation: true }
            }
            Err(error) => self.write_failure(&error),
        }
    }

    async fn note(&self, ordinal: usize, kind: SalesEvent) -> Result<(), StoreError> {
        let key = TurnKey { phone: self.text.phone.clone(), sid: self.text.sid.clone() };
        self.reply.ports.store.record_sale(&SalesRecord { key, ordinal, now: self.now, kind }).await
    }

    fn pending_change(
        &self,
        heading: &'static str,
        id: &LeadId,
        status: LeadStatus,
        slot: Option<Slot>,
        notification: &[OutboxText],
    ) -> PendingChange {
        PendingChange {
            heading,
            lead_id: id.clone(),
            phone: self.text.phone.clone(),
            status,
            slot,
            notification: notification.iter().map(|text| text.id.clone()).collect(),
        }
    }

    fn news(&self) -> OwnerNews<'_> {
        OwnerNews { owner: self.reply.settings.owner_phone.as_ref(), now: self.now }
    }

    /// The visit is booked already, and no tool changes its address: the owner hears of it with the
    /// customer's words.
    fn other_address(&self, booking: &Booking) -> ToolOutcome {
        self.progress.update(|state| {
            state.callback.get_or_insert(CallbackReason::Promised);
        });
        ToolOutcome::failure(format_args!(
            "That is booked already: {}. Its address cannot be changed here; say that {OWNER_NAME} \
             {OWNER_GETS_BACK}",
            booking.summary()
        ))
    }

    /// The customer has that time for something else, so nobody else took it.
    async fn already_theirs(&self, booking: &Booking) -> ToolOutcome {
        let slots = match self.bookings().available(booking.slot.date()).await {
            Ok(day) => time_texts(&day.slots),
            Err(error) => return self.read_failure(&error),
        };
        ToolOutcome::of(json!({
            "success": false,
            "message": format!(
                "That time is this customer's own already ({}), so it cannot be taken for \
                 something else. One appointment is for one repair",
                booking.summary()
            ),
            "lead_id": booking.lead_id.as_str(),
            "available_slots": slots,
        }))
    }

    /// Runs a change and records it as pending meanwhile. `wish` is the repair that is booked, and
    /// the address of a visit.
    async fn track_change(
        &self,
        pending_change: PendingChange,
        wish: Option<(Repair, Option<String>)>,
        change: impl Future<Output = Result<Booking, BookingError>> + Send,
    ) -> ToolOutcome {
        let heading = pending_change.heading;
        let notification = pending_change.notification.clone();
        self.progress.update(|state| state.pending_change = Some(pending_change));
        let result = change.await;
        self.progress.update(|state| {
            state.pending_change = None;
            if result.is_ok() {
                state.notifications.extend(notification);
            }
        });
        match result {
            Ok(booking) => ToolOutcome::change(heading, &booking),
            Err(BookingError::Unbookable(reason)) => self.unbookable(&reason),
            Err(BookingError::Taken { available }) => {
                self.tell_of_unreadable_date(&available).await;
                ToolOutcome::of(json!({
                    "success": false,
                    "message": "That time is already taken",
                    "available_slots": time_texts(&available.slots),
                }))
            }
            // The same wish may have been written by a call whose outcome was unknown, or for an
            // earlier text.
            Err(BookingError::AlreadyYours(booking))
                if wish.as_ref().is_some_and(|(repair, _)| *repair == booking.repair) =>
            {
                let address = wish.and_then(|(_, address)| address);
                if address.is_some() && address != booking.address {
                    return self.other_address(&booking);
                }
                ToolOutcome::change(heading, &booking)
            }
            Err(BookingError::AlreadyYours(booking)) => self.already_theirs(&booking).await,
            Err(BookingError::NoLongerBooked(lead)) => ToolOutcome::failure(format_args!(
                "That booking is {} by now",
                lead.status.as_str()
            )),
            Err(BookingError::Store(error)) => self.write_failure(&error),
            Err(error) => ToolOutcome::failure(error),
        }
    }

    pub(super) fn unbookable(&self, why: &dyn std::fmt::Display) -> ToolOutcome {
        let today = self.reply.calendar.today(self.now);
        ToolOutcome::failure(format_args!("{why}{TODAY_IS}{today}"))
    }

    pub(super) fn read_failure(&self, error: &StoreError) -> ToolOutcome {
        self.store_failed(error);
        ToolOutcome::failure(format_args!(
            "The calendar cannot be read right now. Offer no times; say that {OWNER_NAME} {OWNER_GETS_BACK}"
        ))
    }

    /// The result of a write that failed but may have been done.
    fn write_failure(&self, error: &StoreError) -> ToolOutcome {
        self.store_failed(error);
        ToolOutcome::failure(format_args!(
            "{OUTCOME_UNKNOWN}. Do not say that it was; say that {OWNER_NAME} {OWNER_GETS_BACK}"
        ))
    }

    /// The model tells the customer that the owner will get back to them, so the owner is told with
    /// the answer.
    fn store_failed(&self, error: &StoreError) {
        let customer = &self.text.phone;
        tracing::error!(
            customer = customer.masked(), sid = self.text.sid, error = %ErrorChain(error), "a tool failed because of the database"
        );
        self.progress.update(|state| {
            state.callback.get_or_insert(CallbackReason::CalendarFailed);
        });
    }

    pub(super) fn bookings(&self) -> BookingService<'_> {
        let store = self.reply.ports.store.as_ref();
        BookingService { store, calendar: &self.calendar, now: self.now }
    }
}
