//! `rehearse explore`

mod shortening;

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
};

use self::shortening::play;
use crate::{
    always,
    app::App,
    backend,
    dynamodb::{self, DynamoDbArgs},
    error::{CommandError, Exit},
    execute::{JobResult, Limits, execute, whole},
    external::{self, UrlArgs},
    logs,
    project::Project,
    signal::Interrupt,
    target::{ChosenTarget, TargetArgs},
};
use rehearse_core::journal::Exchange;
use rehearse_dynamodb::Service;
use rehearse_scenario::{
    Options, Runner, Scenario, ScenarioResult,
    explore::{Ingredients, generate, text},
    invariants::Invariants,
    report::{
        style::{BAD, DIM, GOOD, NAME, paint},
        text::count,
    },
    sweep::{Trial, TrialEnd},
};
use serde_json::Value;

/// Play random conversations, and check what always.yaml says
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Runs the scenarios once to see what there is: texts, people, requests, what the model says, the tools that
the backend offers it, and which calls can fail. Then each seed mixes these into another conversation, with
failures, repeats and values at the edges of the tools' schemas.

Of each sentence of always.yaml that does not hold, the first seed is printed with its conversation, shortened:
  rehearse explore --seeds 500 --save found
  rehearse run found/exploration-7.yaml --always

Exit code 1: some sentence did not hold.")]
pub(crate) struct Args {
    /// Scenario files and folders to take parts from; those of rehearse.toml when left out.
    #[arg(value_name = "PATHS")]
    paths: Vec<PathBuf>,
    /// How many conversations to play.
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u32).range(1..))]
    seeds: u32,
    /// The first seed; the others count up from it.
    #[arg(long, value_name = "N", default_value = "1")]
    seed: u64,
    /// Write what was found to exploration-SEED.yaml in this folder.
    #[arg(long, value_name = "FOLDER")]
    save: Option<PathBuf>,
    /// How many conversations run at the same time [default: four times the number of cores; one with --target URL].
    #[arg(long, short, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    dynamodb: DynamoDbArgs,
    #[command(flatten)]
    url: UrlArgs,
}

pub(crate) fn explore(args: Args, app: &App) -> Result<Exit, CommandError> {
    logs::start("off")?;
    let project = Project::find(app)?;
    let target = args.target.choose(&project, app)?;
    external::check(&args.url, args.jobs, &target)?;
    let last = u64::from(args.seeds - 1);
    if args.seed.checked_add(last).is_none() {
        let most = u64::MAX - last;
        return Err(CommandError::wrong(format!("--seed {} leaves no room", args.seed))
            .help(format!("with --seeds {} it is at most {most}", args.seeds)));
    }
    let invariants = always::invariants(&project, app)?;
    let scenarios = project.scenarios(app, &args.paths)?;
    let folder = args.save.as_ref().map(|folder| app.root.join(folder));
    if let Some(folder) = &folder {
        std::fs::create_dir_all(folder).map_err(|error| {
            CommandError::wrong(format!("failed to make the folder {}", folder.display()))
                .because(error)
        })?;
    }
    let backend = backend::of(&project, &target, app)?;
    app.block_on(async {
        let interrupt = Interrupt::listen()?;
        let databases = args.dynamodb.start(None)?;
        let explored = async {
            let backend = backend.with_databases(databases.clone());
            let runner = project.runner(backend, Options::default(), &scenarios)?;
            project.remark_missing(runner.backend().template(), app);
            project.remark_unresolved(runner.backend(), app);
            let started = start(&databases, runner, &project, &target, &args, app);
            let runner = tokio::select! {
                runner = started => runner?,
                () = interrupt.clone().wait() => return Ok(Exit::Interrupted),
            };
            let exploration = Exploration {
                limits: Limits {
                    at_once: external::jobs_at_once(args.jobs, &target).get(),
                    fail_fast: false,
                },
                options: external::typed(&target, &args.dynamodb, &args.url),
                runner,
                invariants,
                interrupt,
                folder,
                app,
            };
            exploration.run(&scenarios, target.external().is_some(), &args).await
        };
        let result = explored.await;
        dynamodb::close(&databases, app).await;
        result
    })?
}

