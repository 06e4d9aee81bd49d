//! `rehearse explore`

use std::{
    collections::BTreeMap,
    num::{NonZeroU64, NonZeroUsize},
    path::PathBuf,
    sync::Arc,
};

use crate::{
    always,
    app::App,
    backend,
    dynamodb::{self, DynamoDbArgs},
    error::{CommandError, Exit},
    execute::{JobResult, Limits, execute, result, whole},
    external::{self, UrlArgs},
    project::Project,
    signal::Interrupt,
    target::TargetArgs,
};
use rehearse_dynamodb::Service;
use rehearse_scenario::{
    Options, Runner, Scenario,
    explore::{Ingredients, generate, smaller, text},
    invariants::Invariants,
    report::{
        style::{BAD, DIM, GOOD, NAME, paint},
        text::count,
    },
    sweep::{Trial, TrialEnd},
};
use serde_json::Value;

/// Most runs in which a conversation is made shorter.
const SHORTENING_RUNS: usize = 150;

/// Play random conversations, and check what always.yaml says
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Runs the scenarios once to see what there is: texts, people, requests, what the model says, the tools that
the backend offers it, and which calls can fail. Then each seed mixes these into another conversation, with
failures, repeats and values at the edges of the tools' schemas.

Of each sentence of always.yaml that does not hold, the first seed is printed with its shortest conversation:
  rehearse explore --seeds 500 --save found
  rehearse run found/exploration-7.yaml --always

Exit code 1: some sentence did not hold.")]
pub(crate) struct Args {
    /// Scenario files and folders to take parts from; those of rehearse.toml when left out.
    #[arg(value_name = "PATHS")]
    paths: Vec<PathBuf>,
    /// How many conversations to play.
    #[arg(long, value_name = "N", default_value = "100")]
    seeds: NonZeroU64,
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
    let project = Project::find(app)?;
    let target = args.target.choose(&project, app)?;
    external::check(&args.url, args.jobs, &target)?;
    let invariants = always::invariants(&project, app)?;
    let scenarios = project.scenarios(app, &args.paths)?;
    let backend = backend::of(&project, &target, app)?;
    let limits =
        Limits { at_once: external::jobs_at_once(args.jobs, &target).get(), fail_fast: false };
    app.block_on(async {
        let interrupt = Interrupt::listen()?;
        let databases = args.dynamodb.start(None)?;
        let explored = async {
            let backend = backend.with_databases(databases.clone());
            let runner = project.runner(backend, Options::default(), &scenarios)?;
            ready(&databases).await?;
            let runner = external::start(runner, &project, &target, &args.url, app).await?;
            let has_own_time = target.external().is_some();
            let exploration = Exploration { runner, invariants, limits, interrupt, app };
            exploration.run(&scenarios, has_own_time, &args).await
        };
        let result = explored.await;
        dynamodb::close(&databases, app).await;
        result
    })?
}

async fn ready(databases: &Service) -> Result<(), CommandError> {
    databases.ready().await.map_err(dynamodb::error)
}

/// A conversation in which some sentence did not hold.
struct Found {
    seed: u64,
    document: Value,
    about: String,
}

/// What is explored, and how.
struct Exploration<'a> {
    runner: Runner,
    invariants: Arc<Invariants>,
    limits: Limits,
    interrupt: Interrupt,
    app: &'a App,
}

