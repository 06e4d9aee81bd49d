//! The database of a shop: tables in memory, or the DynamoDB adapter on an engine in this process.

use std::sync::Arc;

use handlers::{
    domain::{
        booking::Booking,
        day_schedule::Hold,
        lead::{Lead, LeadId},
        turn::TurnKey,
    },
    ports::Store,
};
use jiff::civil::Date;
use memory_ports::{FakeStore, PlantedRace, TestTimer};

use crate::{chance::Chance, dynamodb::DynamoDbTables};

/// Which database a schedule is played on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DatabaseKind {
    /// Tables in memory: ten times as many schedules, and each call of the port is one step.
    #[default]
    Memory,
    /// The DynamoDB adapter, its SDK and an embedded engine: each request is a step, fails and is
    /// repeated by itself, and one that its caller has given up may still arrive.
    DynamoDb,
    /// The same, but every condition of a write holds: to see that what comes of it is found.
    DynamoDbWithoutConditions,
}

/// The database of one schedule.
pub(crate) enum Tables {
    Memory(Arc<FakeStore>),
    DynamoDb(Box<DynamoDbTables>),
}

impl Tables {
    /// Empty tables whose calls go as `chance` says.
    ///
    /// # Errors
    /// When the engine cannot make its tables.
    pub fn open(
        kind: DatabaseKind,
        race: Option<PlantedRace>,
        timer: &Arc<TestTimer>,
        chance: &Arc<Chance>,
    ) -> Result<Self, String> {
        match kind {
            DatabaseKind::Memory => {
                let store = Arc::new(FakeStore::default());
                if let Some(race) = race {
                    store.plant(race);
                }
                store.set_chance(chance.clone());
                Ok(Self::Memory(store))
            }
            DatabaseKind::DynamoDb | DatabaseKind::DynamoDbWithoutConditions => {
                let ignores_conditions = kind == DatabaseKind::DynamoDbWithoutConditions;
                Ok(Self::DynamoDb(Box::new(DynamoDbTables::open(
                    timer,
                    chance,
                    ignores_conditions,
                )?)))
            }
        }
    }

    /// As the handlers use them.
    pub fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(store) => store.clone(),
            Self::DynamoDb(tables) => tables.store(),
        }
    }

    /// Has every request arrive that is still on its way, though nobody waits for it.
    pub fn settle(&self) {
        if let Self::DynamoDb(tables) = self {
            tables.settle();
        }
    }

    /// How many requests arrived when nobody waited for their answer.
    pub fn late_requests(&self) -> usize {
        match self {
            Self::Memory(_) => 0,
            Self::DynamoDb(tables) => tables.late_requests(),
        }
    }

    /// Every lead, by its reference.
    ///
    /// # Errors
    /// A row that cannot be read.
    pub fn leads(&self) -> Result<Vec<Lead>, String> {
        match self {
            Self::Memory(store) => Ok(store.leads()),
            Self::DynamoDb(tables) => tables.leads(),
        }
    }

    /// The lead of a device.
    pub fn lead_of_device(&self, device: &str) -> Option<LeadId> {
        match self {
            Self::Memory(store) => {
                store.leads().into_iter().find(|lead| lead.device == device).map(|lead| lead.id)
            }
            Self::DynamoDb(tables) => tables.lead_of_device(device),
        }
    }

    /// The times that are held on a date.
    ///
    /// # Errors
    /// A row that cannot be read.
    pub fn holds(&self, date: Date) -> Result<Vec<Hold>, String> {
        match self {
            Self::Memory(store) => Ok(store.schedule(date).holds),
            Self::DynamoDb(tables) => tables.holds(date),
        }
    }

    /// Every open booking of these customers.
    ///
    /// # Errors
    /// A row that cannot be read.
    pub fn open_bookings(&self, phones: &[String]) -> Result<Vec<Booking>, String> {
        match self {
            Self::Memory(store) => Ok(store.open_bookings()),
            Self::DynamoDb(tables) => tables.open_bookings(phones),
        }
    }

    /// Whether the answer of a turn is stored.
    pub fn is_answered(&self, key: &TurnKey) -> bool {
        match self {
            Self::Memory(store) => store.is_answered(key),
            Self::DynamoDb(tables) => tables.is_answered(key),
        }
    }
}
