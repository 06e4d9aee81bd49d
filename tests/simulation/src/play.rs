//! One schedule: from its seed to what everybody was told, and whether that can be.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt as _, channel::mpsc};
use handlers::{
    adapters::secrets::StaticCredential,
    app::{
        bookings::BookingError,
        owner_page::{OwnerPageError, OwnerPageService},
        reply::{InboundText, ReplyPorts, ReplyService, ReplySettings, SEND_TIMEOUT},
        scheduler::{FormAnswer, FormFields, Scheduler, SchedulerError},
    },
    domain::{
        lead::{LeadId, LeadStatus},
        pace::TurnLimits,
        phone::Phone,
    },
    ports::Timer as _,
};
use jiff::{SignedDuration, Timestamp};
use memory_ports::{FakeSms, FakeStore, Idle, NOW, PlantedRace, SequentialIdGenerator, TestTimer};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use stateright::semantics::{ConsistencyTester as _, LinearizabilityTester};

use crate::{
    chance::{Chance, Rates, SkewedTimer},
    executor::{self, NewTask, Spawner},
    model::{ObedientModel, REFUSED, TAKEN},
    plan::{self, Id, Operation, Size, Way, Wish},
    rows,
    sequential::{Bookings, Question, SequentialCalendar, Told},
};

/// How long somebody waits for an answer before they go on.
const PATIENCE: Duration = Duration::from_secs(40);

/// What is played, but for the seed.
#[derive(Debug, Clone, Default)]
pub struct Schedule {
    /// How many ask for how much.
    pub size: Size,
    /// What goes wrong how often.
    pub rates: Rates,
    /// Only these operations of the plan; all when empty.
    pub only: Vec<Id>,
    /// A race that is planted into the tables.
    pub race: Option<PlantedRace>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Milliseconds since the beginning.
    pub at_ms: i64,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Somebody asked for something.
    Asked(Operation),
    /// It was delivered once more.
    DeliveredAgain(Id),
    /// Somebody was told something definite.
    Told(Id, Told),
    /// Somebody got an answer that leaves open what was done.
    LeftOpen(Id, String),
    /// An attempt at it crashed.
    Crashed(Id),
}

/// What must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// No order of events explains what was told and the rows at the end.
    NotLinearizable,
    /// Two answers to one text say different things.
    ToldTwoThings(Id),
    /// A sentence about the rows does not hold.
    Rows(String),
    /// It never ends.
    NeverEnds,
}

/// What came of a schedule.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What happened, in order.
    pub events: Vec<Event>,
    /// What must not be, if it was.
    pub violation: Option<Violation>,
    /// How many calls of ports there were.
    pub calls: usize,
    /// SHA-256 over everything that happened, in hexadecimal digits.
    pub hash: String,
}

/// What happened so far.
struct Log {
    timer: Arc<TestTimer>,
    events: RefCell<Vec<Event>>,
    told: RefCell<BTreeMap<Id, Told>>,
    contradiction: RefCell<Option<Id>>,
}

impl Log {
    fn note(&self, what: What) {
        self.events.borrow_mut().push(Event { at_ms: self.timer.unix_ms(), what });
    }

    /// An answer to an operation. The first definite one counts.
    fn answered(&self, operation: &Operation, told: Result<Told, String>) {
        let told = match told {
            Ok(told) => told,
            Err(open) => return self.note(What::LeftOpen(operation.id, open)),
        };
        let before = self.told.borrow().get(&operation.id).cloned();
        match before {
            None => {
                self.told.borrow_mut().insert(operation.id, told.clone());
                self.note(What::Told(operation.id, told));
            }
            // An answer to a text is stored before it is given.
            Some(before) if before != told && operation.way == Way::Text => {
                self.note(What::Told(operation.id, told));
                self.contradiction.borrow_mut().get_or_insert(operation.id);
            }
            Some(_) => {}
        }
    }
}

/// The shop of one schedule.
struct Shop {
    store: Arc<FakeStore>,
    timer: Arc<TestTimer>,
    /// One for each machine that answers texts.
    replies: Vec<Arc<ReplyService>>,
    scheduler: Scheduler,
    owner: OwnerPageService,
    log: Log,
}

