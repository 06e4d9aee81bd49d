//! `rehearse up`

mod browser;
mod sources;
mod table;
mod texts;
mod watch;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use tokio::net::TcpListener;

use self::{
    sources::Sources,
    watch::{Rebuild, WatchArgs},
};
use crate::{
    app::App,
    backend, busy,
    dynamodb::{self, DynamoDbArgs},
    error::{CommandError, Exit},
    logs,
    ports::PortArgs,
    project::{self, Project},
    running::{self, ClockArgs},
    signal::Interrupt,
    target::{self, ChosenTarget, TargetArgs},
};
use rehearse_aws::template::Ports;
use rehearse_control as control;
use rehearse_dynamodb::Service;
use rehearse_openai::Persona;
use rehearse_scenario::report::{
    style::{DIM, GOOD, paint},
    time,
};
use rehearse_world::{Backend, Bind, WorldConfig, WorldError};

/// Keep the whole world running on fixed ports
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rehearse up
  rehearse up --port-base 5000     5000, 5010, 5020, 5030, 5040 and 5050
  rehearse up --target lambda --watch
  rehearse up --open               and its console in the browser
  rehearse up --now 2026-02-10T15:10:00-05:00
  eval \"$(rehearse env)\"           in another terminal")]
pub(crate) struct Args {
    #[command(flatten)]
    ports: PortArgs,
    #[command(flatten)]
    target: TargetArgs,
    /// Keep the embedded database in this folder, across restarts.
    #[arg(long, value_name = "FOLDER", help_heading = "Database")]
    data: Option<PathBuf>,
    #[command(flatten)]
    dynamodb: DynamoDbArgs,
    /// Let every route take any number of requests, for measuring.
    #[arg(long)]
    no_throttling: bool,
    #[command(flatten)]
    clock: ClockArgs,
    #[command(flatten)]
    watch: WatchArgs,
    /// Show the functions' logs from level info on, not only warnings.
    #[arg(long, short)]
    verbose: bool,
    /// Open the console, the page of this world, in the default browser.
    #[arg(long)]
    open: bool,
}

/// What is built and read before the world starts.
struct Prepared {
    started: Instant,
    project: Project,
    target: ChosenTarget,
    ports: Ports,
    backend: Backend,
    persona: Option<Persona>,
    sources: Option<Sources>,
    rebuild: Option<Rebuild>,
}

pub(crate) fn up(args: Args, app: &App) -> Result<Exit, CommandError> {
    let started = Instant::now();
    logs::start(if args.verbose { "info" } else { "warn" })?;
    let project = Project::find(app)?;
    let target = args.target.choose(&project, app)?;
    args.watch.check(&target)?;
    let ports = args.ports.over(project.settings.ports);
    // From before the first build, so that no change is missed.
    let data = args.data.as_ref().map(|path| app.root.join(path));
    let sources = args.watch.sources(&project.root, data.as_deref())?;
    args.watch.build(&project.root)?;
    let backend = backend::of(&project, &target, app)?;
    if let Some(external) = target.external() {
        target::apart(external, &ports)?;
    }
    let persona = project.persona()?;
    let rebuild = args.watch.rebuild(&target, backend.template(), &project, app)?;
    app.block_on_world(async {
        let interrupt = Interrupt::listen()?;
        let databases = args.dynamodb.start(data)?;
        let backend = backend.with_databases(databases.clone());
        let prepared =
            Prepared { started, project, target, ports, backend, persona, sources, rebuild };
        let result = serve(prepared, &databases, interrupt, &args, app).await;
        dynamodb::close(&databases, app).await;
        result
    })?
}

async fn serve(
    prepared: Prepared,
    databases: &Service,
    interrupt: Interrupt,
    args: &Args,
    app: &App,
) -> Result<Exit, CommandError> {
    let Prepared { started, project, target, ports, backend, persona, mut sources, mut rebuild } =
        prepared;
    let listener = match TcpListener::bind(("127.0.0.1", ports.control)).await {
        Ok(listener) => listener,
        Err(source) => {
            return Err(busy::error("control", ports.control, source, &ports, app).await);
        }
    };
    tokio::select! {
        ready = databases.ready() => ready.map_err(dynamodb::error)?,
        () = interrupt.clone().wait() => return Ok(Exit::Interrupted),
    }
    let config = WorldConfig {
        bind: Bind::Fixed(ports),
        throttling: !args.no_throttling,
        journal: Some(project.settings.journal.limits()),
        ..WorldConfig::new(backend.clone(), args.clock.clock())
    };
    let world = match running::start(config, persona).await {
        Err(WorldError::Busy { part, port, source }) => {
            return Err(busy::error(part, port, source, &ports, app).await);
        }
        world => world.map_err(project::world)?,
    };
    let server = control::Server::start(listener, running::controlled(&project, &backend, &world))
        .map_err(|e| CommandError::environment("failed to start control").because(e))?;
    if let (Some(rebuild), Some(sources)) = (&mut rebuild, &mut sources) {
        rebuild.first(sources).await;
    }
    project.remark_unresolved(&backend, app);
    app.ui.line(table::table(&project, &backend, &world, server.url(), app))?;
    let took = time::duration(started.elapsed());
    app.ui.line(format_args!(
        "{} {}",
        paint(GOOD, "ready"),
        paint(DIM, format!("in {took}; Ctrl-C ends it"))
    ))?;
    if args.open {
        browser::open(server.url(), app);
    }
    if let Some(external) = target.external()
        && target::listening(external, Duration::ZERO, app).await.is_err()
    {
        app.ui.remark(format_args!("no backend listens at {external} yet"));
    }
    let watch = async {
        match (rebuild, sources) {
            (Some(rebuild), Some(sources)) => Box::pin(rebuild.watch(sources, &world, app)).await,
            _ => std::future::pending().await,
        }
    };
    let people = project.settings.people.iter();
    let people = people.map(|(name, number)| (number.to_string(), name.clone())).collect();
    let texts = async {
        texts::follow(&world, people, app).await;
        // Nobody reads any more; the world goes on.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = interrupt.wait() => {}
        () = watch => {}
        () = texts => {}
    }
    app.ui.note(paint(DIM, "stopped"));
    Ok(Exit::Interrupted)
}
