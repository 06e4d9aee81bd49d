//! What must hold of every step of a history: invariants 1 to 5, 13, 15 to 17 and 19 to 23.

use std::collections::{BTreeMap, BTreeSet};

use handlers::domain::{
    booking::Booking,
    day_schedule::Hold,
    lead::{Lead, LeadId, LeadStatus},
    slot::Slot,
};
use jiff::civil;
use memory_ports::OWNER;
use proptest::prelude::*;

use super::{
    history::{DAYS, History, Rows, Step, Told, Wish, number, play, steps},
    reference::Minutes,
    shops::{Shop, repairs, shops},
};

/// The number that a step belongs to, when a customer makes it.
fn customer(step: &Step) -> Option<String> {
    match step {
        Step::Text(who, _) | Step::Form(who, ..) => Some(number(*who)),
        _ => None,
    }
}

proptest! {
    /// 2. A slot is locked if and only if exactly one confirmed booking holds it.
    #[test]
    fn a_slot_is_locked_by_exactly_one_booking(shop in shops(), steps in steps()) {
        for made in play(&shop, steps) {
            for lead in made.after.booked() {
                prop_assert_eq!(made.after.holds_of(lead), 1, "{:?}", made.step);
            }
            for (date, hold) in made.after.holds.iter().filter(|(_, hold)| hold.is_expected()) {
                let is_its = |lead: &&Lead| lead.id.as_str() == hold.lead_id && lead.slot == Slot::new(*date, hold.start);
                prop_assert_eq!(made.after.booked().filter(is_its).count(), 1, "{:?} {:?}", made.step, hold);
            }
        }
    }

    /// 1. Confirmed overlap per resource never exceeds capacity, buffers included: a booking that is made
    /// or moved meets nothing that was held before.
    #[test]
    fn what_is_booked_meets_nothing(shop in shops(), steps in steps()) {
        for made in play(&shop, steps) {
            let is_new = |lead: &&Lead| made.before.lead(&lead.id).is_none_or(|old| old.slot != lead.slot);
            for lead in made.after.booked().filter(is_new) {
                let (from, until) = lead.time_needed.occupied(lead.slot.time());
                for (date, hold) in &made.before.holds {
                    let (held_from, held_until) = hold.time_needed().occupied(hold.start);
                    let is_apart = *date != lead.slot.date() || until <= held_from || held_until <= from;
                    prop_assert!(is_apart || hold.lead_id == lead.id.as_str(), "{:?} {hold:?}", made.step);
                }
            }
        }
    }

    /// 3. At most one booking per MessageSid or form key, however often it comes.
    #[test]
    fn a_text_or_form_books_at_most_once(shop in shops(), steps in steps()) {
        let mut keys = BTreeMap::<u8, usize>::new();
        for made in play(&shop, steps) {
            let new = made.after.leads.len() - made.before.leads.len();
            match &made.step {
                Step::Text(_, Wish::Book(..)) => prop_assert!(new <= 1),
                Step::Form(_, key, ..) => {
                    let count = keys.entry(*key).or_default();
                    *count += new;
                    prop_assert!(*count <= 1, "{:?}", made.step);
                }
                _ => prop_assert_eq!(new, 0, "{:?}", made.step),
            }
        }
    }

    /// 4. "Booked" was told: the row existed when the reply left. So for "moved" and "cancelled".
    #[test]
    fn what_is_told_as_done_stands_in_the_rows(shop in shops(), steps in steps()) {
        for made in play(&shop, steps) {
            let (Told::Done(lines), false) = (&made.told, matches!(made.step, Step::Again)) else { continue };
            for line in lines {
                let id = line.split("Ref ").nth(1).unwrap();
                let id: String = id.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
                let lead = made.after.lead(&LeadId::from_row(id)).unwrap();
                let is_cancel = matches!(made.step, Step::Text(_, Wish::Cancel(_)) | Step::OwnersCancel(_));
                let expected = if is_cancel { LeadStatus::Cancelled } else { LeadStatus::Booked };
                prop_assert_eq!(lead.status, expected, "{}", line);
                prop_assert!(line.contains(&lead.slot.to_string()), "{} {}", line, lead.slot);
            }
        }
    }

    /// 5. "Taken" was told: something held that time, and not the booking that was to be moved.
    #[test]
    fn who_is_told_taken_met_something(shop in shops(), steps in steps()) {
        for made in play(&shop, steps) {
            let (Told::Taken, Some(slot)) = (&made.told, made.slot) else { continue };
            let own = made.lead.as_ref().map(|lead| lead.id.as_str());
            let is_met = |(date, hold): &(civil::Date, Hold)| *date == slot.date() && Some(hold.lead_id.as_str()) != own;
            prop_assert!(made.before.holds.iter().any(is_met), "{:?}", made.step);
        }
    }

    /// 15. Cancel, then booking the same slot succeeds.
    #[test]
    fn a_slot_that_was_cancelled_can_be_booked(
        shop in shops(), steps in steps(), nth in 0usize..6, repair in repairs(),
    ) {
        let mut history = History::of(&shop);
        for step in steps {
            history.make(step);
        }
        let made = history.make(Step::OwnersCancel(nth));
        let (Some(lead), Told::Done(_)) = (&made.lead, &made.told) else { return Ok(()) };
        let date = lead.slot.date();
        let held = history.world.store.schedule(date).holds;
        let needed = history.shop.settings.time_needed(&repair);
        let may = Minutes::of(&history.shop, date, &held).may_begin(lead.slot.time().minute_of_day(), needed);
        let told = history.form(9, 9, lead.slot, &repair);
        prop_assert_eq!(matches!(told, Told::Done(_)), may, "{:?}", told);
    }

    /// 16. Cancel is idempotent and never touches another customer's booking.
    #[test]
    fn nobody_changes_the_booking_of_somebody_else(shop in shops(), steps in steps()) {
        for made in play(&shop, steps) {
            let Some(number) = customer(&made.step) else { continue };
            for old in made.before.leads.iter().filter(|lead| lead.phone.as_str() != number) {
                prop_assert_eq!(made.after.lead(&old.id), Some(old), "{:?}", made.step);
            }
            if let (Step::Text(_, Wish::Cancel(_)), Some(lead)) = (&made.step, &made.lead)
                && lead.phone.as_str() == number && lead.status == LeadStatus::Cancelled
            {
                prop_assert!(matches!(made.told, Told::Done(_)), "{:?}", made.told);
            }
        }
    }

    /// 17. Reschedule leaves exactly one of old and new.
    #[test]
    fn a_move_leaves_one_of_old_and_new(shop in shops(), steps in steps()) {
        for made in play(&shop, steps) {
            let is_move = matches!(made.step, Step::Text(_, Wish::Move(..)) | Step::OwnersMove(..));
            let (true, Some(lead), Some(to)) = (is_move, &made.lead, made.slot) else { continue };
            let holds = |rows: &Rows| {
                let its = rows.holds.iter().filter(|(_, hold)| hold.lead_id == lead.id.as_str());
                its.map(|(date, hold)| Slot::new(*date, hold.start)).collect::<Vec<_>>()
            };
            let is_moved = matches!(made.told, Told::Done(_)) ;
            let expected = if is_moved { vec![to] } else { holds(&made.before) };
            prop_assert_eq!(holds(&made.after), expected, "{:?}", made.step);
        }
    }

    /// 19. Adding a booking or time off never adds availability.
    #[test]
    fn bookings_and_time_off_leave_no_more_free(shop in shops(), steps in steps(), repair in repairs()) {
        let mut history = History::of(&shop);
        let free = |history: &History, day: i64| {
            let date = history.shop.date(day);
            let (scheduler, slug) = (history.world.scheduler(), repair.slug());
            let date = date.to_string();
            let times = scheduler.availability(Some(&date), Some(&slug), history.shop.now);
            history.world.run(times).unwrap().1
        };
        for step in steps {
            let adds = matches!(step, Step::Text(_, Wish::Book(..)) | Step::Form(..) | Step::TakeOff(..));
            let before: Vec<_> = (0..DAYS).map(|day| free(&history, day)).collect();
            history.make(step);
            if adds {
                for (day, before) in (0..DAYS).zip(before) {
                    prop_assert!(free(&history, day).iter().all(|time| before.contains(time)));
                }
            }
        }
    }

    /// 20. An admin change never silently drops a booking: all stand, and those that the calendar leaves
    /// no room for are named.
    #[test]
    fn a_change_of_the_calendar_drops_no_booking(shop in shops(), steps in steps()) {
        for made in play(&shop, steps) {
            let Told::Changed(touched) = &made.told else { continue };
            prop_assert_eq!(&made.after.leads, &made.before.leads);
            if matches!(made.step, Step::Close(_)) {
                let date = made.after.leads.iter().filter(|lead| lead.status == LeadStatus::Booked);
                let clock = shop.zone().to_datetime(made.after.now);
                let Step::Close(days) = made.step else { continue };
                let closed = Shop { now: made.before.now, ..shop.clone() }.date(days);
                for lead in date.filter(|lead| lead.slot.date() == closed && lead.time_needed.is_open_at(lead.slot, clock)) {
                    prop_assert!(touched.contains(&lead.id.as_str().to_owned()), "{lead:?} {touched:?}");
                }
            }
        }
    }

    /// 21. At most one reminder per booking, none after cancel: nobody is texted but by the answer to
    /// their own text. What goes out besides is news for the owner, once for each event.
    #[test]
    fn customers_get_no_text_that_they_did_not_ask_for(shop in shops(), steps in steps()) {
        let mut history = History::of(&shop);
        for step in steps {
            history.make(step);
        }
        let texts = history.world.store.outbox();
        for text in &texts {
            prop_assert_eq!(text.to.as_str(), OWNER, "{:?}", text);
        }
        let bodies: BTreeSet<_> = texts.iter().map(|text| &text.id).collect();
        prop_assert_eq!(bodies.len(), texts.len());
    }

    /// 22. Price and service come from the catalogue, never from the model; 23. the row's phone is the
    /// webhook's From. 13. And its length is the service's.
    #[test]
    fn a_row_has_what_the_catalogue_and_the_webhook_say(shop in shops(), steps in steps()) {
        let mut history = History::of(&shop);
        for step in steps {
            let settings = history.shop.settings.clone();
            let made = history.make(step);
            let new = made.after.leads.iter().filter(|lead| made.before.lead(&lead.id).is_none());
            for lead in new {
                let (Step::Text(who, Wish::Book(_, repair)) | Step::Form(who, _, _, repair)) = &made.step else {
                    panic!("{:?} books", made.step);
                };
                prop_assert_eq!(&lead.repair, repair);
                prop_assert_eq!(lead.phone.as_str(), number(*who));
                prop_assert_eq!(lead.time_needed, settings.time_needed(repair));
                let booking = Booking::from(lead);
                prop_assert_eq!(booking.price(), repair.quote("iPhone 12"));
            }
        }
    }
}
