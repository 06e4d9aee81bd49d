//! What a function that runs as processes is, and how it is run.

use std::time::Duration;

use rehearse_core::{clock::Clock, journal::Journal};

use super::Launcher;
use crate::{function::Executable, gateway::FunctionEnvironment};

/// A function that runs as processes, and how they are run.
#[derive(Debug, Clone)]
pub struct LambdaConfig {
    /// Logical id.
    pub id: String,
    /// Name on AWS.
    pub name: String,
    /// The program.
    pub executable: Executable,
    /// Variables from the template and the world.
    pub environment: FunctionEnvironment,
    /// The template's `Handler`.
    pub handler: String,
    /// Memory in MB. The function is told of it, but not held to it.
    pub memory: u32,
    /// Most events that are worked on at once.
    pub concurrency: usize,
    /// Whether every event gets a new process.
    pub cold: bool,
    /// Most time from the start of a process until it asks for its first event.
    pub init_timeout: Duration,
    /// How processes are started.
    pub launcher: Launcher,
    /// Where the processes' output goes.
    pub journal: Journal,
    /// Business time, for the name of the log stream.
    pub clock: Clock,
}