async fn start(
    databases: &Service,
    runner: Runner,
    project: &Project,
    target: &ChosenTarget,
    args: &Args,
    app: &App,
) -> Result<Runner, CommandError> {
    databases.ready().await.map_err(dynamodb::error)?;
    external::start(runner, project, target, &args.url, app).await
}

/// A conversation in which some sentence did not hold.
struct Found {
    seed: u64,
    document: Value,
    /// What the sentence is about.
    about: String,
}

/// What came of all conversations.
#[derive(Default)]
struct Findings {
    /// Of each sentence that did not hold, the first seed.
    found: BTreeMap<String, Found>,
    /// For how many things each sentence was judged.
    things: Vec<usize>,
    played: usize,
    not_judged: Vec<(u64, String)>,
}

impl Findings {
    fn add(&mut self, seed: u64, document: &Value, trial: Trial) {
        self.things.resize(self.things.len().max(trial.things.len()), 0);
        for (sum, things) in self.things.iter_mut().zip(&trial.things) {
            *sum += things;
        }
        let violations = match trial.end {
            TrialEnd::NotJudged(why) => return self.not_judged.push((seed, why)),
            TrialEnd::Violated(violations) => violations,
            TrialEnd::Held | TrialEnd::NotReached => Vec::new(),
        };
        self.played += 1;
        for violation in violations {
            let before = self.found.get(&violation.sentence);
            if before.is_none_or(|before| seed < before.seed) {
                let new = Found { seed, document: document.clone(), about: violation.about };
                self.found.insert(violation.sentence, new);
            }
        }
    }
}

/// What is explored, and how.
struct Exploration<'a> {
    runner: Runner,
    invariants: Arc<Invariants>,
    limits: Limits,
    interrupt: Interrupt,
    /// Options of the command lines that are printed.
    options: Vec<String>,
    /// Where what is found is written.
    folder: Option<PathBuf>,
    app: &'a App,
}

