//! Histories of a shop: texts, forms and changes by the owner, one after the other, and what must hold
//! of every step: invariants 2 to 5, 15 to 17 and 19 to 23.

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
    shops::{Shop, repairs, shops},
};

/// How many dates from today on a history is about.
const DAYS: i64 = 4;
/// What the model says when its tools have run.
const DONE: &str = "Is there anything else?";

/// Who does what next.
#[derive(Debug, Clone)]
enum Step {
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
enum Wish {
    Book(When, Repair),
    /// The booking with this place among all, whoever has it.
    Cancel(usize),
    Move(usize, When),
}

/// A date from today on, and a quarter of an hour of it or one of the times that are free.
#[derive(Debug, Clone)]
struct When {
    days: i64,
    quarter: u16,
    is_free: bool,
}

/// What somebody was told.
#[derive(Debug, Clone, PartialEq)]
enum Told {
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
struct Rows {
    now: Timestamp,
    leads: Vec<Lead>,
    holds: Vec<(civil::Date, Hold)>,
}

/// A step that was made.
#[derive(Debug, Clone)]
struct Made {
    step: Step,
    /// What it was about: the slot that was asked for, the booking that was to be changed.
    slot: Option<Slot>,
    lead: Option<Lead>,
    told: Told,
    before: Rows,
    after: Rows,
}

struct History {
    shop: Shop,
    world: World,
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

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let wish = prop_oneof![
        4 => (whens(), repairs()).prop_map(|(when, repair)| Wish::Book(when, repair)),
        2 => (0usize..6).prop_map(Wish::Cancel),
        2 => (0usize..6, whens()).prop_map(|(nth, when)| Wish::Move(nth, when)),
    ];
    let step = prop_oneof![
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
    ];
    vec(step, 1..10)
}

fn number(who: u8) -> String {
    format!("+1904252{:04}", 1 + u16::from(who))
}

impl History {
    fn of(shop: &Shop) -> Self {
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
    fn make(&mut self, step: Step) -> Made {
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
                let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
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

    fn form(&mut self, who: u8, key: u8, slot: Slot, repair: &Repair) -> Told {
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
fn play(shop: &Shop, steps: Vec<Step>) -> Vec<Made> {
    let mut history = History::of(shop);
    steps.into_iter().map(|step| history.make(step)).collect()
}

impl Rows {
    fn lead(&self, id: &LeadId) -> Option<&Lead> {
        self.leads.iter().find(|lead| lead.id == *id)
    }

    fn booked(&self) -> impl Iterator<Item = &Lead> {
        self.leads.iter().filter(|lead| lead.status == LeadStatus::Booked)
    }

    /// The holds of bookings that are neither done nor time off.
    fn holds_of(&self, lead: &Lead) -> usize {
        let is_its = |(date, hold): &&(civil::Date, Hold)| {
            hold.lead_id == lead.id.as_str()
                && *date == lead.slot.date()
                && hold.start == lead.slot.time()
        };
        self.holds.iter().filter(is_its).count()
    }
}

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
        let mut keys = std::collections::BTreeMap::<u8, usize>::new();
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
        let bodies: std::collections::BTreeSet<_> = texts.iter().map(|text| &text.id).collect();
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
                let booking = handlers::domain::booking::Booking::from(lead);
                prop_assert_eq!(booking.price(), repair.quote("iPhone 12"));
            }
        }
    }
}
