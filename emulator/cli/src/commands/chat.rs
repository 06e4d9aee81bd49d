//! `rehearse chat`

mod slash;

use std::{sync::Arc, time::Duration};

use tokio::sync::mpsc;

use self::slash::Line;
use crate::commands::clock::Move;
use crate::{
    app::App,
    backend, busy,
    dynamodb::{self, DynamoDbArgs},
    error::{CommandError, Exit},
    logs,
    ports::PortArgs,
    project::{self, Project},
    recorded,
    running::{self, ClockArgs},
    signal::Interrupt,
    target::{self, ChosenTarget, TargetArgs},
    twilio,
};
use rehearse_aws::template::{Phone, Ports};
use rehearse_control::{Attempt, Message, RefusedText, TwilioProblem};
use rehearse_core::{
    errors::with_causes,
    faults::Fault,
    journal::{Exchange, ExchangeDetail},
    yaml::Source,
};
use rehearse_openai::Persona;
use rehearse_scenario::{
    Names, parse_faults,
    record::{RecordRequest, Recorder},
    report::{
        conversation::tool_results,
        style::{ACTUAL, BOLD, DIM, NAME, paint},
        text::{cut, visible, wrap},
    },
};
use rehearse_twilio::Inbound;
use rehearse_world::{Bind, World, WorldConfig, WorldError};

/// Text the backend in this terminal, in a world of its own
#[derive(Debug, clap::Args)]
#[command(after_help = "\
`/save NAME` writes the conversation so far as a scenario (docs/recording.md).

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
        let session = Session { project: &project, target: &target, args: &args, app };
        let result = tokio::select! {
            exit = talk(config, persona, ports, from, session) => exit,
            () = interrupt.wait() => Ok(Exit::Interrupted),
        };
        dynamodb::close(&databases, app).await;
        result
    })?
}

/// What a chat is held with.
#[derive(Clone, Copy)]
struct Session<'a> {
    project: &'a Project,
    target: &'a ChosenTarget,
    args: &'a Args,
    app: &'a App,
}

async fn talk(
    config: WorldConfig,
    persona: Option<Persona>,
    ports: Ports,
    from: String,
    session: Session<'_>,
) -> Result<Exit, CommandError> {
    let Session { project, target, args, app } = session;
    let backend = config.backend.clone();
    let world = match running::start(config, persona).await {
        Err(WorldError::Busy { part, port, source }) => {
            return Err(busy::error(part, port, source, &ports, app).await);
        }
        world => world.map_err(project::world)?,
    };
    if let Some(external) = target.external() {
        target::listening(external, Duration::ZERO, app).await?;
    }
    let recorder = Recorder::new(&world, &backend);
    // Where the rows cannot be read, `/save` says so.
    let _ = recorder.begin().await;
    let mut chat = Chat { app, world, recorder, project, from, shown: 0, failed: false };
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
    recorder: Recorder,
    project: &'a Project,
    from: String,
    /// The position of the first exchange that was not looked at.
    shown: u64,
    failed: bool,
}