impl Schedule {
    /// Plays the schedule of a seed. The same seed gives the same outcome.
    pub fn play(&self, seed: u64) -> Outcome {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut actors = plan::plan(&mut random, self.size);
        if !self.only.is_empty() {
            actors.iter_mut().for_each(|own| own.retain(|each| self.only.contains(&each.id)));
        }
        let timer = Arc::new(TestTimer::default());
        let chance = Arc::new(Chance::new(random.random(), self.rates, timer.clone()));
        let shop = Rc::new(shop(&mut random, &timer, &chance));
        if let Some(race) = self.race {
            shop.store.plant(race);
        }
        shop.store.set_chance(chance.clone());

        let spawner = Spawner::default();
        for operations in actors {
            let random = ChaCha8Rng::seed_from_u64(random.random());
            let actor =
                Actor { shop: shop.clone(), spawner: spawner.clone(), rates: self.rates, random };
            spawner.spawn(NewTask {
                start_ms: 0,
                crash_after: None,
                work: Box::pin(actor.ask_all(operations)),
                crashed: Box::new(|| {}),
            });
        }
        let ended = executor::run(&spawner, &timer, &mut random);

        let events = shop.log.events.borrow().clone();
        let calls = chance.calls();
        let hash = Sha256::digest(format!("{events:?} {calls:?}").as_bytes());
        let violation =
            ended.err().map(|_| Violation::NeverEnds).or_else(|| violation(&shop, &events));
        let hash = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Outcome { events, violation, calls: calls.len(), hash }
    }

    /// The same with as few operations as still lead to a violation with this seed.
    #[must_use]
    pub fn shrink(&self, seed: u64) -> Self {
        let asked = |outcome: &Outcome| -> Vec<Id> {
            let ids = outcome.events.iter().filter_map(|event| match &event.what {
                What::Asked(operation) => Some(operation.id),
                _ => None,
            });
            ids.collect()
        };
        let mut smallest = Self { only: asked(&self.play(seed)), ..self.clone() };
        let mut place = 0;
        while smallest.only.len() > 1 && place < smallest.only.len() {
            let mut fewer = smallest.clone();
            fewer.only.remove(place);
            if fewer.play(seed).violation.is_some() {
                smallest = fewer;
            } else {
                place += 1;
            }
        }
        smallest
    }
}

fn shop(random: &mut ChaCha8Rng, timer: &Arc<TestTimer>, chance: &Arc<Chance>) -> Shop {
    let store = Arc::new(FakeStore::default());
    let ids = Arc::new(SequentialIdGenerator::default());
    let calendar = memory_ports::calendar();
    let replies = (0..2).map(|_| {
        let skewed =
            SkewedTimer { timer: timer.clone(), skew_ms: random.random_range(-1_000..1_000) };
        let ports = ReplyPorts {
            model: Arc::new(ObedientModel { chance: chance.clone() }),
            store: store.clone(),
            sms: Arc::new(FakeSms::default()),
            background: Arc::new(Idle),
            ids: ids.clone(),
            timer: Arc::new(skewed),
            safety_key: Arc::new(StaticCredential::new("key")),
        };
        let settings = ReplySettings {
            deadline: Duration::from_secs(12),
            lease: Duration::from_secs(3),
            owner_phone: None,
            turn_limits: TurnLimits::default(),
            late_replies: false,
            send_timeout: SEND_TIMEOUT,
        };
        Arc::new(ReplyService::new(ports, calendar.clone(), settings))
    });
    let replies = replies.collect();
    let background = Arc::new(Idle);
    let scheduler =
        Scheduler::new(store.clone(), ids.clone(), background.clone(), calendar.clone(), None);
    let owner = OwnerPageService::new(store.clone(), ids, background, calendar);
    let log = Log {
        timer: timer.clone(),
        events: RefCell::default(),
        told: RefCell::default(),
        contradiction: RefCell::default(),
    };
    Shop { store, timer: timer.clone(), replies, scheduler, owner, log }
}

impl Shop {
    fn now(&self) -> Timestamp {
        let beginning: Timestamp = NOW.parse().unwrap_or(Timestamp::UNIX_EPOCH);
        beginning
            .saturating_add(SignedDuration::from_millis(self.timer.unix_ms()))
            .unwrap_or(beginning)
    }

