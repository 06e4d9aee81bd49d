//! A world that other commands and programs talk to: how it starts, and what its control API returns.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    exports,
    project::{self, Project},
};
use rehearse_control::{self as control, ControlledWorld, Part};
use rehearse_core::clock::Clock;
use rehearse_openai::Persona;
use rehearse_scenario::{Moment, report::text::count};
use rehearse_world::{Backend, World, WorldConfig, WorldError};

/// The clock of a world that is kept running: the machine's, or one that begins at a moment.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ClockArgs {
    /// Business time at the start, such as 2026-02-10T15:10:00-05:00; it runs on from there.
    /// The machine's when left out.
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    now: Option<Timestamp>,
}

impl ClockArgs {
    /// A clock that runs.
    pub(crate) fn clock(&self) -> Clock {
        let clock = Clock::running();
        if let Some(now) = self.now {
            clock.set(now);
        }
        clock
    }
}

fn moment(text: &str) -> Result<Timestamp, String> {
    Moment::parse(text).map(|moment| moment.timestamp())
}

/// Starts a world in which the persona answers model requests.
pub(crate) async fn start(
    config: WorldConfig,
    persona: Option<Persona>,
) -> Result<Arc<World>, WorldError> {
    let world = World::start(config).await?;
    world.openai().set_persona(persona);
    Ok(Arc::new(world))
}

/// What the control API of a world acts on.
pub(crate) fn controlled(
    project: &Project,
    backend: &Backend,
    world: &Arc<World>,
) -> ControlledWorld {
    let people = &project.settings.people;
    ControlledWorld {
        world: Arc::clone(world),
        backend: backend.clone(),
        endpoints: control::Endpoints {
            parts: parts(project, backend, world),
            environment: exports::environment(backend.settings(), world.endpoints()),
            people: people
                .iter()
                .map(|(name, number)| (number.to_string(), name.clone()))
                .collect(),
            tables: project::tables(world.database().tables()),
            time_zone: world.time_zone().iana_name().unwrap_or("UTC").into(),
        },
        people: people.iter().map(|(name, number)| (name.clone(), number.to_string())).collect(),
    }
}

/// The parts of a world with their addresses.
pub(crate) fn parts(project: &Project, backend: &Backend, world: &World) -> Vec<Part> {
    let endpoints = world.endpoints();
    let part =
        |name: &str, url: &str, about: String| Part { name: name.into(), url: url.into(), about };
    let persona = &project.settings.paths.persona;
    let model = if project.root.join(persona).exists() {
        format!("answers by {}", persona.display())
    } else {
        format!("has no persona: there is no {}", persona.display())
    };
    let number = &project.settings.twilio.number;
    let webhook = world.twilio().config().webhook_url.unwrap_or_default();
    let front = match world.gateway() {
        Some(_) => {
            let about = format!("texts go to {}", project.settings.webhook_route());
            part("gateway", &endpoints.gateway, about)
        }
        None => part("backend", &endpoints.gateway, format!("texts go to {webhook}")),
    };
    vec![
        front,
        part("twilio", &endpoints.twilio, format!("the shop's number is {number}")),
        part("openai", &endpoints.openai, model),
        part("dynamodb", &endpoints.dynamodb, count(world.database().tables().len(), "table")),
        part(
            "secrets",
            &endpoints.secrets,
            format!("keeps {}", count(project.settings.secrets.len(), "secret")),
        ),
        part("lambda", &endpoints.lambda, invokes(backend)),
    ]
}

/// What the Invoke API is for: `invokes 3 functions, 1 schedule`.
fn invokes(backend: &Backend) -> String {
    let functions = &backend.template().functions;
    let schedules = functions.iter().map(|function| function.schedules.len()).sum::<usize>();
    format!("invokes {}, {}", count(functions.len(), "function"), count(schedules, "schedule"))
}
