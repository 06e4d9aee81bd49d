//! What is wrong with a form, in the customer's language: told from the error's kind, not its text.

use super::texts::Texts;
use crate::{
    app::scheduler::SchedulerError,
    domain::{calendar::UnbookableReason, slot::SlotTime},
};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// The field beside which it is said; `None` when it is of the whole form.
    pub(super) field: Option<&'static str>,
    /// What is wrong and what to do.
    pub(super) text: String,
}

impl Problem {
    pub(super) fn of(error: &SchedulerError, texts: &Texts, asks_for_code: bool) -> Self {
        let (field, text) = match error {
            SchedulerError::Missing(field) => (Some(*field), missing(field, texts)),
            SchedulerError::Invalid { field, .. } => {
                (Some(*field), invalid(field, texts, asks_for_code))
            }
            SchedulerError::Unbookable(reason) => return Self::unbookable(reason, texts),
            SchedulerError::Taken { available } if available.is_empty() => {
                (Some("date"), texts.day_full)
            }
            SchedulerError::Taken { .. } => (Some("time"), texts.taken),
            SchedulerError::TooMany | SchedulerError::AddressLimit => (None, texts.too_many),
            SchedulerError::WrongCode { attempts_left: 0 } | SchedulerError::HoldEnded => {
                (None, texts.hold_ended)
            }
            SchedulerError::WrongCode { .. } => (Some("code"), texts.wrong_code),
            SchedulerError::KeyReused | SchedulerError::InvalidKey => (None, texts.key_reused),
            SchedulerError::Contended | SchedulerError::Store(_) => (None, texts.unavailable),
        };
        Self { field, text: text.to_owned() }
    }

    fn unbookable(reason: &UnbookableReason, texts: &Texts) -> Self {
        let (field, text) = match reason {
            UnbookableReason::InThePast => ("time", texts.past),
            UnbookableReason::TooSoon(_) => ("time", texts.too_soon),
            UnbookableReason::BeyondHorizon(_) => ("date", texts.too_far),
            UnbookableReason::ClosedDay(_) | UnbookableReason::ClosedDate(_) => {
                ("date", texts.shop_closed)
            }
            UnbookableReason::NotASlotTime { .. }
            | UnbookableReason::OwnerAway(_)
            | UnbookableReason::NonexistentLocalTime
            | UnbookableReason::ClocksSetForward => ("time", texts.no_such_time),
        };
        Self { field: Some(field), text: text.to_owned() }
    }

    /// Where the summary's link goes.
    pub(super) fn target(&self) -> Option<String> {
        self.field.map(|field| format!("#{field}"))
    }
}

fn missing<'a>(field: &str, texts: &'a Texts) -> &'a str {
    match field {
        "phone" => texts.phone_missing,
        "date" => texts.date_missing,
        "time" => texts.time_missing,
        "code" => texts.code_missing,
        _ => texts.repair_missing,
    }
}

fn invalid<'a>(field: &str, texts: &'a Texts, asks_for_code: bool) -> &'a str {
    match field {
        "phone" if asks_for_code => texts.phone_for_code_invalid,
        "phone" => texts.phone_invalid,
        "date" => texts.date_missing,
        "time" => texts.time_missing,
        "code" => texts.code_missing,
        "device" | "customer_name" => texts.label_invalid,
        "address" => texts.address_invalid,
        _ => texts.repair_missing,
    }
}

/// The free time that is nearest to one that is gone; the earlier of two.
pub(super) fn nearest(wanted: SlotTime, free: &[SlotTime]) -> Option<SlotTime> {
    let distance = |time: &SlotTime| time.minute_of_day().abs_diff(wanted.minute_of_day());
    free.iter().copied().min_by_key(distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earlier_of_two_nearest_times_is_offered() {
        let at = SlotTime::hour_of_day;
        assert_eq!(nearest(at(14), &[at(9), at(13), at(15)]), Some(at(13)));
        assert_eq!(nearest(at(14), &[at(9), at(16)]), Some(at(16)));
        assert_eq!(nearest(at(14), &[]), None);
    }
}
