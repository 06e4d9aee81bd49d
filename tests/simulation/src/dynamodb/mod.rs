//! The handlers' DynamoDB adapter with its SDK, on an engine in this process: no socket, no runtime,
//! virtual time.
//!
//! - `engine`: the tables, and requests that arrive after their caller has given up.
//! - `connector`: what the SDK takes for HTTP, with the fate of each request.

mod connector;
mod engine;

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use handlers::{
    adapters::dynamodb::{DynamoDb, Settings, Tables},
    domain::{
        booking::Booking,
        day_schedule::Hold,
        lead::{Lead, LeadId},
        phone::Phone,
        turn::TurnKey,
    },
    ports::{Store, StoreError},
};
use jiff::civil::{Date, DateTime};
use memory_ports::TestTimer;

use self::{connector::client, engine::Engine};
use crate::chance::Chance;

/// The tables of one schedule, and two adapters on them.
pub(crate) struct DynamoDbTables {
    engine: Arc<Engine>,
    /// Its requests go as chance has it.
    store: Arc<DynamoDb>,
    /// Its requests always work, at once.
    reader: DynamoDb,
}

impl DynamoDbTables {
    /// Empty tables.
    ///
    /// # Errors
    /// When the engine cannot make them.
    pub fn open(
        timer: &Arc<TestTimer>,
        chance: &Arc<Chance>,
        ignores_conditions: bool,
    ) -> Result<Self, String> {
        let engine = Arc::new(Engine::open(timer.clone(), ignores_conditions)?);
        let adapter = |chance| {
            let settings = Settings {
                endpoint: Some("http://localhost"),
                region: "us-east-1",
                access_key_id: "local",
                secret_access_key: "local",
                session_token: None,
                tables: Tables {
                    leads: engine::LEADS.into(),
                    owner: "OwnerState".into(),
                    schedule: "Schedule".into(),
                    conversations: "Conversations".into(),
                    bookings: "CustomerBookings".into(),
                    opt_outs: "OptOuts".into(),
                },
                timer: timer.clone(),
            };
            DynamoDb::new(client(engine.clone(), chance), settings)
        };
        let (store, reader) = (Arc::new(adapter(Some(chance.clone()))), adapter(None));
        Ok(Self { engine, store, reader })
    }

    pub fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// Has everything arrive that is still on its way.
    pub fn settle(&self) {
        self.engine.take_everything();
    }

    pub fn late_requests(&self) -> usize {
        self.engine.late_requests()
    }

    pub fn leads(&self) -> Result<Vec<Lead>, String> {
        self.engine.all_reads_are_consistent()?;
        let mut leads = Vec::new();
        for row in self.engine.rows(engine::LEADS)? {
            let id = LeadId::parse(row.text("lead_id")).map_err(|error| error.to_string())?;
            let lead = read(self.reader.lead(&id))?;
            leads.push(lead.ok_or_else(|| format!("a row that is no lead: {id}"))?);
        }
        leads.sort_by(|one, other| one.id.as_str().cmp(other.id.as_str()));
        Ok(leads)
    }

    pub fn lead_of_device(&self, device: &str) -> Option<LeadId> {
        let rows = self.engine.rows(engine::LEADS).ok()?;
        let row = rows.iter().find(|row| row.text("device") == device)?;
        LeadId::parse(row.text("lead_id")).ok()
    }

    pub fn holds(&self, date: Date) -> Result<Vec<Hold>, String> {
        let day = read(self.reader.day_schedule(date))?;
        Ok(day.holds)
    }

    pub fn open_bookings(&self, phones: &[String]) -> Result<Vec<Booking>, String> {
        let mut bookings = Vec::new();
        for phone in phones {
            let phone = Phone::parse(phone).map_err(|error| error.to_string())?;
            bookings.extend(read(self.reader.open_bookings(&phone, DateTime::MIN))?.bookings);
        }
        Ok(bookings)
    }

    pub fn is_answered(&self, key: &TurnKey) -> bool {
        read(self.reader.turn_answer(key)).is_ok_and(|answer| answer.is_some())
    }
}

/// Reads by the adapter whose requests work at once. Pages pass through a channel, so that it is polled
/// a few times.
fn read<T>(reading: impl Future<Output = Result<T, StoreError>>) -> Result<T, String> {
    const MOST_POLLS: usize = 1_000;
    let mut reading = pin!(reading);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..MOST_POLLS {
        if let Poll::Ready(answer) = reading.as_mut().poll(&mut context) {
            return answer.map_err(|error| error.to_string());
        }
    }
    Err("the engine did not answer at once".into())
}
