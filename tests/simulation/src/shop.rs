//! The shop: the handlers' use cases on ports in memory, and how it is asked.

use std::{cell::RefCell, sync::Arc, time::Duration};

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
        turn::TurnKey,
    },
    ports::Timer as _,
};
use jiff::{SignedDuration, Timestamp};
use memory_ports::{FakeSms, Idle, NOW, SequentialIdGenerator, TestTimer};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use crate::{
    chance::{Chance, SkewedTimer},
    events::Log,
    model::{ObedientModel, REFUSED, TAKEN},
    plan::{self, Id, Operation, Wish},
    sequential::Told,
    tables::Tables,
};

/// The shop of one schedule.
pub(crate) struct Shop {
    pub tables: Tables,
    pub timer: Arc<TestTimer>,
    /// One for each machine that answers texts.
    pub replies: Vec<Arc<ReplyService>>,
    scheduler: Scheduler,
    owner: OwnerPageService,
    pub log: Log,
    pub chance: Arc<Chance>,
}

impl Shop {
    /// A shop whose machines' clocks and calls go as they are given.
    pub fn open(
        random: &mut ChaCha8Rng,
        tables: Tables,
        timer: &Arc<TestTimer>,
        chance: &Arc<Chance>,
    ) -> Self {
        let store = tables.store();
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
            not_stored: RefCell::default(),
            contradiction: RefCell::default(),
            crashes: RefCell::default(),
        };
        let chance = chance.clone();
        Shop { tables, timer: timer.clone(), replies, scheduler, owner, log, chance }
    }

    /// Business time.
    fn now(&self) -> Timestamp {
        let beginning: Timestamp = NOW.parse().unwrap_or(Timestamp::UNIX_EPOCH);
        beginning
            .saturating_add(SignedDuration::from_millis(self.timer.unix_ms()))
            .unwrap_or(beginning)
    }

    /// The reference of a booking; none before it was made.
    pub fn lead_of(&self, booking: Id) -> Option<LeadId> {
        self.tables.lead_of_device(&plan::device(booking))
    }

    /// What a customer writes to the obedient model; none when there is nothing to change yet.
    pub fn words(&self, operation: &Operation) -> Option<String> {
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

    /// Has a machine answer a text. What is told for certain, or the answer that leaves it open. A refusal
    /// that could not be stored is true when it is said, and leaves open what a repeat of the text does.
    pub async fn text(
        &self,
        machine: usize,
        operation: &Operation,
        words: &str,
    ) -> Result<Told, String> {
        let Some(reply) = self.replies.get(machine) else { return Err(String::new()) };
        let phone =
            Phone::parse(&plan::phone(operation.customer)).map_err(|error| error.to_string())?;
        let key = TurnKey { phone, sid: format!("SM{:032}", operation.id) };
        let answer = reply
            .answer(&InboundText {
                phone: key.phone.clone(),
                sid: key.sid.clone(),
                body: words.to_owned(),
                media: 0,
                media_urls: Vec::new(),
                opt_out_type: None,
                now: self.now(),
                received_ms: i64::MAX,
            })
            .await
            .join("\n");
        let told = told_by(&answer);
        if told.is_some() && !self.tables.is_answered(&key) {
            if matches!(told, Some(Told::Taken | Told::Refused)) {
                return Err(answer);
            }
            self.log.not_stored.borrow_mut().insert(operation.id);
        }
        told.ok_or(answer)
    }

    /// Sends the form.
    pub async fn form(&self, operation: &Operation) -> Result<Told, String> {
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

    /// Changes a booking on the owner's page.
    pub async fn owner(&self, operation: &Operation, lead: &LeadId) -> Result<Told, String> {
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
