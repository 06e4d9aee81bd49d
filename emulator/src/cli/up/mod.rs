//! `rehearse up`

mod table;

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::net::TcpListener;

use super::{
    app::App,
    busy,
    dynamodb::{self, DynamoDbArgs},
    exports,
    ports::PortArgs,
    problem::{Exit, Problem},
    project::{self, Project},
    signal::Interrupt,
    target::{self, TargetArgs},
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
    #[command(flatten)]
    ports: PortArgs,
    #[command(flatten)]
    target: TargetArgs,
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
    args.target.check()?;
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
    let ports = args.ports.over(project.settings.ports);
    let backend = project.backend_of(&args.target, app)?.with_databases(databases.clone());
    if let Some(outside) = args.target.outside() {
        target::apart(outside, &ports)?;
    }
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
    let server = control::Server::start(listener, controlled(&project, &backend, &world))
        .map_err(|e| Problem::environment(format!("failed to start control: {e}")))?;
    app.ui.line(table::table(&project, &backend, &world, server.url(), app))?;
    let took = time::duration(started.elapsed());
    app.ui.line(format_args!(
        "{} {}",
        paint(GOOD, "ready"),
        paint(DIM, format!("in {took}; Ctrl-C ends it"))
    ))?;
    if let Some(outside) = args.target.outside()
        && target::listening(outside, Duration::ZERO, app).await.is_err()
    {
        app.ui.remark(format_args!("no backend listens at {outside} yet"));
    }
    interrupt.wait().await;
    app.ui.note(paint(DIM, "stopped"));
    Ok(Exit::Interrupted)
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

/// What the control API of a world acts on.
pub(super) fn controlled(project: &Project, backend: &Backend, world: &Arc<World>) -> Controlled {
    let people = &project.settings.people;
    Controlled {
        world: Arc::clone(world),
        endpoints: control::Endpoints {
            parts: table::parts(project, world),
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