impl Exploration<'_> {
    async fn run(
        &self,
        scenarios: &[Scenario],
        has_own_time: bool,
        args: &Args,
    ) -> Result<Exit, CommandError> {
        let people = &self.runner.backend().settings().people;
        let mut ingredients = Ingredients::of(scenarios, people.keys().map(String::as_str));
        ingredients.has_own_time = has_own_time;
        ingredients.slow_ms = u64::try_from(self.invariants.slow().as_millis()).unwrap_or(u64::MAX);
        if !self.learn(scenarios, &mut ingredients).await {
            return Ok(Exit::Interrupted);
        }
        let ingredients = Arc::new(ingredients);
        let seeds = usize::try_from(args.seeds).unwrap_or(usize::MAX);
        let seed_of = |i: usize| args.seed + i as u64;
        let mut findings = Findings::default();
        let start = |i: usize| {
            let (runner, invariants) = (self.runner.clone(), self.invariants.clone());
            let (ingredients, seed) = (ingredients.clone(), seed_of(i));
            async move {
                let document = generate(&ingredients, seed);
                play(&runner, &invariants, &document).await.map(|trial| (document, trial))
            }
        };
        let done = |i: usize, ended: JobResult<Result<(Value, Trial), String>>| {
            let seed = seed_of(i);
            match ended {
                JobResult::Finished(ended) => match *ended {
                    Ok((document, trial)) => findings.add(seed, &document, trial),
                    Err(why) => findings.not_judged.push((seed, why)),
                },
                JobResult::Panicked(why) => {
                    findings.not_judged.push((seed, format!("the emulator panicked: {why}")));
                }
                JobResult::NotStarted => {}
            }
            false
        };
        let ended =
            execute(whole(0..seeds), self.limits, start, self.interrupt.clone().wait(), done).await;
        let files = self.report(&findings, args).await?;
        self.finish(&findings, files)?;
        Ok(match () {
            () if ended.interrupted || self.interrupt.has_come() => Exit::Interrupted,
            () if !findings.not_judged.is_empty() => Exit::Environment,
            () if !findings.found.is_empty() => Exit::Failed,
            () => Exit::Passed,
        })
    }

    /// Runs the scenarios, so that their journals show what there is; false when interrupted.
    async fn learn(&self, scenarios: &[Scenario], ingredients: &mut Ingredients) -> bool {
        let mut journals: Vec<Vec<Exchange>> = scenarios.iter().map(|_| Vec::new()).collect();
        let mut missing = Vec::new();
        let start = |i: usize| {
            let (runner, scenario) = (self.runner.clone(), scenarios[i].clone());
            async move { runner.run(&scenario).await }
        };
        let done = |i: usize, ended: JobResult<ScenarioResult>| {
            match ended {
                JobResult::Finished(result) if result.passed() => journals[i] = result.journal,
                _ => missing.push(i),
            }
            false
        };
        let order = whole(0..scenarios.len());
        let ended = execute(order, self.limits, start, self.interrupt.clone().wait(), done).await;
        for journal in &journals {
            ingredients.learn(journal);
        }
        if let (Some(first), false) = (missing.iter().min(), ended.interrupted) {
            self.app.ui.warn(format_args!(
                "{} did not run or pass, so what they use is missing; the first is \"{}\"",
                count(missing.len(), "scenario"),
                scenarios[*first].full_name()
            ));
        }
        !ended.interrupted
    }

    /// Prints what was found, as short as it could be made. Returns how many files were written.
    async fn report(&self, findings: &Findings, args: &Args) -> Result<usize, CommandError> {
        let mut files = 0;
        let mut names: BTreeMap<u64, usize> = BTreeMap::new();
        for (sentence, found) in &findings.found {
            let shortened = self.shortened(sentence, found).await;
            let again = self.again(args, found.seed);
            let ui = &self.app.ui;
            ui.line(format!("{} (seed {})", paint(NAME, sentence), found.seed))?;
            ui.line(format!("  {}", shortened.about))?;
            if let Some(note) = shortened.note {
                ui.line(paint(DIM, format!("  {note}")))?;
            }
            let file = text(&shortened.document, &format!("{sentence}\n{again}"));
            let Some(folder) = &self.folder else {
                ui.line(file)?;
                continue;
            };
            let nth = names.entry(found.seed).or_default();
            *nth += 1;
            let suffix = if *nth == 1 { String::new() } else { format!("-{nth}") };
            let path = folder.join(format!("exploration-{}{suffix}.yaml", found.seed));
            match std::fs::write(&path, &file) {
                Ok(()) => {
                    files += 1;
                    ui.line(format!("  {}\n", self.command_for(&path)))?;
                }
                Err(error) => {
                    let why = rehearse_core::errors::io_words(&error);
                    ui.warn(format_args!("failed to write {}: {why}", path.display()));
                    ui.line(file)?;
                }
            }
        }
        Ok(files)
    }

    /// The command that plays a seed again.
    fn again(&self, args: &Args, seed: u64) -> String {
        let mut words: Vec<String> =
            args.paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        words.extend(["--seeds".into(), "1".into(), "--seed".into(), seed.to_string()]);
        words.extend(self.options.iter().cloned());
        format!("{} {}", self.app.command("explore"), shell_words::join(words))
    }

    /// The command that plays a file again.
    fn command_for(&self, path: &Path) -> String {
        let shown = path.strip_prefix(&self.app.root).unwrap_or(path).to_string_lossy();
        let mut words = vec![shown.into_owned(), "--always".into()];
        words.extend(self.options.iter().cloned());
        format!("{} {}", self.app.command("run"), shell_words::join(words))
    }

    fn finish(&self, findings: &Findings, files: usize) -> Result<(), CommandError> {
        let ui = &self.app.ui;
        for (seed, why) in &findings.not_judged {
            ui.warn(format_args!("seed {seed} could not be judged: {why}"));
        }
        for (sentence, _) in
            self.invariants.sentences().zip(&findings.things).filter(|(_, things)| **things == 0)
        {
            ui.line(paint(DIM, format!("never about anything: {sentence}")))?;
        }
        let told = match findings.found.len() {
            0 if findings.played == 0 => "nothing was judged".into(),
            0 => paint(GOOD, "every sentence held").to_string(),
            broken => paint(BAD, format!("{} did not hold", count(broken, "sentence"))).to_string(),
        };
        let written =
            if files == 0 { String::new() } else { format!(", {}", count(files, "file")) };
        ui.line(format!("{}: {told}{written}", count(findings.played, "conversation")))?;
        Ok(())
    }
}
