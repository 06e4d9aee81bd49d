//! Availability on the pure calendar: invariants 1, 6 to 14 and 19.

use handlers::domain::{
    calendar::UnbookableReason, day_schedule::Hold, slot::Slot, time_needed::TimeNeeded,
};
use jiff::{SignedDuration, Timestamp, civil};
use proptest::{prelude::*, sample::Index};

use super::{
    reference::Minutes,
    shops::{Shop, held, repairs, schedule, shops},
};

/// What is offered on a date beside what is held.
fn offered(shop: &Shop, date: civil::Date, needed: TimeNeeded, held: &[Hold]) -> Vec<Slot> {
    let times = shop.calendar().bookable_slots(date, &schedule(held), needed, shop.now);
    times.into_iter().map(|time| Slot::new(date, time)).collect()
}

/// When an appointment begins, and when its minutes are over.
fn span(shop: &Shop, slot: Slot, minutes: u16) -> (Timestamp, Timestamp) {
    let start = shop.calendar().instant(slot).unwrap();
    (start, start + SignedDuration::from_mins(minutes.into()))
}

/// An offer of a shop, for the properties of what is offered. Most shops have one on some date soon.
fn pick(shop: &Shop, needed: TimeNeeded, held: &[Hold], pick: &Index) -> Option<Slot> {
    let all: Vec<Slot> =
        (0..5).flat_map(|days| offered(shop, shop.date(days), needed, held)).collect();
    (!all.is_empty()).then(|| all[pick.index(all.len())])
}

