//! The tools that list, book, cancel and move appointments.
//!
//! A change is known to be pending while it runs, so that a turn which ends meanwhile can find out
//! what came of it.

use futures::TryFutureExt as _;
use serde_json::{Value, json};

use super::{
    alerts::CallbackReason,
    progress::PendingChange,
    tool_outcome::{BOOKED, CANCELLED, MOVED, OWNER_GETS_BACK, ToolOutcome, row},
    tool_runner::ToolRunner,
};
use crate::{
    app::bookings::{BookingDraft, BookingError, Changed, whole_seconds},
    domain::{
        booking::Booking,
        catalogue::Repair,
        lead::{Lead, LeadId, LeadSource, LeadStatus},
        outbox::{OutboxText, TextKind},
        slot::{Slot, time_texts},
        text::OWNER_NAME,
        time_needed::TimeNeeded,
    },
};

/// Most appointments that one text may book.
const MAX_BOOKINGS_PER_TEXT: usize = 2;
/// Most open appointments that a customer may have when another is booked by text.
const MAX_OPEN_BOOKINGS: usize = 5;

/// What the model asks to book.
pub(super) struct BookingRequest {
    pub(super) slot: Slot,
    pub(super) repair: Repair,
    pub(super) device: String,
    pub(super) customer_name: Option<String>,
    pub(super) address: Option<String>,
}

impl ToolRunner<'_> {
    pub(super) async fn book(&self, request: BookingRequest, identity: &[&str]) -> ToolOutcome {
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
            // The booking decides it.
            time_needed: TimeNeeded::default(),
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
            asked: self.now,
            identity,
            with_discount: true,
            guard: None,
            record: None,
            notification,
        };
        let bookings = self.bookings();
        let result =
            bookings.book(&draft).map_ok(|booking| Changed { booking, was_so_before: false });
        self.track_change(pending_change, Some(wish), result).await
    }

    pub(super) async fn cancel(&self, id: &LeadId, identity: &[&str]) -> ToolOutcome {
        let cause = identity.join("#");
        let notify = |booking: &Booking| self.news().cancelled(booking, &cause);
        let pending_change = PendingChange {
            notification: self.news_id(TextKind::Cancelled, id, &cause),
            ..self.pending_change(CANCELLED, id, LeadStatus::Cancelled, None, &[])
        };
        let bookings = self.bookings();
        let result = bookings.cancel(&self.text.phone, id, identity, notify);
        self.track_change(pending_change, None, result).await
    }

    pub(super) async fn list(&self) -> ToolOutcome {
        match self.bookings().open(&self.text.phone).await {
            Ok(open) => {
                let rows: Vec<Value> = open.iter().map(row).collect();
                ToolOutcome::of(json!({ "success": true, "bookings": rows }))
            }
            Err(error) => self.read_failure(&error),
        }
    }

    pub(super) async fn reschedule(&self, id: &LeadId, to: Slot, identity: &[&str]) -> ToolOutcome {
        let cause = identity.join("#");
        let notify = |from: &Booking, to: &Booking| self.news().moved(from, to, &cause);
        let pending_change = PendingChange {
            notification: self.news_id(TextKind::Moved, id, &cause),
            ..self.pending_change(MOVED, id, LeadStatus::Booked, Some(to), &[])
        };
        let bookings = self.bookings();
        let result = bookings.reschedule(&self.text.phone, id, to, identity, notify);
        self.track_change(pending_change, None, result).await
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

    /// The id of the owner's text about a change, which does not depend on what the change finds;
    /// none without an owner.
    fn news_id(&self, kind: TextKind, id: &LeadId, cause: &str) -> Vec<String> {
        let id = |_| OutboxText::id_of(kind, &format!("{id}#{cause}#0"));
        self.news().owner.map(id).into_iter().collect()
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
        let slots = match self.bookings().available(booking.slot.date(), booking.time_needed).await
        {
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
        change: impl Future<Output = Result<Changed, BookingError>> + Send,
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
            Ok(Changed { booking, was_so_before }) => ToolOutcome {
                // What is cancelled stays so.
                was_there_before: was_so_before && heading == MOVED,
                ..ToolOutcome::change(heading, &booking)
            },
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
                ToolOutcome { was_there_before: true, ..ToolOutcome::change(heading, &booking) }
            }
            Err(BookingError::AlreadyYours(booking)) => self.already_theirs(&booking).await,
            Err(BookingError::NoLongerBooked(lead)) => ToolOutcome::failure(format_args!(
                "That booking is {} by now",
                lead.status.as_str()
            )),
            Err(BookingError::Store(error)) => self.write_failure(&error),
            Err(error @ BookingError::ClaimLost) => {
                ToolOutcome { claim_is_lost: true, ..ToolOutcome::failure(error) }
            }
            Err(error) => ToolOutcome::failure(error),
        }
    }
}