    /// The reference of a booking; none before it was made.
    fn lead_of(&self, booking: Id) -> Option<LeadId> {
        let device = plan::device(booking);
        self.store.leads().into_iter().find(|lead| lead.device == device).map(|lead| lead.id)
    }

    /// What a customer writes to the obedient model; none when there is nothing to change yet.
    fn words(&self, operation: &Operation) -> Option<String> {
        let lead_id = |booking| Some(self.lead_of(booking)?.as_str().to_owned());
        Some(match operation.wish {
            Wish::Book(hour) => {
                let slot = plan::slot(hour);
                let arguments = json!({
                    "date": slot.date().to_string(), "time": slot.time().to_string(),
                    "repair_type": "screen", "device": plan::device(operation.id),
                    "customer_name": null, "address": null,
                });
                format!("book_slot {arguments}")
            }
            Wish::Cancel(booking) => {
                format!("cancel_booking {}", json!({ "lead_id": lead_id(booking)? }))
            }
            Wish::Move(booking, hour) => {
                let slot = plan::slot(hour);
                let arguments = json!({
                    "lead_id": lead_id(booking)?, "date": slot.date().to_string(),
                    "time": slot.time().to_string(),
                });
                format!("reschedule_booking {arguments}")
            }
        })
    }

    async fn text(
        &self,
        machine: usize,
        operation: &Operation,
        words: &str,
    ) -> Result<Told, String> {
        let Some(reply) = self.replies.get(machine) else { return Err(String::new()) };
        let phone =
            Phone::parse(&plan::phone(operation.customer)).map_err(|error| error.to_string())?;
        let answer = reply
            .answer(&InboundText {
                phone,
                sid: format!("SM{:032}", operation.id),
                body: words.to_owned(),
                media: 0,
                media_urls: Vec::new(),
                opt_out_type: None,
                now: self.now(),
                received_ms: i64::MAX,
            })
            .await
            .join("\n");
        told_by(&answer).ok_or(answer)
    }

    async fn form(&self, operation: &Operation) -> Result<Told, String> {
        let Wish::Book(hour) = operation.wish else { return Err("no form does that".into()) };
        let slot = plan::slot(hour);
        let fields = FormFields {
            phone: Some(plan::phone(operation.customer)),
            date: Some(slot.date().to_string()),
            time: Some(slot.time().to_string()),
            repair_type: Some("screen".into()),
            device: Some(plan::device(operation.id)),
            customer_name: None,
            address: None,
        };
        let key = format!("key-{}", operation.id);
        let address = format!("192.0.2.{}", operation.customer);
        match self.scheduler.submit(&fields, Some(&key), &address, self.now()).await {
            // A repeat is answered with the booking as it is by now.
            Ok(FormAnswer::Booked(booked))
                if booked.status == LeadStatus::Booked && booked.booking.slot == slot =>
            {
                Ok(Told::Booked(operation.id, hour))
            }
            Ok(answer) => Err(format!("{answer:?}")),
            Err(SchedulerError::Taken { .. }) => Ok(Told::Taken),
            Err(error @ (SchedulerError::Contended | SchedulerError::Store(_))) => {
                Err(error.to_string())
            }
            Err(_) => Ok(Told::Refused),
        }
    }

    async fn owner(&self, operation: &Operation, lead: &LeadId) -> Result<Told, String> {
        let now = self.now();
        let (changed, told) = match operation.wish {
            Wish::Book(_) => return Err("the owner's page books nothing".into()),
            Wish::Cancel(booking) => {
                (self.owner.cancel(lead, false, now).await, Told::Cancelled(booking))
            }
            Wish::Move(booking, hour) => {
                let to = plan::slot(hour);
                (self.owner.reschedule(lead, to, false, now).await, Told::Moved(booking, hour))
            }
        };
        match changed {
            Ok(_) => Ok(told),
            Err(OwnerPageError::Booking(BookingError::Taken { .. })) => Ok(Told::Taken),
            Err(OwnerPageError::Booking(
                error @ (BookingError::Contended | BookingError::Store(_)),
            )) => Err(error.to_string()),
            Err(_) => Ok(Told::Refused),
        }
    }
}

