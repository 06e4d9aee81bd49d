//! What a world is to be, and how its functions are run.

use std::{collections::BTreeMap, num::NonZeroUsize};

use super::{Backend, listen::Bind};
use rehearse_aws::gateway::Launcher;
use rehearse_core::{clock::Clock, journal::Limits};
use rehearse_twilio::NumberConfig;

/// What one world is to be.
#[derive(Debug, Clone)]
pub struct WorldConfig {
    /// The backend.
    pub backend: Backend,
    /// Business time.
    pub clock: Clock,
    /// Where it listens.
    pub bind: Bind,
    /// Variables of every function, over those of the template and the settings.
    pub environment: BTreeMap<String, String>,
    /// The number's configuration; its webhook URLs are filled in where they are missing.
    pub number: NumberConfig,
    /// Ids derive from it, but for a backend that somebody else started: that one may remember the
    /// texts of an earlier world, so theirs are new.
    pub seed: u64,
    /// Whether routes take no more than the template says.
    pub throttling: bool,
    /// How much its journal keeps; everything when `None`.
    pub journal: Option<Limits>,
}

/// How functions are run as processes.
#[derive(Debug, Clone)]
pub struct Processes {
    /// How many of one function may work at once.
    pub concurrency: NonZeroUsize,
    /// Whether every event gets a new one.
    pub cold: bool,
    /// How they are started.
    pub launcher: Launcher,
}

impl Default for Processes {
    fn default() -> Self {
        // What a new AWS account has.
        const CONCURRENCY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(9);
        Self { concurrency: CONCURRENCY, cold: false, launcher: Launcher::direct() }
    }
}

impl WorldConfig {
    /// A world on free ports.
    pub fn new(backend: Backend, clock: Clock) -> Self {
        Self {
            backend,
            clock,
            bind: Bind::Free,
            environment: BTreeMap::new(),
            number: NumberConfig::default(),
            seed: 0,
            throttling: true,
            journal: None,
        }
    }
}
