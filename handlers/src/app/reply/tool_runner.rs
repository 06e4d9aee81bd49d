//! Runs the tools that the model calls. Every failure becomes a result that the model reads.

use jiff::Timestamp;
use serde_json::json;

use super::{
    InboundText, ReplyService,
    alerts::CallbackReason,
    booking_tools::BookingRequest,
    progress::Progress,
    tool_outcome::{OUTCOME_UNKNOWN, OWNER_GETS_BACK, TODAY_IS, ToolOutcome},
};
use crate::{
    app::{
        bookings::{BookingService, DayAvailability},
        error_chain::ErrorChain,
        owner_news::OwnerNews,
    },
    domain::{
        calendar::Calendar,
        catalogue::Upsell,
        discount::{DiscountGrant, is_approved},
        owner::OwnerState,
        sales::{SalesEvent, SalesRecord},
        slot::time_texts,
        text::OWNER_NAME,
        time_needed::TimeNeeded,
        turn::{TurnFence, TurnKey},
    },
    ports::StoreError,
    tools::{self, ToolCall, ToolError},
};

/// Runs the tool calls of one turn.
pub(super) struct ToolRunner<'a> {
    pub(super) reply: &'a ReplyService,
    pub(super) text: &'a InboundText,
    pub(super) owner: &'a OwnerState,
    /// The shop's calendar as its owner had it when the turn began.
    pub(super) calendar: &'a Calendar,
    /// Business time of the turn's first attempt.
    pub(super) now: Timestamp,
    pub(super) progress: &'a Progress,
    /// Keeps what this attempt changes from being written once another one has the turn.
    pub(super) fence: TurnFence,
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
            ToolCall::CheckAvailability { date, until, repair } => {
                let needed = repair.map(|repair| self.calendar.time_needed(&repair));
                let needed = needed.unwrap_or_default();
                match until {
                    None => self.check(date, needed).await,
                    Some(until) => self.check_range(date, until, needed).await,
                }
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

    async fn check(&self, date: jiff::civil::Date, needed: TimeNeeded) -> ToolOutcome {
        let bookings = self.bookings();
        if let Some(reason) = bookings.calendar.day_unbookable_reason(date, self.now) {
            return self.unbookable(&reason);
        }
        match bookings.available(date, needed).await {
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
        self.reply.send_once(&self.news().unreadable_date(date), self.text.now).await;
    }

    pub(super) fn news(&self) -> OwnerNews<'_> {
        OwnerNews { owner: self.reply.settings.owner_phone.as_ref(), now: self.now }
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
                ToolOutcome { ends_conversation: true, ..ToolOutcome::of(output) }
            }
            Err(error) => self.write_failure(&error),
        }
    }

    async fn note(&self, ordinal: usize, kind: SalesEvent) -> Result<(), StoreError> {
        let key = TurnKey { phone: self.text.phone.clone(), sid: self.text.sid.clone() };
        self.reply.ports.store.record_sale(&SalesRecord { key, ordinal, now: self.now, kind }).await
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
    pub(super) fn write_failure(&self, error: &StoreError) -> ToolOutcome {
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
        BookingService { store, calendar: self.calendar, now: self.now, fence: Some(&self.fence) }
    }
}
