//! The ports in memory, with failures on demand, and an executor that owns time: tests of use
//! cases run without a runtime, and the same way every time.

mod executor;
mod model;
mod rows;
mod sms;
mod store;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{
    app::{
        reply::{InboundText, ReplyPorts, ReplyService, ReplySettings},
        scheduler::Scheduler,
    },
    domain::{calendar::Calendar, phone::Phone, secret::Secret},
    ports::{Credential, CredentialError, IdGenerator},
};

pub(crate) use executor::TestTimer;
pub(crate) use model::{FakeModel, call, say};
pub(crate) use sms::FakeSms;
pub(crate) use store::FakeStore;

/// 3:10 PM in New York on Tuesday 2026-02-10.
pub(crate) const NOW: &str = "2026-02-10T15:10:00-05:00";
/// Who texts.
pub(crate) const ANN: &str = "+19042520927";
/// Somebody else.
pub(crate) const BOB: &str = "+19042520928";
/// The owner.
pub(crate) const OWNER: &str = "+19045550100";
/// The deadline of a turn.
pub(crate) const DEADLINE: Duration = Duration::from_secs(12);

/// A world in memory.
pub(crate) struct World {
    pub(crate) timer: Arc<TestTimer>,
    pub(crate) store: Arc<FakeStore>,
    pub(crate) model: Arc<FakeModel>,
    pub(crate) sms: Arc<FakeSms>,
    ids: Arc<SequentialIdGenerator>,
}

impl World {
    pub(crate) fn new() -> Self {
        let timer = Arc::new(TestTimer::default());
        Self {
            store: Arc::new(FakeStore::default()),
            model: Arc::new(FakeModel::new(timer.clone())),
            sms: Arc::new(FakeSms::default()),
            ids: Arc::new(SequentialIdGenerator::default()),
            timer,
        }
    }

    /// A dispatcher on this world. Each is a process of its own: all that they share is the world.
    pub(crate) fn reply(&self) -> ReplyService {
        let ports = ReplyPorts {
            model: self.model.clone(),
            store: self.store.clone(),
            sms: self.sms.clone(),
            ids: self.ids.clone(),
            timer: self.timer.clone(),
            safety_key: Arc::new(FixedKey),
        };
        let settings = ReplySettings {
            deadline: DEADLINE,
            lease: Duration::from_secs(3),
            owner_phone: Some(phone(OWNER)),
        };
        ReplyService::new(ports, calendar(), settings)
    }

    pub(crate) fn scheduler(&self) -> Scheduler {
        Scheduler::new(self.store.clone(), self.ids.clone(), calendar())
    }

    /// Runs to the end; time moves when nothing else does.
    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        executor::run(&self.timer, future)
    }

    /// Runs until nothing moves any more without time, and then drops it: a crash.
    pub(crate) fn crash<T>(&self, future: impl Future<Output = T>) {
        executor::crash(future);
    }

    /// The answer to a text, delivered once.
    pub(crate) fn answer(&self, text: &InboundText) -> Vec<String> {
        self.run(self.reply().answer(text))
    }
}

pub(crate) fn calendar() -> Calendar {
    Calendar::new("America/New_York").unwrap()
}

pub(crate) fn phone(number: &str) -> Phone {
    Phone::parse(number).unwrap()
}

/// A text of Ann.
pub(crate) fn text(sid: &str, body: &str) -> InboundText {
    InboundText {
        phone: phone(ANN),
        sid: sid.to_owned(),
        body: body.to_owned(),
        media: 0,
        opt_out_type: None,
        now: NOW.parse().unwrap(),
    }
}

/// A secret that is never rotated.
struct FixedKey;

#[async_trait::async_trait]
impl Credential for FixedKey {
    async fn current(&self) -> Result<Secret, CredentialError> {
        Ok(Secret::new("key"))
    }

    async fn refresh(&self, _: &Secret) -> Option<Secret> {
        None
    }
}

/// IdGenerator that count.
#[derive(Default)]
struct SequentialIdGenerator(AtomicU64);

impl IdGenerator for SequentialIdGenerator {
    fn generate(&self) -> String {
        format!("{:032x}", self.0.fetch_add(1, Ordering::Relaxed))
    }
}
