//! `rehearse up`

mod busy;
mod table;

use std::{path::PathBuf, sync::Arc, time::Instant};

use tokio::net::TcpListener;

use super::{
    app::App,
    dynamodb::{self, DynamoDbArgs},
    problem::{Exit, Problem},
    project::{self, Project},
    signal::Interrupt,
    tracing,
};
use crate::{
    clock::Clock,
    control::{self, Controlled},
    dynamodb::Service,
    openai::Persona,
    report::{
        style::{DIM, GOOD, paint},
        time,
    },
    template::Ports,
    world::{Backend, Bind, World, WorldConfig, WorldError},
};

/// Keep the whole world running on fixed ports
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rehearse up
  rehearse up --port-base 5000     5000, 5010, 5020, 5030 and 5040
  eval \"$(rehearse env)\"           in another terminal")]
pub(super) struct Args {
    /// Port of the gateway; the other parts follow in steps of ten.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=65_495))]
    port_base: Option<u16>,
    /// Port of API Gateway.
    #[arg(long, value_name = "N")]
    gateway_port: Option<u16>,
    /// Port of Twilio.
    #[arg(long, value_name = "N")]
    twilio_port: Option<u16>,
    /// Port of OpenAI.
    #[arg(long, value_name = "N")]
    openai_port: Option<u16>,
    /// Port of DynamoDB.
    #[arg(long, value_name = "N")]
    dynamodb_port: Option<u16>,
    /// Port of the control API.
    #[arg(long, value_name = "N")]
    control_port: Option<u16>,
    /// Keep the embedded database in this folder, across restarts.
    #[arg(long, value_name = "FOLDER", help_heading = "Database")]
    data: Option<PathBuf>,
    #[command(flatten)]
    dynamodb: DynamoDbArgs,
    /// Show the functions' logs from level info on, not only warnings.
    #[arg(long, short)]
    verbose: bool,
}

pub(super) fn up(args: Args, app: &App) -> Result<Exit, Problem> {
    let started = Instant::now();
    tracing::start(if args.verbose { "info" } else { "warn" });
    app.block_on_world(async {
        let interrupt = Interrupt::listen()?;
        let databases = args.dynamodb.start(args.data.as_ref().map(|path| app.root.join(path)))?;
        let result = up_on(&databases, interrupt, started, &args, app).await;
        dynamodb::close(&databases, app).await;
        result
    })?
}

async fn up_on(
    databases: &Service,
    interrupt: Interrupt,
    started: Instant,
    args: &Args,
    app: &App,
) -> Result<Exit, Problem> {
    let project = Project::find(app)?;
    let ports = args.ports(project.settings.ports);
    let backend = project.backend(app)?.with_databases(databases.clone());
    let persona = project.persona()?;
    let listener = match TcpListener::bind(("127.0.0.1", ports.control)).await {
        Ok(listener) => listener,
        Err(source) => {
            return Err(busy::problem("control", ports.control, &source, &ports, app).await);
        }
    };
    tokio::select! {
        ready = databases.ready() => ready.map_err(|error| dynamodb::problem(&error))?,
        () = interrupt.clone().wait() => return Ok(Exit::Interrupted),
    }
    let world = match start(backend.clone(), persona, Bind::Fixed(ports)).await {
        Err(WorldError::Busy { part, port, source }) => {
            return Err(busy::problem(part, port, &source, &ports, app).await);
        }
        world => world.map_err(|error| project::world(&error))?,
    };
    let server = control::Server::start(listener, controlled(&project, &world))
        .map_err(|e| Problem::environment(format!("failed to start control: {e}")))?;
    app.ui.line(table::table(&project, &backend, &world, server.url(), app))?;
    let took = time::duration(started.elapsed());
    app.ui.line(format_args!(
        "{} {}",
        paint(GOOD, "ready"),
        paint(DIM, format!("in {took}; Ctrl-C ends it"))
    ))?;
    interrupt.wait().await;
    app.ui.note(paint(DIM, "stopped"));
    Ok(Exit::Interrupted)
}

impl Args {
    fn ports(&self, configured: Ports) -> Ports {
        let of = |own: Option<u16>, step: u16, configured: u16| {
            own.or_else(|| self.port_base.map(|base| base + step)).unwrap_or(configured)
        };
        Ports {
            gateway: of(self.gateway_port, 0, configured.gateway),
            twilio: of(self.twilio_port, 10, configured.twilio),
            openai: of(self.openai_port, 20, configured.openai),
            dynamodb: of(self.dynamodb_port, 30, configured.dynamodb),
            control: of(self.control_port, 40, configured.control),
        }
    }
}

/// A world on the machine's clock, with the persona as its model.
pub(super) async fn start(
    backend: Backend,
    persona: Option<Persona>,
    bind: Bind,
) -> Result<Arc<World>, WorldError> {
    let config = WorldConfig { bind, ..WorldConfig::new(backend, Clock::running()) };
    let world = World::start(config).await?;
    world.openai().set_persona(persona);
    Ok(Arc::new(world))
}

fn controlled(project: &Project, world: &Arc<World>) -> Controlled {
    let people = &project.settings.people;
    Controlled {
        world: Arc::clone(world),
        endpoints: control::Endpoints {
            parts: table::parts(project, world),
            environment: table::environment(project, world),
            people: people
                .iter()
                .map(|(name, number)| (number.to_string(), name.clone()))
                .collect(),
            tables: project::tables(world.database().tables()),
            time_zone: table::time_zone(world),
        },
        people: people.iter().map(|(name, number)| (name.clone(), number.to_string())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &[&str]) -> Args {
        use clap::Parser;
        #[derive(Parser)]
        struct Line {
            #[command(flatten)]
            args: Args,
        }
        Line::parse_from(std::iter::once("up").chain(line.iter().copied())).args
    }

    #[test]
    fn a_base_moves_all_ports_and_a_flag_only_its_own() {
        let of = |line: &[&str]| args(line).ports(Ports::default()).by_name().map(|(_, port)| port);
        assert_eq!(of(&[]), [4000, 4010, 4020, 4030, 4040]);
        assert_eq!(of(&["--port-base", "5000"]), [5000, 5010, 5020, 5030, 5040]);
        assert_eq!(of(&["--port-base", "5000", "--openai-port", "9"]), [5000, 5010, 9, 5030, 5040]);
    }
}
