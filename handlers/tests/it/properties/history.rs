//! A history of a shop: texts, forms and changes by the owner, with the rows before and after each.

use handlers::{
    app::{
        bookings::BookingError,
        owner_calendar::OwnerCalendarService,
        owner_page::{OwnerPageError, OwnerPageService},
        reply::{InboundText, ReplyService},
        scheduler::{FormAnswer, FormFields, SchedulerError},
    },
    domain::{
        calendar_settings::CalendarPatch,
        catalogue::Repair,
        changed_by::ChangedBy,
        day_schedule::Hold,
        lead::{Lead, LeadId, LeadStatus},
        slot::{Slot, SlotTime},
        time_span::TimeSpan,
    },
};
use jiff::{SignedDuration, Timestamp, civil};
use memory_ports::{Idle, OWNER, World, call, say};
use proptest::{collection::vec, prelude::*};
use serde_json::json;

use super::{
    reference::Minutes,
    shops::{Shop, clock, repairs},
};

/// How many dates from today on a history is about.
pub const DAYS: i64 = 4;
/// What the model says when its tools have run.
const DONE: &str = "Is there anything else?";

/// Who does what next.
#[derive(Debug, Clone)]
pub enum Step {
    /// A customer texts.
    Text(u8, Wish),
    /// The last text is delivered once more.
    Again,
    /// A customer books by the form, with one of a few keys.
    Form(u8, u8, When, Repair),
    /// The owner changes a booking.
    OwnersCancel(usize),
    OwnersMove(usize, When),
    Done(usize),
    /// The owner takes time off, ends it, closes a date, or changes his hours.
    TakeOff(i64, u16),
    GiveBack(i64),
    Close(i64),
    Hours(u16, u16),
    /// Minutes pass.
    Later(i64),
}

#[derive(Debug, Clone)]
pub enum Wish {
    Book(When, Repair),
    /// The booking with this place among all, whoever has it.
    Cancel(usize),
    Move(usize, When),
}

/// A date from today on, and a quarter of an hour of it or one of the times that are free.
#[derive(Debug, Clone)]
pub struct When {
    pub days: i64,
    pub quarter: u16,
    pub is_free: bool,
}

/// What somebody was told.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// This was done, or had been.
    Done(Vec<String>),
    Taken,
    Refused,
    /// A change of the owner, and the bookings that it touches.
    Changed(Vec<String>),
    Nothing,
}

/// The rows at a moment.
#[derive(Debug, Clone)]
pub struct Rows {
    pub now: Timestamp,
    pub leads: Vec<Lead>,
    pub holds: Vec<(civil::Date, Hold)>,
}

/// A step that was made.
#[derive(Debug, Clone)]
pub struct Made {
    pub step: Step,
    /// What it was about: the slot that was asked for, the booking that was to be changed.
    pub slot: Option<Slot>,
    pub lead: Option<Lead>,
    pub told: Told,
    pub before: Rows,
    pub after: Rows,
}

pub struct History {
    pub shop: Shop,
    pub world: World,
    reply: ReplyService,
    texts: usize,
    last: Option<InboundText>,
}

fn whens() -> impl Strategy<Value = When> {
    (0..DAYS, 0u16..96, prop::bool::weighted(0.8)).prop_map(|(days, quarter, is_free)| When {
        days,
        quarter,
        is_free,
    })
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 1..10)
}