/// What an answer to a text says for certain.
fn told_by(answer: &str) -> Option<Told> {
    let line = |heading: &str| answer.lines().find(|line| line.starts_with(heading));
    let hour = |line: &str| {
        (0..plan::HOURS.len() as u8).find(|hour| line.contains(&plan::slot(*hour).to_string()))
    };
    if let Some(line) = line("Confirmed: ") {
        return Some(Told::Booked(plan::booking_in(line)?, hour(line)?));
    }
    if let Some(line) = line("Moved: ") {
        return Some(Told::Moved(plan::booking_in(line)?, hour(line)?));
    }
    if let Some(line) = line("Cancelled: ") {
        return Some(Told::Cancelled(plan::booking_in(line)?));
    }
    match answer {
        TAKEN => Some(Told::Taken),
        REFUSED => Some(Told::Refused),
        _ => None,
    }
}

/// Somebody who asks for one thing after the other.
struct Actor {
    shop: Rc<Shop>,
    spawner: Spawner,
    rates: Rates,
    random: ChaCha8Rng,
}

impl Actor {
    async fn ask_all(mut self, operations: Vec<Operation>) {
        let shop = self.shop.clone();
        for operation in operations {
            self.wait_for_its_time(&operation).await;
            let lead = match operation.wish {
                Wish::Cancel(booking) | Wish::Move(booking, _) => shop.lead_of(booking),
                Wish::Book(_) => None,
            };
            let Some(words) = shop.words(&operation) else { continue };
            shop.log.note(What::Asked(operation));
            let (answered, mut answers) = mpsc::unbounded();
            self.deliver(operation, &words, lead.as_ref(), 0, &answered);
            // Who has an answer of the form sends it no second time.
            if self.percent(self.rates.duplicates) && operation.way == Way::Text {
                let delay = self.random.random_range(0..3_000);
                self.deliver(operation, &words, lead.as_ref(), delay, &answered);
            }
            drop(answered);
            // Impatient ones go on at once.
            if self.percent(80) {
                let patience = shop.timer.sleep(PATIENCE);
                futures::future::select(answers.next(), patience).await;
            }
        }
    }

    /// Waits a while, and for the booking that is to be changed: nobody changes what is not there.
    async fn wait_for_its_time(&mut self, operation: &Operation) {
        let timer = self.shop.timer.clone();
        if self.random.random() {
            timer.sleep(Duration::from_millis(self.random.random_range(0..2_000))).await;
        }
        let (Wish::Cancel(booking) | Wish::Move(booking, _)) = operation.wish else { return };
        let mut waited = Duration::ZERO;
        while self.shop.lead_of(booking).is_none() && waited < PATIENCE {
            let step = Duration::from_millis(self.random.random_range(1..1_000));
            timer.sleep(step).await;
            waited += step;
        }
    }

    fn percent(&mut self, percent: u32) -> bool {
        self.random.random_range(0..100) < percent
    }

    /// Has an operation delivered after a time, and once more when that crashes.
    fn deliver(
        &mut self,
        operation: Operation,
        words: &str,
        lead: Option<&LeadId>,
        delay_ms: i64,
        answered: &mpsc::UnboundedSender<()>,
    ) {
        let crashes = self.percent(self.rates.crashes);
        let crash_after = crashes.then(|| self.random.random_range(0..50));
        let again_after_ms = self.random.random_range(0..5_000);
        let machine = self.random.random_range(0..self.shop.replies.len());
        let start_ms = self.shop.timer.unix_ms() + delay_ms;
        let work = |is_again: bool| {
            let (shop, answered) = (self.shop.clone(), answered.clone());
            let (words, lead) = (words.to_owned(), lead.cloned());
            async move {
                if is_again {
                    shop.log.note(What::DeliveredAgain(operation.id));
                }
                let told = match (operation.way, &lead) {
                    (Way::Text, _) => shop.text(machine, &operation, &words).await,
                    (Way::Form, _) => shop.form(&operation).await,
                    (Way::Owner, Some(lead)) => shop.owner(&operation, lead).await,
                    (Way::Owner, None) => Err("there is nothing to change".into()),
                };
                shop.log.answered(&operation, told);
                // Whoever has gone on does not listen.
                let _ = answered.unbounded_send(());
            }
        };
        let again = work(true);
        let (shop, spawner) = (self.shop.clone(), self.spawner.clone());
        let is_repeated = operation.way != Way::Owner;
        self.spawner.spawn(NewTask {
            start_ms,
            crash_after,
            work: Box::pin(work(delay_ms > 0)),
            crashed: Box::new(move || {
                shop.log.note(What::Crashed(operation.id));
                if is_repeated {
                    spawner.spawn(NewTask {
                        start_ms: shop.timer.unix_ms() + again_after_ms,
                        crash_after: None,
                        work: Box::pin(again),
                        crashed: Box::new(|| {}),
                    });
                }
            }),
        });
    }
}

