//! The configuration of a world.

use std::{collections::BTreeMap, num::NonZeroUsize};

use super::{Backend, listen::Bind};
use rehearse_aws::gateway::Launcher;
use rehearse_core::{clock::Clock, journal::Limits};
use rehearse_twilio::NumberConfig;

/// The configuration of one world.
#[derive(Debug, Clone)]
pub struct WorldConfig {
    /// The backend.
    pub backend: Backend,
    /// Business time.
    pub clock: Clock,
    /// Where it listens.
    pub bind: Bind,
    /// Variables of every function; they replace those of the template and the settings.
    pub environment: BTreeMap<String, String>,
    /// How the phone number is configured at the fake Twilio. Missing webhook URLs are filled in
    /// from the settings.
    pub number: NumberConfig,
    /// The seed of message ids and of faults with a chance. An external backend may remember the texts
    /// of an earlier world, so its message ids are random.
    pub seed: u64,
    /// Whether the gateway applies the throttling that the template configures.
    pub throttling: bool,
    /// How much its journal keeps; everything when `None`.
    pub journal: Option<Limits>,
}

/// How functions run as processes.
#[derive(Debug, Clone)]
pub struct Processes {
    /// The most processes of one function that run at once.
    pub concurrency: NonZeroUsize,
    /// Whether every event starts a new process.
    pub cold: bool,
    /// How processes are started.
    pub launcher: Launcher,
}

impl Default for Processes {
    fn default() -> Self {
        // The limit of a new AWS account.
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