pub fn step() -> impl Strategy<Value = Step> {
    let wish = prop_oneof![
        4 => (whens(), repairs()).prop_map(|(when, repair)| Wish::Book(when, repair)),
        2 => (0usize..6).prop_map(Wish::Cancel),
        2 => (0usize..6, whens()).prop_map(|(nth, when)| Wish::Move(nth, when)),
    ];
    prop_oneof![
        8 => (0u8..3, wish).prop_map(|(who, wish)| Step::Text(who, wish)),
        1 => Just(Step::Again),
        2 => (0u8..3, 0u8..4, whens(), repairs())
            .prop_map(|(who, key, when, repair)| Step::Form(who, key, when, repair)),
        1 => (0usize..6).prop_map(Step::OwnersCancel),
        1 => (0usize..6, whens()).prop_map(|(nth, when)| Step::OwnersMove(nth, when)),
        1 => (0usize..6).prop_map(Step::Done),
        1 => (0..DAYS, 0u16..96).prop_map(|(days, quarter)| Step::TakeOff(days, quarter)),
        1 => (0..DAYS).prop_map(Step::GiveBack),
        1 => (0..DAYS).prop_map(Step::Close),
        1 => (0u16..40, 41u16..97).prop_map(|(from, until)| Step::Hours(from * 15, until * 15)),
        2 => (0i64..600).prop_map(Step::Later),
    ]
}

pub fn number(who: u8) -> String {
    format!("+1904252{:04}", 1 + u16::from(who))
}

impl History {
    pub fn of(shop: &Shop) -> Self {
        let world = World::with_calendar(shop.deployed());
        world.store.set_calendar(shop.settings.clone());
        world.store.set_owner(shop.owner());
        Self { shop: shop.clone(), reply: world.reply(), world, texts: 0, last: None }
    }

    fn rows(&self) -> Rows {
        let leads = self.world.store.leads();
        let mut dates: Vec<civil::Date> = leads.iter().map(|lead| lead.slot.date()).collect();
        dates.extend((0..DAYS + 3).map(|days| self.shop.date(days)));
        dates.sort_unstable();
        dates.dedup();
        let of_date = |date: civil::Date| {
            self.world.store.schedule(date).holds.into_iter().map(move |hold| (date, hold))
        };
        Rows { now: self.shop.now, holds: dates.into_iter().flat_map(of_date).collect(), leads }
    }

    fn slot(&self, when: &When, repair: &Repair) -> Slot {
        let date = self.shop.date(when.days);
        let held = self.world.store.schedule(date).holds;
        let needed = self.shop.settings.time_needed(repair);
        let free = Minutes::of(&self.shop, date, &held).times(needed);
        let time = match free.get(usize::from(when.quarter) % free.len().max(1)) {
            Some(time) if when.is_free => *time,
            _ => SlotTime::from_minute_of_day(when.quarter * 15).unwrap(),
        };
        Slot::new(date, time)
    }

    fn nth(&self, nth: usize) -> Option<Lead> {
        let leads = self.world.store.leads();
        leads.get(nth % leads.len().max(1)).cloned()
    }

    /// Makes a step, and says what came of it.
    pub fn make(&mut self, step: Step) -> Made {
        let before = self.rows();
        let (slot, lead, told) = match &step {
            Step::Text(who, wish) => self.text(*who, wish),
            Step::Again => (None, None, self.again()),
            Step::Form(who, key, when, repair) => {
                let slot = self.slot(when, repair);
                (Some(slot), None, self.form(*who, *key, slot, repair))
            }
            Step::OwnersCancel(nth) => {
                let lead = self.nth(*nth);
                let told = self.owners(lead.as_ref(), None);
                (None, lead, told)
            }
            Step::OwnersMove(nth, when) => {
                let lead = self.nth(*nth);
                let slot = lead.as_ref().map(|lead| self.slot(when, &lead.repair));
                let told = self.owners(lead.as_ref(), slot);
                (slot, lead, told)
            }
            Step::Done(nth) => {
                let lead = self.nth(*nth);
                let told = lead.as_ref().map(|lead| self.complete(&lead.id));
                (None, lead, told.unwrap_or(Told::Nothing))
            }
            Step::TakeOff(days, quarter) => {
                let until = (quarter * 15 + 120).min(1440);
                let part = TimeSpan::between(quarter * 15, until).unwrap();
                (None, None, self.take_off(*days, part))
            }
            Step::GiveBack(days) => {
                let (calendar, date) = (self.calendar(), self.shop.date(*days));
                self.world.run(calendar.give_back(date, None, self.shop.now)).unwrap();
                (None, None, Told::Nothing)
            }
            Step::Close(days) => {
                let date = self.shop.date(*days).to_string();
                (None, None, self.settings(&json!({ "closed_dates": [date] })))
            }
            Step::Hours(from, until) => {
                let part = [format!("{}-{}", clock(*from), clock(*until))];
                let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
                let hours: serde_json::Map<_, _> =
                    days.iter().map(|day| ((*day).to_owned(), json!(part))).collect();
                (None, None, self.settings(&json!({ "hours": hours })))
            }
            Step::Later(minutes) => {
                self.shop.now += SignedDuration::from_mins(*minutes);
                let seconds = u64::try_from(*minutes * 60).unwrap();
                self.world.timer.advance(std::time::Duration::from_secs(seconds));
                (None, None, Told::Nothing)
            }
        };
        Made { step, slot, lead, told, before, after: self.rows() }
    }