impl Chat<'_> {
    fn welcome(&self, name: &str) {
        if self.app.ui.interactive() {
            let shop = self.world.twilio().number();
            self.app.ui.note(paint(
                DIM,
                format!("You text {shop} as {name}. /help lists commands, Ctrl-D ends the chat.\n"),
            ));
        }
    }

    async fn talk(
        &mut self,
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
                        self.line(&line).await?;
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

    /// Writes the whole conversation as a scenario. What goes wrong is told, and the chat goes on.
    async fn save(&mut self, name: &str) -> Result<String, String> {
        let request =
            RecordRequest { name: name.to_owned(), all: true, ..RecordRequest::default() };
        let recorded = self.recorder.record(&request).await.map_err(|error| with_causes(&error))?;
        let path = recorded::place(self.project, &recorded.file);
        let written = recorded::write(&recorded, &path, false, self.app);
        written.map_err(|error| error.texts().join("; "))
    }

    /// Sends a text, or does what a command says.
    async fn line(&mut self, line: &str) -> Result<(), CommandError> {
        let read = match Line::read(line) {
            Ok(Line::Text(text)) => return self.send(text).await,
            Ok(read) => self.command(read).await,
            Err(wrong) => Err(wrong),
        };
        match read {
            Ok(said) => self.app.ui.note(paint(DIM, said)),
            // Whoever types goes on; a script that is piped in has failed.
            Err(wrong) => {
                self.failed |= !self.app.ui.interactive();
                self.app.ui.note(paint(ACTUAL, wrong));
            }
        }
        self.show()
    }

    /// Does what a command says, and returns what to say of it.
    async fn command(&mut self, line: Line) -> Result<String, String> {
        match line {
            Line::Text(_) => Ok(String::new()),
            Line::Help => Ok(slash::HELP.into()),
            Line::Save(name) => self.save(&name).await,
            Line::As(who) => {
                let number = number(self.project, &who).map_err(|problem| {
                    let help = problem.help.clone().unwrap_or_default();
                    format!("{}; {help}", problem.texts().join("; "))
                })?;
                self.from = number;
                Ok(format!("you text as {who}"))
            }
            Line::Clock(to) => {
                let moved = match to {
                    None => Ok(()),
                    Some(Move::Forward(length)) => {
                        let length = length.parse::<jiff::SignedDuration>();
                        let length = length.map_err(|_| "a length is such as +15m".to_owned())?;
                        self.world.advance(length).await.map_err(|error| error.to_string())
                    }
                    Some(Move::To(moment)) => {
                        let moved = self.world.set_time(moment.timestamp()).await;
                        moved.map_err(|error| error.to_string())
                    }
                };
                moved.map(|()| {
                    let now = self.world.clock().now().to_zoned(self.world.time_zone());
                    now.strftime("it is %a %Y-%m-%d %H:%M:%S %:z").to_string()
                })
            }
            Line::Fail(yaml) => {
                let tables = self.world.database().tables().iter();
                let names =
                    Names { tables: tables.map(|t| t.id.clone()).collect(), ..Names::default() };
                let faults = parse_faults(&Source::new("/fail", yaml), &names);
                let faults = faults.map_err(|error| error.to_string())?;
                for fault in &faults {
                    let (on, failure) = (fault.on.clone(), fault.fail.0.clone());
                    self.world.faults().arm(Fault { on, failure, ..Fault::default() });
                }
                let on: Vec<&str> = faults.iter().map(|fault| fault.on.as_str()).collect();
                Ok(format!("{} fails from here on; /fail off ends it", on.join(", ")))
            }
            Line::FailNoMore => {
                self.world.faults().clear();
                Ok("no call fails".into())
            }
            Line::Reset => {
                self.world.reset().await.map_err(|error| error.to_string())?;
                // What is said from now on is a conversation of its own, which `/save` writes alone.
                self.world.journal().clear();
                self.shown = 0;
                self.recorder.reset().await;
                Ok("the world is as it was at the start".into())
            }
        }
    }

    /// Why a text got no reply, if that is known.
    fn silence(&self) -> Option<String> {
        let opted_out = self.world.twilio().opt_outs();
        if opted_out.iter().any(|(_, person)| *person == self.from) {
            let who = self.name(&self.from);
            return Some(format!("(no reply: {who} has opted out; START opts in again)"));
        }
        None
    }

    fn name(&self, number: &str) -> String {
        let mut people = self.project.settings.people.iter();
        let found = people.find(|(_, known)| known.to_string() == number);
        found.map_or_else(|| number.to_owned(), |(name, _)| name.clone())
    }

    async fn send(&mut self, body: String) -> Result<(), CommandError> {
        let text = Inbound { from: self.from.clone(), body, ..Inbound::default() };
        let before = self.shown;
        let delivery = self.world.twilio().receive(text).await;
        // A function that the webhook invoked may reply.
        let _ = self.world.invocations_settled().await;
        self.show()?;
        let since = self.world.journal().since(before);
        let is_reply = |exchange: &Exchange| {
            Message::of(exchange).is_some_and(|text| text.via.is_some() && text.to == self.from)
                && RefusedText::of(exchange).is_none()
        };
        let refused = since.iter().any(|exchange| RefusedText::of(exchange).is_some());
        if delivery.failure.is_none() && !since.iter().any(is_reply) {
            match self.silence() {
                Some(why) => self.app.ui.note(paint(DIM, why)),
                None if refused => {}
                None => {
                    let said = "(no reply so far: the backend took the text and sent none)";
                    self.app.ui.note(paint(DIM, said));
                }
            }
        }
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
            for did in what_was_done(exchange) {
                self.app.ui.note(paint(DIM, format!("  {did}")));
            }
            match Message::of(exchange) {
                Some(text) if text.via.is_some() && text.to == self.from => {
                    let at =
                        text.at.to_zoned(self.world.time_zone()).strftime("%H:%M:%S").to_string();
                    if self.app.ui.interactive() {
                        self.app
                            .ui
                            .note(paint(DIM, format!("{at}  shop to {}", self.name(&text.to))));
                    }
                    let body = wrap(&visible(&text.body), self.app.ui.width()).join("\n");
                    self.app.ui.line(paint(NAME, body))?;
                }
                Some(text) if text.via.is_some() => {
                    let at =
                        text.at.to_zoned(self.world.time_zone()).strftime("%H:%M:%S").to_string();
                    let to = self.name(&text.to);
                    let line = format!("{at}  (to {to}) {}", visible(&text.body));
                    self.app.ui.note(paint(DIM, line));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn prompt(&self) {
        if self.app.ui.interactive() {
            self.app.ui.prompt(paint(BOLD, format!("{}> ", self.name(&self.from))));
        }
    }
}

/// What the backend's tools did, as the model was told: `check_availability → available_slots: 8`.
fn what_was_done(exchange: &Exchange) -> Vec<String> {
    let ExchangeDetail::Model { request, .. } = &exchange.detail else { return Vec::new() };
    let results = tool_results(request).into_iter();
    results.map(|(tool, output)| format!("{tool} → {}", cut(&summary(&output), 72))).collect()
}

/// What a tool returned, in short: of lists only how long they are.
fn summary(output: &str) -> String {
    match serde_json::from_str(output) {
        Ok(serde_json::Value::Object(map)) => {
            let part = |(key, value): (&String, &serde_json::Value)| match value {
                serde_json::Value::Array(list) => format!("{key}: {}", list.len()),
                serde_json::Value::String(text) => format!("{key}: {}", visible(text)),
                value => format!("{key}: {value}"),
            };
            map.iter().map(part).collect::<Vec<_>>().join(", ")
        }
        Ok(serde_json::Value::Array(list)) => list.len().to_string(),
        _ => visible(&output.split_whitespace().collect::<Vec<_>>().join(" ")),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_tool_returned_is_told_in_short() {
        assert_eq!(
            summary(r#"{"date":"2026-02-11","available_slots":["9","10"]}"#),
            "date: 2026-02-11, available_slots: 2"
        );
        assert_eq!(summary(r#"{"success":true}"#), "success: true");
        assert_eq!(summary("[1, 2, 3]"), "3");
        assert_eq!(summary("not  json"), "not json");
    }
}