proptest! {
    /// Exactly those times are offered that the settings, the clock and what is held leave, decided
    /// minute by minute.
    #[test]
    fn offers_are_what_every_single_minute_allows(
        shop in shops(), days in prop_oneof![3 => 0i64..3, 1 => -2i64..12], repair in repairs(), held in held(),
    ) {
        let (date, needed) = (shop.date(days), shop.settings.time_needed(&repair));
        let times: Vec<_> = offered(&shop, date, needed, &held).iter().map(|slot| slot.time()).collect();
        prop_assert_eq!(times, Minutes::of(&shop, date, &held).times(needed));
    }

    /// 1. Confirmed overlap per resource never exceeds capacity, buffers included: what is offered
    /// overlaps nothing that is held, the ways to customers included.
    #[test]
    fn what_is_offered_overlaps_nothing_that_is_held(
        shop in shops(), repair in repairs(), held in held(), index in any::<Index>(),
    ) {
        let needed = shop.settings.time_needed(&repair);
        let Some(slot) = pick(&shop, needed, &held, &index) else { return Ok(()) };
        let (from, until) = needed.occupied(slot.time());
        for hold in &held {
            let (held_from, held_until) = hold.time_needed().occupied(hold.start);
            prop_assert!(until <= held_from || held_until <= from, "{hold:?}");
        }
    }

    /// 6. Offered means bookable while nothing changes.
    #[test]
    fn offered_means_bookable(
        shop in shops(), repair in repairs(), held in held(), index in any::<Index>(),
    ) {
        let needed = shop.settings.time_needed(&repair);
        let Some(slot) = pick(&shop, needed, &held, &index) else { return Ok(()) };
        prop_assert_eq!(shop.calendar().unbookable_reason(slot, needed, shop.now), None);
        prop_assert!(schedule(&held).conflict(slot.time(), needed, None).is_none());
    }

    /// 7. Bookable means offered: one function decides both.
    #[test]
    fn bookable_means_offered(
        shop in shops(), days in prop_oneof![3 => 0i64..3, 1 => -2i64..12], repair in repairs(), held in held(), minute in 0u16..1440,
    ) {
        let (date, needed) = (shop.date(days), shop.settings.time_needed(&repair));
        let offers = offered(&shop, date, needed, &held);
        // Any minute, and the grid of a quarter of an hour, where most bookable times are.
        for minute in (0..1440).step_by(15).chain([minute]) {
            let time = handlers::domain::slot::SlotTime::from_minute_of_day(minute).unwrap();
            let slot = Slot::new(date, time);
            let is_bookable = shop.calendar().unbookable_reason(slot, needed, shop.now).is_none()
                && schedule(&held).conflict(time, needed, None).is_none();
            prop_assert_eq!(is_bookable, offers.contains(&slot), "{}", slot);
        }
    }

    /// 8. start >= now + notice.
    #[test]
    fn what_is_offered_leaves_the_notice(
        shop in shops(), repair in repairs(), index in any::<Index>(),
    ) {
        let Some(slot) = pick(&shop, shop.settings.time_needed(&repair), &[], &index) else { return Ok(()) };
        let earliest = shop.now + SignedDuration::from_mins(shop.settings.notice_minutes.into());
        prop_assert!(shop.calendar().instant(slot).unwrap() >= earliest);
    }

    /// 9. start <= horizon, a number of dates on the shop's wall clock.
    #[test]
    fn nothing_is_offered_beyond_the_horizon(
        shop in shops(), beyond in 1i64..400, repair in repairs(),
    ) {
        let date = shop.date(i64::from(shop.settings.horizon_days) + beyond);
        let needed = shop.settings.time_needed(&repair);
        prop_assert_eq!(offered(&shop, date, needed, &[]), []);
        let reason = shop.calendar().day_unbookable_reason(date, shop.now);
        prop_assert_eq!(reason, Some(UnbookableReason::BeyondHorizon(shop.settings.horizon_days)));
        let last = shop.date(shop.settings.horizon_days.into());
        let reason = shop.calendar().day_unbookable_reason(last, shop.now);
        prop_assert!(!matches!(reason, Some(UnbookableReason::BeyondHorizon(_))), "the last date is within");
    }

    /// 10. Inside open hours in the shop's time zone, the ways included, and on no closed date.
    #[test]
    fn what_is_offered_lies_in_the_hours(
        shop in shops(), repair in repairs(), index in any::<Index>(),
    ) {
        let needed = shop.settings.time_needed(&repair);
        let Some(slot) = pick(&shop, needed, &[], &index) else { return Ok(()) };
        prop_assert!(!shop.settings.closed_dates.contains(&slot.date()));
        // As the zone reads the moment, not as the slot names it.
        let clock = shop.zone().to_datetime(shop.calendar().instant(slot).unwrap());
        let start = clock.hour() as u16 * 60 + clock.minute() as u16;
        let parts = shop.settings.hours.parts(clock.date().weekday());
        prop_assert!(parts.iter().any(|part| {
            part.start.minute_of_day() + needed.travel <= start
                && start + needed.minutes + needed.travel <= part.end()
        }), "{clock} {parts:?}");
    }

    /// 11. Local wall time is stable across DST: a slot is at the same time of the clock on every day,
    /// whatever the offset.
    #[test]
    fn a_slot_keeps_its_wall_clock_time(
        shop in shops(), repair in repairs(), index in any::<Index>(),
    ) {
        let Some(slot) = pick(&shop, shop.settings.time_needed(&repair), &[], &index) else { return Ok(()) };
        let start = shop.calendar().instant(slot).unwrap();
        prop_assert_eq!(shop.zone().to_datetime(start), slot.start());
    }

    /// 12. A nonexistent local time is never offered, and a repeated hour is unambiguous: the earlier.
    #[test]
    fn no_offer_is_skipped_or_ambiguous(
        shop in shops(), repair in repairs(), index in any::<Index>(),
    ) {
        let Some(slot) = pick(&shop, shop.settings.time_needed(&repair), &[], &index) else { return Ok(()) };
        let time = shop.zone().to_ambiguous_timestamp(slot.start());
        let earlier = time.earlier().unwrap();
        prop_assert_eq!(shop.calendar().instant(slot), Ok(earlier));
        // A skipped time is shown later by the clock.
        prop_assert_eq!(shop.zone().to_datetime(earlier), slot.start());
    }

    /// 13. end - start is the service's duration: by the clock no appointment ends before its minutes
    /// are over.
    #[test]
    fn an_appointment_has_all_its_minutes(
        shop in shops(), repair in repairs(), index in any::<Index>(),
    ) {
        let needed = shop.settings.time_needed(&repair);
        let Some(slot) = pick(&shop, needed, &[], &index) else { return Ok(()) };
        let (_, over) = span(&shop, slot, needed.minutes);
        let minutes = Minutes::of(&shop, slot.date(), &[]);
        let last = i64::from(slot.time().minute_of_day()) + i64::from(needed.minutes) - 1;
        let by_the_clock = minutes.moment(last).unwrap() + SignedDuration::from_mins(1);
        prop_assert!(over <= by_the_clock, "{over} {by_the_clock}");
    }

    /// 14. No overlap with time off, whether a part of a date or all until the owner is back.
    #[test]
    fn nothing_is_offered_in_time_off(
        shop in shops(), repair in repairs(), held in held(), index in any::<Index>(),
    ) {
        let off: Vec<Hold> = held.into_iter().map(|hold| Hold {
            is_time_off: true, is_done: false, travel: 0, lead_id: String::new(), ..hold
        }).collect();
        let needed = shop.settings.time_needed(&repair);
        let Some(slot) = pick(&shop, needed, &off, &index) else { return Ok(()) };
        let (from, until) = needed.occupied(slot.time());
        for hold in &off {
            let start = hold.start.minute_of_day();
            prop_assert!(until <= start || start + hold.minutes <= from, "{hold:?}");
        }
        let start = shop.calendar().instant(slot).unwrap();
        prop_assert!(shop.away_until.is_none_or(|until| until <= start));
    }

    /// 19. Adding a booking or time off never adds availability.
    #[test]
    fn what_is_held_more_leaves_no_more(
        shop in shops(), days in 0i64..8, repair in repairs(), held in held(), more in held(),
    ) {
        let (date, needed) = (shop.date(days), shop.settings.time_needed(&repair));
        let before = offered(&shop, date, needed, &held);
        let after = offered(&shop, date, needed, &[held, more].concat());
        prop_assert!(after.iter().all(|slot| before.contains(slot)));
    }

    /// A row that cannot be read may hold any time, so its date offers nothing.
    #[test]
    fn a_row_that_cannot_be_read_empties_its_date(
        shop in shops(), days in 0i64..8, repair in repairs(),
    ) {
        let row = handlers::domain::day_schedule::UnreadableRow { key: "lunch".into(), lead_id: String::new() };
        let day = handlers::domain::day_schedule::DaySchedule { unreadable: vec![row], ..Default::default() };
        let needed = shop.settings.time_needed(&repair);
        prop_assert_eq!(shop.calendar().bookable_slots(shop.date(days), &day, needed, shop.now), []);
    }
}