    fn text(&mut self, who: u8, wish: &Wish) -> (Option<Slot>, Option<Lead>, Told) {
        let (slot, lead, call) = match wish {
            Wish::Book(when, repair) => {
                let slot = self.slot(when, repair);
                // What a model may invent besides: a price, a length, somebody else's number.
                let arguments = json!({
                    "date": slot.date().to_string(), "time": slot.time().to_string(),
                    "repair_type": repair.slug(), "device": "iPhone 12", "customer_name": null,
                    "address": "1 Main Street", "price": 1, "minutes": 5, "phone": OWNER,
                });
                (Some(slot), None, call("book_slot", arguments))
            }
            Wish::Cancel(nth) => {
                let Some(lead) = self.nth(*nth) else { return (None, None, Told::Nothing) };
                let arguments = json!({ "lead_id": lead.id.as_str() });
                (None, Some(lead), call("cancel_booking", arguments))
            }
            Wish::Move(nth, when) => {
                let Some(lead) = self.nth(*nth) else { return (None, None, Told::Nothing) };
                let slot = self.slot(when, &lead.repair);
                let arguments = json!({
                    "lead_id": lead.id.as_str(), "date": slot.date().to_string(),
                    "time": slot.time().to_string(),
                });
                (Some(slot), Some(lead), call("reschedule_booking", arguments))
            }
        };
        self.texts += 1;
        let text = InboundText {
            phone: memory_ports::phone(&number(who)),
            now: self.shop.now,
            ..memory_ports::text(&format!("SM{:032}", self.texts), "Please do")
        };
        self.last = Some(text.clone());
        self.world.model.then([call]).then([say(DONE)]);
        let told = self.answer(&text);
        (slot, lead, told)
    }

    fn answer(&self, text: &InboundText) -> Told {
        let asked = self.world.model.requests().len();
        let lines: Vec<String> =
            self.world.run(self.reply.answer(text)).join("\n").lines().map(str::to_owned).collect();
        self.world.model.forget_script();
        let done: Vec<String> =
            lines.into_iter().filter(|line| line.contains("Ref LEAD-")).collect();
        if !done.is_empty() {
            return Told::Done(done);
        }
        if self.world.model.requests().len() == asked {
            return Told::Nothing;
        }
        let is_taken =
            |result: &serde_json::Value| result["message"] == "That time is already taken";
        if self.world.model.results().iter().any(is_taken) { Told::Taken } else { Told::Refused }
    }

    fn again(&self) -> Told {
        self.last.as_ref().map_or(Told::Nothing, |text| self.answer(text))
    }