/// What must not be, if it was.
fn violation(shop: &Shop, events: &[Event]) -> Option<Violation> {
    if let Some(id) = *shop.log.contradiction.borrow() {
        return Some(Violation::ToldTwoThings(id));
    }
    let bookings = match rows::check(&shop.store) {
        Ok(bookings) => bookings,
        Err(sentence) => return Some(Violation::Rows(sentence)),
    };
    let told = shop.log.told.borrow();
    let refused = |id: &&Id| matches!(told.get(*id), Some(Told::Taken | Told::Refused));
    if let Some(id) = bookings.keys().find(refused) {
        return Some(Violation::Rows(format!("who is refused has no booking: {id}")));
    }
    (!is_linearizable(events, bookings)).then_some(Violation::NotLinearizable)
}

/// Whether some order of events explains what everybody was told and the rows at the end.
fn is_linearizable(events: &[Event], rows: Bookings) -> bool {
    // An attempt that crashed may have done it, and somebody may have changed that since: the answer of
    // the next attempt is true of what is then, and leaves open what was done.
    let mut asked: BTreeMap<Id, Wish> = BTreeMap::new();
    let mut crashed: BTreeSet<Id> = BTreeSet::new();
    let mut true_of_then: BTreeSet<Id> = BTreeSet::new();
    for event in events {
        match &event.what {
            What::Asked(operation) => {
                asked.insert(operation.id, operation.wish);
            }
            What::Crashed(id) => {
                crashed.insert(*id);
            }
            What::Told(id, told) if crashed.contains(id) => {
                let is_of_then = match told {
                    Told::Taken | Told::Refused => true,
                    Told::Booked(_, hour) => asked.get(id) != Some(&Wish::Book(*hour)),
                    Told::Moved(..) | Told::Cancelled(_) | Told::Rows(_) => false,
                };
                if is_of_then {
                    true_of_then.insert(*id);
                }
            }
            _ => {}
        }
    }
    // Threads of the tester: an operation each, the questions of such refusals, and the rows.
    let question_of = |id: Id| id + Id::MAX / 2;
    let mut tester = LinearizabilityTester::new(SequentialCalendar::default());
    let mut is_valid = true;
    for event in events {
        match &event.what {
            What::Asked(operation) => {
                let id = operation.id;
                is_valid &= tester.on_invoke(id, Question::Asked(*operation)).is_ok();
                if let Wish::Book(hour) | Wish::Move(_, hour) = operation.wish
                    && true_of_then.contains(&id)
                {
                    // The form tells nobody whose it is.
                    let is_form = operation.way == Way::Form;
                    let but_for = (!is_form).then_some(operation.customer);
                    let question = Question::IsTaken { hour, but_for };
                    is_valid &= tester.on_invoke(question_of(id), question).is_ok();
                }
            }
            What::Told(id, Told::Taken) if true_of_then.contains(id) => {
                is_valid &= tester.on_return(question_of(*id), Told::Taken).is_ok();
            }
            What::Told(id, _) if true_of_then.contains(id) => {}
            What::Told(id, told) => is_valid &= tester.on_return(*id, told.clone()).is_ok(),
            What::Crashed(_) | What::DeliveredAgain(_) | What::LeftOpen(..) => {}
        }
    }
    is_valid &= tester.on_invoke(0, Question::Rows).is_ok();
    is_valid &= tester.on_return(0, Told::Rows(rows)).is_ok();
    is_valid && tester.is_consistent()
}