impl Exploration<'_> {
    async fn run(
        &self,
        scenarios: &[Scenario],
        has_own_time: bool,
        args: &Args,
    ) -> Result<Exit, CommandError> {
        let mut ingredients = Ingredients::of(scenarios);
        ingredients.has_own_time = has_own_time;
        if !self.learn(scenarios, &mut ingredients).await {
            return Ok(Exit::Interrupted);
        }
        let ingredients = Arc::new(ingredients);
        let seeds: Vec<u64> = (0..args.seeds.get()).map(|i| args.seed.wrapping_add(i)).collect();
        let mut found: BTreeMap<String, Found> = BTreeMap::new();
        let (mut played, mut not_judged) = (0, Vec::new());
        let start = |i: usize| {
            let (runner, invariants) = (self.runner.clone(), self.invariants.clone());
            let (ingredients, seed) = (ingredients.clone(), seeds[i]);
            async move {
                let document = generate(&ingredients, seed);
                play(&runner, &invariants, &document).await.map(|trial| (document, trial))
            }
        };
        let done = |i: usize, ended: JobResult<Result<(Value, Trial), String>>| {
            let seed = seeds[i];
            match ended {
                JobResult::Finished(played_one) => match *played_one {
                    Ok((document, trial)) => match trial.end {
                        TrialEnd::Violated(violations) => {
                            played += 1;
                            for violation in violations {
                                let is_first = found
                                    .get(&violation.sentence)
                                    .is_none_or(|before| seed < before.seed);
                                if is_first {
                                    let (document, about) = (document.clone(), violation.about);
                                    let new = Found { seed, document, about };
                                    found.insert(violation.sentence, new);
                                }
                            }
                            return true;
                        }
                        TrialEnd::Held | TrialEnd::NotReached => played += 1,
                        TrialEnd::NotJudged(why) => not_judged.push((seed, why)),
                    },
                    Err(why) => not_judged.push((seed, why)),
                },
                JobResult::Panicked(why) => not_judged.push((seed, why)),
                JobResult::NotStarted => {}
            }
            false
        };
        let order = whole(0..seeds.len());
        let ended = execute(order, self.limits, start, self.interrupt.clone().wait(), done).await;
        for (sentence, first) in &found {
            self.report(sentence, first, args).await?;
        }
        for (seed, why) in &not_judged {
            self.app.ui.warn(format_args!("seed {seed} could not be judged: {why}"));
        }
        let told = match found.len() {
            0 => paint(GOOD, "every sentence held").to_string(),
            broken => paint(BAD, format!("{} did not hold", count(broken, "sentence"))).to_string(),
        };
        self.app.ui.line(format!("{}: {told}", count(played, "conversation")))?;
        Ok(match () {
            () if ended.interrupted => Exit::Interrupted,
            () if !found.is_empty() => Exit::Failed,
            () if !not_judged.is_empty() => Exit::Environment,
            () => Exit::Passed,
        })
    }

    /// Runs the scenarios, so that their journals show what there is; false when interrupted.
    async fn learn(&self, scenarios: &[Scenario], ingredients: &mut Ingredients) -> bool {
        let start = |i: usize| {
            let (runner, scenario) = (self.runner.clone(), scenarios[i].clone());
            async move { runner.run(&scenario).await }
        };
        let done = |_: usize, ended| {
            if let Some(report) = result(&ended) {
                ingredients.learn(&report.journal);
            }
            false
        };
        let order = whole(0..scenarios.len());
        !execute(order, self.limits, start, self.interrupt.clone().wait(), done).await.interrupted
    }

    /// Prints what was found, as short as it could be made.
    async fn report(&self, sentence: &str, found: &Found, args: &Args) -> Result<(), CommandError> {
        let document = self.shortest(sentence, found.document.clone()).await;
        let again = format!("{} --seeds 1 --seed {}", self.app.command("explore"), found.seed);
        let file = text(&document, &format!("{sentence}\n{again}"));
        let ui = &self.app.ui;
        ui.line(format!("{} (seed {})", paint(NAME, sentence), found.seed))?;
        ui.line(format!("  {}", found.about))?;
        if let Some(folder) = &args.save {
            let folder = self.app.root.join(folder);
            let path = folder.join(format!("exploration-{}.yaml", found.seed));
            std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, &file)).map_err(
                |error| {
                    CommandError::environment(format!("failed to write {}", path.display()))
                        .because(error)
                },
            )?;
            let run = self.app.command("run");
            ui.line(format!("  {run} {} --always\n", path.display()))?;
        } else {
            ui.line(paint(DIM, file))?;
        }
        Ok(())
    }

    /// The conversation without everything that the sentence does not need to be broken.
    async fn shortest(&self, sentence: &str, mut document: Value) -> Value {
        let mut runs = 0;
        'shorter: loop {
            for candidate in smaller(&document) {
                if runs == SHORTENING_RUNS || self.interrupt.has_come() {
                    return document;
                }
                let Ok(trial) = play(&self.runner, &self.invariants, &candidate).await else {
                    continue;
                };
                runs += 1;
                if let TrialEnd::Violated(violations) = trial.end
                    && violations.iter().any(|violation| violation.sentence == sentence)
                {
                    document = candidate;
                    continue 'shorter;
                }
            }
            return document;
        }
    }
}

/// Plays a conversation and judges it.
///
/// # Errors
/// It is no scenario for this backend.
async fn play(
    runner: &Runner,
    invariants: &Arc<Invariants>,
    document: &Value,
) -> Result<Trial, String> {
    let scenario = Scenario::parse(&text(document, "")).map_err(|error| error.to_string())?;
    if let Some(error) = runner.check(std::slice::from_ref(&scenario)).first() {
        return Err(error.to_string());
    }
    Ok(runner.trial(&scenario, invariants, None).await)
}