    pub fn form(&mut self, who: u8, key: u8, slot: Slot, repair: &Repair) -> Told {
        self.texts += 1;
        let fields = FormFields {
            phone: Some(number(who)),
            date: Some(slot.date().to_string()),
            time: Some(slot.time().to_string()),
            repair_type: Some(repair.slug()),
            device: Some("iPhone 12".into()),
            customer_name: None,
            address: Some("1 Main Street".into()),
        };
        let (key, address) = (format!("key-{key}"), format!("192.0.2.{}", self.texts));
        let scheduler = self.world.scheduler();
        let answer = self.world.run(scheduler.submit(&fields, Some(&key), &address, self.shop.now));
        match answer {
            Ok(FormAnswer::Booked(booked)) if booked.status == LeadStatus::Booked => {
                Told::Done(vec![booked.booking.summary()])
            }
            Err(SchedulerError::Taken { .. }) => Told::Taken,
            Ok(_) | Err(_) => Told::Refused,
        }
    }

    fn calendar(&self) -> OwnerCalendarService {
        OwnerCalendarService::new(self.world.store.clone(), self.shop.deployed())
    }

    fn owner_page(&self) -> OwnerPageService {
        let ids = std::sync::Arc::new(memory_ports::SequentialIdGenerator::default());
        let background = std::sync::Arc::new(Idle);
        OwnerPageService::new(self.world.store.clone(), ids, background, self.shop.deployed())
    }

    fn owners(&self, lead: Option<&Lead>, to: Option<Slot>) -> Told {
        let Some(lead) = lead else { return Told::Nothing };
        let (page, now) = (self.owner_page(), self.shop.now);
        let changed = match to {
            None => self.world.run(page.cancel(&lead.id, false, now)),
            Some(to) => self.world.run(page.reschedule(&lead.id, to, false, now)),
        };
        match changed {
            Ok(change) => Told::Done(vec![change.changed.booking.summary()]),
            Err(OwnerPageError::Booking(BookingError::Taken { .. })) => Told::Taken,
            Err(_) => Told::Refused,
        }
    }

    fn complete(&self, id: &LeadId) -> Told {
        let completed = self.world.run(self.owner_page().complete(id, self.shop.now));
        completed.map_or(Told::Refused, |_| Told::Nothing)
    }

    fn take_off(&self, days: i64, part: TimeSpan) -> Told {
        let (calendar, date) = (self.calendar(), self.shop.date(days));
        let touched = self.world.run(calendar.take_off(date, Some(part), self.shop.now)).unwrap();
        Told::Changed(touched.times.into_iter().map(|held| held.hold.lead_id).collect())
    }

    fn settings(&mut self, fields: &serde_json::Value) -> Told {
        let patch = CalendarPatch::from_json(fields.as_object().unwrap()).unwrap();
        let (calendar, now) = (self.calendar(), self.shop.now);
        let settings = self.world.run(calendar.update(&patch, ChangedBy::Api, now)).unwrap();
        self.shop.settings = settings;
        let touched = self.world.run(calendar.touched_bookings(now)).unwrap();
        Told::Changed(touched.times.into_iter().map(|held| held.hold.lead_id).collect())
    }
}

/// Plays a history from its beginning.
pub fn play(shop: &Shop, steps: Vec<Step>) -> Vec<Made> {
    let mut history = History::of(shop);
    steps.into_iter().map(|step| history.make(step)).collect()
}

impl Rows {
    pub fn lead(&self, id: &LeadId) -> Option<&Lead> {
        self.leads.iter().find(|lead| lead.id == *id)
    }

    pub fn booked(&self) -> impl Iterator<Item = &Lead> {
        self.leads.iter().filter(|lead| lead.status == LeadStatus::Booked)
    }

    /// The holds of bookings that are neither done nor time off.
    pub fn holds_of(&self, lead: &Lead) -> usize {
        let is_its = |(date, hold): &&(civil::Date, Hold)| {
            hold.lead_id == lead.id.as_str()
                && *date == lead.slot.date()
                && hold.start == lead.slot.time()
        };
        self.holds.iter().filter(is_its).count()
    }
}
