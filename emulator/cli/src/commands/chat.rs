//! `rehearse chat`

use std::{sync::Arc, time::Duration};

use tokio::sync::mpsc;

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
    twilio,
};
use rehearse_aws::template::{Phone, Ports};
use rehearse_control::{Attempt, Message, RefusedText, TwilioProblem};
use rehearse_openai::Persona;
use rehearse_scenario::report::{
    style::{ACTUAL, BOLD, DIM, NAME, paint},
    text::{visible, wrap},
};
use rehearse_twilio::Inbound;
use rehearse_world::{Bind, World, WorldConfig, WorldError};

/// Text the backend in this terminal, in a world of its own
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rehearse chat
  rehearse chat --now 2026-02-10T15:10:00-05:00
  printf 'Do you fix iPhones?\\n' | rehearse chat")]
pub(crate) struct Args {
    /// Who texts: a number or a name of rehearse.toml.
    #[arg(long, value_name = "NUMBER|NAME", default_value = "customer")]
    from: String,
    #[command(flatten)]
    dynamodb: DynamoDbArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    clock: ClockArgs,
    #[command(flatten)]
    ports: PortArgs,
    /// Show the functions' logs.
    #[arg(long, short)]
    verbose: bool,
}

pub(crate) fn chat(args: Args, app: &App) -> Result<Exit, CommandError> {
    logs::start(if args.verbose { "info" } else { "error" })?;
    let project = Project::find(app)?;
    let from = number(&project, &args.from)?;
    let target = args.target.choose(&project, app)?;
    let (backend, persona) = (backend::of(&project, &target, app)?, project.persona()?);
    let ports = args.ports.over(project.settings.ports);
    let bind = match target.external() {
        Some(external) => {
            target::apart(external, &ports)?;
            Bind::Fixed(ports)
        }
        None => {
            args.ports.refuse()?;
            Bind::Free
        }
    };
    app.block_on_world(async {
        let interrupt = Interrupt::listen()?;
        let databases = args.dynamodb.start(None)?;
        let backend = backend.with_databases(databases.clone());
        let config = WorldConfig { bind, ..WorldConfig::new(backend, args.clock.clock()) };
        let result = tokio::select! {
            exit = talk(config, persona, ports, from, &target, &args, app) => exit,
            () = interrupt.wait() => Ok(Exit::Interrupted),
        };
        dynamodb::close(&databases, app).await;
        result
    })?
}

async fn talk(
    config: WorldConfig,
    persona: Option<Persona>,
    ports: Ports,
    from: String,
    target: &ChosenTarget,
    args: &Args,
    app: &App,
) -> Result<Exit, CommandError> {
    let world = match running::start(config, persona).await {
        Err(WorldError::Busy { part, port, source }) => {
            return Err(busy::error(part, port, source, &ports, app).await);
        }
        world => world.map_err(project::world)?,
    };
    if let Some(external) = target.external() {
        target::listening(external, Duration::ZERO, app).await?;
    }
    let chat = Chat { app, world, from, shown: 0, failed: false };
    chat.welcome(&args.from);
    chat.talk(lines(app)).await
}

/// Lines of the standard input as they are typed.
fn lines(app: &App) -> mpsc::UnboundedReceiver<std::io::Result<String>> {
    let (typed, lines) = mpsc::unbounded_channel();
    let input = app.ui.input();
    // Reading blocks until the user types: a thread of its own may do that.
    std::thread::spawn(move || {
        for line in std::io::BufRead::lines(input) {
            if typed.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

struct Chat<'a> {
    app: &'a App,
    world: Arc<World>,
    from: String,
    /// The position of the first exchange that was not looked at.
    shown: u64,
    failed: bool,
}

impl Chat<'_> {
    fn welcome(&self, name: &str) {
        if self.app.ui.interactive() {
            let shop = self.world.twilio().number();
            self.app
                .ui
                .note(paint(DIM, format!("You text {shop} as {name}. Ctrl-D ends the chat.\n")));
        }
    }

    async fn talk(
        mut self,
        mut lines: mpsc::UnboundedReceiver<std::io::Result<String>>,
    ) -> Result<Exit, CommandError> {
        let mut changes = self.world.journal().watch();
        self.prompt();
        loop {
            tokio::select! {
                line = lines.recv() => {
                    let Some(line) = line else { break };
                    let line = line.map_err(|e| CommandError::wrong("failed to read the input").because(e))?;
                    if !line.trim().is_empty() {
                        self.send(line).await?;
                    }
                    self.prompt();
                }
                // Texts that come by themselves: alerts, late answers.
                _ = changes.changed() => self.show()?,
            }
        }
        let settled = self.world.settled().await;
        self.show()?;
        if let Err(unsettled) = settled {
            self.failed = true;
            self.app.ui.note(paint(ACTUAL, unsettled.to_string()));
        }
        Ok(if self.failed { Exit::Failed } else { Exit::Passed })
    }

    async fn send(&mut self, body: String) -> Result<(), CommandError> {
        let text = Inbound { from: self.from.clone(), body, ..Inbound::default() };
        let delivery = self.world.twilio().receive(text).await;
        self.show()?;
        if let Some(code) = delivery.failure {
            self.failed = true;
            let last = delivery.attempts.last().map(|attempt| Attempt {
                url: attempt.url.clone(),
                status: attempt.status,
                error: attempt.error.map(|code| code.to_string()),
            });
            let why = twilio::failure(&TwilioProblem::of(code), last.as_ref());
            self.app.ui.note(paint(ACTUAL, format!("the backend did not take the text: {why}")));
        }
        Ok(())
    }

    /// Prints the texts that were sent since the last call.
    fn show(&mut self) -> Result<(), CommandError> {
        let exchanges = self.world.journal().since(self.shown);
        for exchange in &exchanges {
            // A text under way stands first in the next look.
            if exchange.outcome.is_none() && exchange.name == "sms.sent" {
                break;
            }
            self.shown = exchange.seq + 1;
            if let Some(refused) = RefusedText::of(exchange) {
                self.app.ui.note(paint(ACTUAL, twilio::refused(&refused)));
            }
            match Message::of(exchange) {
                Some(text) if text.via.is_some() && text.to == self.from => {
                    let body = wrap(&visible(&text.body), self.app.ui.width()).join("\n");
                    self.app.ui.line(paint(NAME, body))?;
                }
                Some(text) if text.via.is_some() => {
                    let line = format!("(to {}) {}", text.to, visible(&text.body));
                    self.app.ui.note(paint(DIM, line));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn prompt(&self) {
        if self.app.ui.interactive() {
            self.app.ui.prompt(paint(BOLD, "> "));
        }
    }
}

fn number(project: &Project, who: &str) -> Result<String, CommandError> {
    let people = &project.settings.people;
    if let Some(number) = people.get(who) {
        return Ok(number.to_string());
    }
    Phone::try_from(who.to_owned()).map(|phone| phone.to_string()).map_err(|_| {
        let names: Vec<&str> = people.keys().map(String::as_str).collect();
        CommandError::wrong(format!(
            "'{who}' is neither a person nor a number such as +19045550100"
        ))
        .help(format!("people there: {}", names.join(", ")))
    })
}
