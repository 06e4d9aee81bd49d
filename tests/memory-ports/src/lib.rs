//! The handlers' ports in memory, for their tests and for simulation.
//!
//! [`World`] has them all: a database, a model whose answers the test determines, a carrier and a
//! clock. Each fails on demand. Its executor controls time, so that tests of use cases need no runtime
//! and always run the same way.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "what tests use fails the test"
)]

mod bookings;
mod customers;
mod discounts;
mod executor;
mod form_holds;
mod memories;
mod model;
mod outbox;
mod races;
mod rows;
mod scenario_text;
mod schedule;
mod sms;
mod store;
mod store_port;
mod turns;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use handlers::{
    adapters::secrets::StaticCredential,
    app::{
        outbox::OutboxService,
        owner_state::OwnerStateService,
        reply::{InboundText, ReplyPorts, ReplyService, ReplySettings, SEND_TIMEOUT},
        scheduler::Scheduler,
    },
    domain::{
        background::BackgroundTask,
        booking::{NewBooking, RequestToken},
        calendar::{Calendar, CalendarVersions},
        catalogue::{Repair, RepairKind},
        lead::{Lead, LeadId, LeadSource, LeadStatus},
        pace::TurnLimits,
        phone::Phone,
        slot::Slot,
        time_needed::TimeNeeded,
    },
    ports::{BackgroundWorker, BoxError, IdGenerator},
};

pub use executor::{TestTimer, pass};
pub use model::{FakeModel, call, say};
pub use races::PlantedRace;
pub use scenario_text::scenario_text;
pub use sms::{FakeSms, SendFailure};
pub use store::{CallChance, CallFate, FakeStore};

/// 3:10 PM in New York on Tuesday 2026-02-10.
pub const NOW: &str = "2026-02-10T15:10:00-05:00";
/// The customer.
pub const ANN: &str = "+19042520927";
/// Another customer.
pub const BOB: &str = "+19042520928";
/// The owner.
pub const OWNER: &str = "+19045550100";
/// The deadline of a turn.
pub const DEADLINE: Duration = Duration::from_secs(12);

/// The ports in memory, shared by all use cases of a test.
pub struct World {
    /// The clock.
    pub timer: Arc<TestTimer>,
    /// The database.
    pub store: Arc<FakeStore>,
    /// The model.
    pub model: Arc<FakeModel>,
    /// The carrier.
    pub sms: Arc<FakeSms>,
    calendar: Calendar,
    ids: Arc<SequentialIdGenerator>,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// Empty ports, and the usual calendar in New York.
    pub fn new() -> Self {
        Self::with_calendar(calendar())
    }

    /// Empty ports, and another calendar as it is deployed.
    pub fn with_calendar(calendar: Calendar) -> Self {
        let timer = Arc::new(TestTimer::default());
        Self {
            store: Arc::new(FakeStore::default()),
            model: Arc::new(FakeModel::new(timer.clone())),
            sms: Arc::new(FakeSms::default()),
            ids: Arc::new(SequentialIdGenerator::default()),
            calendar,
            timer,
        }
    }

    /// A dispatcher on this world. Several of them act as separate processes: they share nothing
    /// but the world.
    pub fn reply(&self) -> ReplyService {
        self.reply_service(Arc::new(self.outbox()), false)
    }

    /// A dispatcher that hands late turns over to `background`.
    pub fn reply_with_late_replies(&self, background: Arc<dyn BackgroundWorker>) -> ReplyService {
        self.reply_service(background, true)
    }

    fn reply_service(
        &self,
        background: Arc<dyn BackgroundWorker>,
        late_replies: bool,
    ) -> ReplyService {
        let ports = ReplyPorts {
            model: self.model.clone(),
            store: self.store.clone(),
            sms: self.sms.clone(),
            background,
            ids: self.ids.clone(),
            timer: self.timer.clone(),
            safety_key: Arc::new(StaticCredential::new("key")),
        };
        let settings = ReplySettings {
            deadline: DEADLINE,
            lease: Duration::from_secs(3),
            owner_phone: Some(phone(OWNER)),
            turn_limits: TurnLimits::default(),
            late_replies,
            send_timeout: SEND_TIMEOUT,
        };
        ReplyService::new(ports, self.calendar.clone(), settings)
    }

    /// What sends the texts in the outbox.
    pub fn outbox(&self) -> OutboxService {
        OutboxService::new(
            self.store.clone(),
            self.sms.clone(),
            self.ids.clone(),
            self.timer.clone(),
            Some(phone(OWNER)),
            self.calendar.clone(),
        )
    }

    /// What reads and changes the owner's state.
    pub fn owner_state(&self) -> OwnerStateService {
        OwnerStateService::new(self.store.clone(), self.ids.clone())
    }

    /// What answers the booking form.
    pub fn scheduler(&self) -> Scheduler {
        let owner = Some(phone(OWNER));
        let background = Arc::new(self.outbox());
        Scheduler::new(
            self.store.clone(),
            self.ids.clone(),
            background,
            self.calendar.clone(),
            owner,
        )
    }

    /// Runs a future to its end. Time advances only when nothing else can run.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        executor::run(&self.timer, future)
    }

    /// Runs a future until only time could wake it, and drops it then, like a crash.
    pub fn crash<T>(&self, future: impl Future<Output = T>) {
        executor::crash(future);
    }

    /// The answer to a text that is delivered once.
    pub fn answer(&self, text: &InboundText) -> Vec<String> {
        self.run(self.reply().answer(text))
    }
}

/// The usual calendar, in New York.
pub fn calendar() -> Calendar {
    Calendar::new("America/New_York").unwrap()
}

/// A phone number that is one.
pub fn phone(number: &str) -> Phone {
    Phone::parse(number).unwrap()
}

/// A text from Ann.
pub fn text(sid: &str, body: &str) -> InboundText {
    InboundText {
        phone: phone(ANN),
        sid: sid.to_owned(),
        body: body.to_owned(),
        media: 0,
        media_urls: Vec::new(),
        opt_out_type: None,
        now: NOW.parse().unwrap(),
        // Nothing came before the turn.
        received_ms: i64::MAX,
    }
}

/// Ann's appointment for the screen of an iPhone, booked by text at [`NOW`].
pub fn lead(id: LeadId, slot: Slot) -> Lead {
    Lead {
        id,
        timestamp: NOW.parse().unwrap(),
        phone: phone(ANN),
        slot,
        time_needed: TimeNeeded::default(),
        repair: Repair::at_shop(RepairKind::Screen),
        device: "iPhone".into(),
        customer_name: None,
        address: None,
        status: LeadStatus::Booked,
        source: LeadSource::Sms,
        discount_percent: None,
    }
}

/// The first booking of its date, on a calendar that its owner never changed. `token` tells its request
/// from others.
pub fn new_booking(lead: Lead, token: &[&str]) -> NewBooking {
    NewBooking {
        lead,
        token: RequestToken::derive(token),
        day_version: 0,
        calendar_versions: CalendarVersions::default(),
        uses_discount: false,
        guard: None,
        record: None,
        fence: None,
        notification: Vec::new(),
    }
}

/// Identifiers that count up from 0.
#[derive(Default)]
pub struct SequentialIdGenerator(AtomicU64);

impl IdGenerator for SequentialIdGenerator {
    fn generate(&self) -> String {
        format!("{:032x}", self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// A background worker that leaves everything to the schedule.
pub struct Idle;

#[async_trait]
impl BackgroundWorker for Idle {
    async fn start(&self, _: &BackgroundTask) -> Result<(), BoxError> {
        Ok(())
    }
}
