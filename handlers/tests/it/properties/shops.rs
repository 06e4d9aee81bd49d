//! Arbitrary shops: any hours, overrides, lengths, notice and horizon, in zones whose clocks do what
//! clocks do, at moments when they do it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use handlers::domain::{
    calendar::{Calendar, weekday_name},
    calendar_settings::{CalendarPatch, CalendarSettings},
    catalogue::{Repair, RepairKind},
    day_schedule::{DaySchedule, Hold},
    owner::{OwnerState, Until},
    slot::{Slot, SlotTime},
    time_needed::TimeNeeded,
};
use jiff::{
    SignedDuration, Span, Timestamp,
    civil::{self, Weekday},
    tz::{TimeZone, TimeZoneDatabase},
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

/// Zones with an hour that is skipped and one that comes twice in either hemisphere, with half an hour
/// of daylight saving (Lord Howe), at quarters of an hour (Chatham, Kathmandu), and one that skipped a
/// whole day (Apia, 2011-12-30).
pub const ZONES: [&str; 6] = [
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Asia/Kathmandu",
    "Pacific/Apia",
];

/// Moments at which the clocks of each zone change, and the ends of some years.
static MOMENTS: LazyLock<BTreeMap<&str, Vec<Timestamp>>> = LazyLock::new(|| {
    let from: Timestamp = "1985-06-01T00:00:00Z".parse().unwrap();
    let until: Timestamp = "2040-01-01T00:00:00Z".parse().unwrap();
    let of_zone = |name: &'static str| {
        let zone = zone(name);
        let changes = zone.following(from).map(|change| change.timestamp());
        let mut moments: Vec<Timestamp> = changes.take_while(|time| *time < until).collect();
        moments.extend([2023i16, 2024, 2027, 2028].map(|year| {
            civil::date(year, 12, 31).at(23, 59, 30, 0).to_zoned(zone.clone()).unwrap().timestamp()
        }));
        (name, moments)
    };
    ZONES.into_iter().map(of_zone).collect()
});

/// A shop as its owner may have it, at a moment.
#[derive(Debug, Clone)]
pub struct Shop {
    pub zone_name: &'static str,
    pub now: Timestamp,
    pub settings: CalendarSettings,
    /// Until when the owner is away, if he is.
    pub away_until: Option<Timestamp>,
}

impl Shop {
    pub fn zone(&self) -> TimeZone {
        zone(self.zone_name)
    }

    pub fn owner(&self) -> OwnerState {
        let until = self.away_until.map(Until::Instant);
        OwnerState { until, version: 1, ..OwnerState::default() }
    }

    pub fn deployed(&self) -> Calendar {
        Calendar::new(self.zone_name).unwrap()
    }

    pub fn calendar(&self) -> Calendar {
        self.deployed().with_settings(Some(self.settings.clone())).with_owner(&self.owner())
    }

    /// What the clock on its wall says.
    pub fn clock(&self) -> civil::DateTime {
        self.zone().to_datetime(self.now)
    }

    /// The date so many days after today.
    pub fn date(&self, days: i64) -> civil::Date {
        self.clock().date().saturating_add(Span::new().days(days))
    }
}

pub fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

/// Any shop.
pub fn shops() -> impl Strategy<Value = Shop> {
    let place = select(&ZONES[..]).prop_flat_map(|zone_name| {
        let near = select(MOMENTS[zone_name].clone());
        // Mostly close to the change, so that it falls into what can be booked.
        let hours = prop_oneof![3 => -80i64..4, 1 => -2000i64..2000];
        // Often exactly when a slot may begin, where one second decides.
        let seconds = prop_oneof![2 => select(vec![0i64, 900, 1800, 2700]), 1 => 0i64..3600];
        (Just(zone_name), near, hours, seconds).prop_map(|(zone_name, near, hours, seconds)| {
            (zone_name, near + SignedDuration::from_secs(hours * 3600 + seconds))
        })
    });
    (place, settings(), vec(0i64..12, 0..3), prop::option::weighted(0.3, -8i64..240)).prop_map(
        |((zone_name, now), mut settings, closed, away_quarters)| {
            let away_until =
                away_quarters.map(|quarters| now + SignedDuration::from_mins(quarters * 15));
            let today = zone(zone_name).to_datetime(now).date();
            settings.closed_dates =
                closed.iter().map(|days| today + Span::new().days(*days)).collect();
            Shop { zone_name, now, settings, away_until }
        },
    )
}

