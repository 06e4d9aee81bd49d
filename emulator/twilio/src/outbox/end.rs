//! Which number sends a message of a Messaging Service, and how a message ends.

use jiff::SignedDuration;

use super::Outbox;
use crate::{
    DeliveryPlan, LineType, Status, course::StatusChange, outgoing::OutgoingMessage, plan::end_of,
    service::MAX_VALIDITY, whatsapp,
};
use rehearse_core::journal::Via;

impl Outbox {
    /// How a message ends, and the plan for it.
    pub(super) fn end(&self, message: &OutgoingMessage) -> (StatusChange, Option<DeliveryPlan>) {
        if message.from.is_empty() {
            // A Messaging Service that has lost its numbers since the message was scheduled.
            return (StatusChange { status: Status::Failed, error: Some(21704) }, None);
        }
        if self.account.has_opted_out(&message.from, &message.to) && message.via != Via::Twilio {
            // Only a Messaging Service's message gets here: others were refused before.
            return (StatusChange { status: Status::Failed, error: Some(21610) }, None);
        }
        if whatsapp::number(&message.to).is_some() && !message.is_template {
            let now = self.account.clock.now();
            let state = self.account.state();
            if !whatsapp::is_open(&state.messages, &message.from, &message.to, now) {
                return (StatusChange { status: Status::Failed, error: Some(63016) }, None);
            }
        }
        let plan = self.account.state().take_plan(&message.from, &message.to);
        if let Some(plan) = plan {
            let plan = plan.within(self.validity(message));
            let (status, error) = plan.end();
            return (StatusChange { status, error }, Some(plan));
        }
        if self.account.options.line_types.get(&message.to) == Some(&LineType::Landline) {
            return (StatusChange { status: Status::Undelivered, error: Some(30006) }, None);
        }
        let end = match self.account.faults.next_failure("twilio.delivery") {
            Some(failure) => {
                let code = failure.code.and_then(|code| code.parse().ok()).unwrap_or(30008);
                StatusChange { status: end_of(code), error: Some(code) }
            }
            None => StatusChange { status: Status::Delivered, error: None },
        };
        (end, None)
    }

    /// For how long a message may wait in the queue.
    fn validity(&self, message: &OutgoingMessage) -> SignedDuration {
        let of_service = || {
            let state = self.account.state();
            let service = message.service.as_deref().and_then(|sid| state.service(sid));
            service.map(|service| service.config.validity_period)
        };
        let seconds = message.validity_period.or_else(of_service).unwrap_or(MAX_VALIDITY);
        SignedDuration::from_secs(seconds.into())
    }

    /// Has a Messaging Service choose the number that sends.
    pub(super) fn choose_sender(&self, message: &mut OutgoingMessage) {
        if let Some(service) = &message.service {
            let chosen = self.account.state().choose_sender(service, &message.to);
            message.from = chosen.unwrap_or_default();
        }
    }
}