/// The parts of a day, from and until in minutes. Every second one is open around the clock, so that
/// whatever clocks do falls into the hours.
fn parts() -> impl Strategy<Value = Vec<(u16, u16)>> {
    let cuts = proptest::collection::btree_set(0u16..=96, 0..6);
    let some = cuts.prop_map(|cuts| {
        let minutes: Vec<u16> = cuts.into_iter().map(|quarter| quarter * 15).collect();
        minutes.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
    });
    prop_oneof![4 => Just(vec![(0, 1440)]), 2 => Just(vec![(540, 720), (780, 1080)]), 3 => some]
}

fn settings() -> impl Strategy<Value = CalendarSettings> {
    let minutes = || prop_oneof![3 => select(vec![5u16, 30, 45, 60, 90, 120]), 1 => 5u16..=600];
    let notice = prop_oneof![3 => select(vec![0u16, 1, 30, 60, 119, 1440]), 1 => 0u16..=20_160];
    let horizon = prop_oneof![3 => 1u16..8, 1 => 1u16..=365];
    (
        vec(parts(), 7),
        select(vec![15u16, 20, 30, 60]),
        vec(minutes(), RepairKind::ALL.len()),
        prop_oneof![Just(0u16), 1u16..90],
        notice,
        horizon,
    )
        .prop_map(|(week, interval, minutes, travel, notice, horizon)| {
            let days = Weekday::Monday.cycle_forward().zip(week).map(|(day, parts)| {
                let parts: Vec<String> = parts
                    .iter()
                    .map(|(from, until)| format!("{}-{}", clock(*from), clock(*until)))
                    .collect();
                (weekday_name(day).to_lowercase(), json!(parts))
            });
            let repairs = RepairKind::ALL.iter().zip(minutes);
            let fields = json!({
                "hours": days.collect::<serde_json::Map<_, _>>(),
                "slot_interval_minutes": interval,
                "repair_minutes": repairs
                    .map(|(kind, minutes)| (kind.slug().to_owned(), json!(minutes)))
                    .collect::<serde_json::Map<_, _>>(),
                "travel_minutes": travel,
                "notice_minutes": notice,
                "horizon_days": horizon,
            });
            settings_of(&fields)
        })
}

/// A minute of the day on a clock.
pub fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// The usual settings with these fields.
pub fn settings_of(fields: &Value) -> CalendarSettings {
    let patch = CalendarPatch::from_json(fields.as_object().unwrap()).unwrap();
    CalendarSettings { version: 1, ..CalendarSettings::default().with(&patch) }
}

/// A repair in the shop or at the customer's.
pub fn repairs() -> impl Strategy<Value = Repair> {
    (select(&RepairKind::ALL[..]), any::<bool>())
        .prop_map(|(kind, on_site)| Repair::Listed { kind, on_site })
}

/// What is held on a date: bookings of any length, visits, time off, what is done.
pub fn held() -> impl Strategy<Value = Vec<Hold>> {
    let hold = (0u16..288, 5u16..300, prop_oneof![3 => Just(0u16), 1 => 1u16..90], 0u8..4);
    vec(hold, 0..4).prop_map(|holds| {
        let hold = |(i, (start, minutes, travel, kind)): (usize, (u16, u16, u16, u8))| {
            let start = SlotTime::from_minute_of_day(start * 5).unwrap();
            let is_time_off = kind == 3;
            Hold {
                key: start.to_string(),
                start,
                minutes,
                travel: if is_time_off { 0 } else { travel },
                lead_id: if is_time_off { String::new() } else { format!("LEAD-{i}") },
                phone: None,
                is_time_off,
                is_done: kind == 2,
            }
        };
        holds.into_iter().enumerate().map(hold).collect()
    })
}

/// Holds of a date that are nobody's in particular.
pub fn holds(held: Vec<(Slot, TimeNeeded)>) -> Vec<Hold> {
    let hold = |(slot, TimeNeeded { minutes, travel }): (Slot, TimeNeeded)| Hold {
        key: slot.time().to_string(),
        start: slot.time(),
        minutes,
        travel,
        lead_id: String::new(),
        phone: None,
        is_time_off: false,
        is_done: false,
    };
    held.into_iter().map(hold).collect()
}

pub fn schedule(holds: &[Hold]) -> DaySchedule {
    DaySchedule { holds: holds.to_vec(), ..DaySchedule::default() }
}
