//! A scenario's world before its first step.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{Timestamp, Zoned, tz::TimeZone};
use serde_json::Value;

use super::{People, Running, StepError, trial::DeliveredTexts};
use crate::{
    document::{DEFAULT_NOW, Number, NumberKind, WebhookMethod},
    expectation::{Expect, Table},
    model::Scenario,
    outcome::Problem,
    places::YamlPath,
    step::Step,
    time::Moment,
};
use rehearse_aws::template::Settings;
use rehearse_core::{clock::Clock, matcher::Vars};
use rehearse_twilio::{self as twilio, Twilio};
use rehearse_world::{Backend, World, WorldConfig, WorldError};

/// The names of a scenario before its first step, and the time at which it starts.
pub(crate) struct Names {
    pub(crate) people: People,
    pub(crate) vars: Vars,
    pub(crate) clock: Clock,
    pub(crate) zone: TimeZone,
}

/// Fills in people, the entry of `each`, and the time.
///
/// A shared world keeps its own time and zone.
pub(crate) fn names(
    scenario: &Scenario,
    settings: &Settings,
    world: Option<&World>,
) -> Result<Names, StepError> {
    let file = scenario.file();
    let people = People::of(settings, &file.document.people);
    let clock = world.map_or_else(|| Clock::stopped(Timestamp::UNIX_EPOCH), |w| w.clock().clone());
    let set = |vars: &Vars| {
        vars.set("shop", Value::from(settings.twilio.number.as_str()));
        for (name, number) in people.iter() {
            vars.set(name, Value::from(number));
        }
        for (name, value) in scenario.values() {
            vars.set(name, value.clone());
        }
    };
    // `now` may use people and values, but no date: there is none before it.
    let before = Vars::new(clock.clone(), TimeZone::UTC);
    set(&before);
    let zone = match world {
        Some(world) => world.time_zone(),
        None => {
            let start = now(scenario, settings, &before)?;
            clock.set(start.timestamp());
            start.time_zone().clone()
        }
    };
    let vars = Vars::new(clock.clone(), zone.clone());
    set(&vars);
    for (name, value) in scenario.values() {
        let value = vars.render(value).map_err(|error| {
            StepError::template(&error, file.location(&YamlPath::new().to("each")))
        })?;
        vars.set(name, value);
    }
    Ok(Names { people, vars, clock, zone })
}

fn now(scenario: &Scenario, settings: &Settings, vars: &Vars) -> Result<Zoned, StepError> {
    let file = scenario.file();
    let location = || file.location(&YamlPath::new().to("now"));
    let Some(own) = file.document.now.as_ref() else {
        let text = settings.defaults.now.as_deref().unwrap_or(DEFAULT_NOW);
        let wrong = |why| format!("[defaults] now in rehearse.toml: {why}");
        return Moment::parse(text).map_err(|why| StepError::broken(wrong(why), location()));
    };
    let text = own.as_str();
    let text = vars.text(text).map_err(|error| StepError::template(&error, location()))?;
    Moment::parse(&text).map_err(|message| StepError::broken(message, location()))
}

impl<'s> Running<'s> {
    /// Starts the scenario's world, or resets the shared one, and writes the rows that are given. Functions
    /// get the variables of `defaults` unless the scenario gives them others.
    pub(crate) async fn start(
        scenario: &'s Scenario,
        backend: &Backend,
        shared: Option<Arc<World>>,
        names: Names,
        seed: Option<u64>,
        defaults: &BTreeMap<String, String>,
    ) -> Result<Self, StepError> {
        let file = scenario.file();
        let given = scenario.given();
        let mut environment = defaults.clone();
        for (name, value) in &given.env {
            let location =
                || file.location(&YamlPath::new().to("given").to("env").to(name.as_str()));
            let value = names.vars.text(value).map_err(|e| StepError::template(&e, location()))?;
            environment.insert(name.clone(), value);
        }
        let config = WorldConfig {
            environment,
            seed: seed.unwrap_or(0),
            ..WorldConfig::new(backend.clone(), names.clock.clone())
        };
        let failed = |error: WorldError| StepError::Environment(error.with_causes());
        let world = match shared {
            None => Arc::new(World::start(config).await.map_err(failed)?),
            Some(world) => {
                world.reset().await.map_err(failed)?;
                world.journal().clear();
                world
            }
        };
        world.faults().seed(seed.unwrap_or(0));
        // `{{ env.ADMIN_TOKEN }}`: what the functions were given, the same name for all of them.
        let mut all = backend.settings().exports(world.endpoints());
        all.extend(world.environments().values().flatten().map(|(k, v)| (k.clone(), v.clone())));
        names.vars.set("env", all.into_iter().map(|(k, v)| (k, Value::from(v))).collect());
        configure(world.twilio(), &given.twilio, &world.endpoints().gateway);
        let mut running = Self {
            scenario,
            world,
            web: backend.web().clone(),
            people: names.people,
            vars: names.vars,
            zone: names.zone,
            at_start: BTreeMap::new(),
            armed: Vec::new(),
            seed,
            texts: DeliveredTexts::default(),
        };
        running.put(backend).await?;
        running.remember().await?;
        Ok(running)
    }

    /// Writes the rows of fixtures, then those of the scenario.
    async fn put(&self, backend: &Backend) -> Result<(), StepError> {
        let given = self.scenario.given();
        for (index, name) in self.scenario.fixtures(backend.settings()).iter().enumerate() {
            let path = YamlPath::new().to("given").to("fixtures").to(index);
            let rows = backend
                .fixture(name)
                .map_err(|error| StepError::broken(error.to_string(), self.location(&path)))?;
            for (table, rows) in rows.iter() {
                self.rows(table, rows, |_| path.clone()).await?;
            }
        }
        for (table, rows) in &given.tables {
            let rows: Vec<Value> = rows.iter().cloned().map(Value::Object).collect();
            self.rows(table, &rows, |row| {
                YamlPath::new().to("given").to("tables").to(table.as_str()).to(row)
            })
            .await?;
        }
        Ok(())
    }

    async fn rows(
        &self,
        table: &str,
        rows: &[Value],
        path: impl Fn(usize) -> YamlPath,
    ) -> Result<(), StepError> {
        for (index, row) in rows.iter().enumerate() {
            let location = || self.location(&path(index));
            let row = self.vars.render(row).map_err(|e| StepError::template(&e, location()))?;
            self.world.database().put_rows(table, &[row]).await.map_err(|error| {
                StepError::Broken(Box::new(Problem {
                    notes: std::error::Error::source(&error)
                        .map(ToString::to_string)
                        .into_iter()
                        .collect(),
                    ..Problem::new(error.to_string()).at(location())
                }))
            })?;
        }
        Ok(())
    }

    /// Keeps the rows of every table that some expectation compares with the start.
    async fn remember(&mut self) -> Result<(), StepError> {
        let steps = self.scenario.steps().iter();
        let expected = steps.filter_map(Step::expectation);
        let all = expected.chain(self.scenario.always()).flat_map(compared);
        for table in all {
            if !self.at_start.contains_key(table) {
                let rows = self.world.database().rows(table).await;
                let rows = rows.map_err(|error| StepError::Environment(error.to_string()))?;
                self.at_start.insert(table.clone(), rows);
            }
        }
        Ok(())
    }
}

/// The tables that an expectation compares with the start.
fn compared(expect: &Expect) -> impl Iterator<Item = &String> {
    let tables = expect.tables.iter();
    tables.filter(|(_, table)| !matches!(table, Table::Whole(_))).map(|(name, _)| name)
}

/// Configures the number as `given.twilio` asks, and its Messaging Service, which may take its texts.
fn configure(twilio: &Twilio, number: &Number, gateway: &str) {
    let url =
        |path: &str| if path.starts_with('/') { format!("{gateway}{path}") } else { path.into() };
    let set_fallback = |fallback: &mut Option<String>| match number.fallback.as_deref() {
        None => {}
        Some("none") => *fallback = None,
        Some(path) => *fallback = Some(url(path)),
    };
    let set_method = |method: &mut twilio::Method| match number.method {
        None => {}
        Some(WebhookMethod::Get) => *method = twilio::Method::Get,
        Some(WebhookMethod::Post) => *method = twilio::Method::Post,
    };
    let set_overrides = |urls: [&mut Option<String>; 2]| {
        let Some(overrides) = &number.overrides else { return };
        for url in urls.into_iter().flatten() {
            let bare = url.split('#').next().unwrap_or_default();
            *url = format!("{bare}{overrides}");
        }
    };
    twilio.configure(|config| {
        config.kind = match number.kind {
            NumberKind::Local => twilio::NumberKind::Local,
            NumberKind::TollFree => twilio::NumberKind::TollFree,
        };
        set_fallback(&mut config.fallback_url);
        if let Some(path) = &number.status_callback {
            config.status_callback = Some(url(path));
        }
        set_method(&mut config.webhook_method);
        set_overrides([&mut config.webhook_url, &mut config.fallback_url]);
        if number.advanced_opt_out {
            config.advanced_opt_out = true;
            // One of the settings is kept.
            config.messaging_service_sid.get_or_insert_with(|| format!("MG{:032x}", 1));
        }
    });
    twilio.configure_service(|service| {
        set_fallback(&mut service.fallback_url);
        // A service's callback goes before its number's.
        if let (Some(callback), Some(path)) =
            (&mut service.status_callback, &number.status_callback)
        {
            *callback = url(path);
        }
        set_method(&mut service.inbound_method);
        set_overrides([&mut service.inbound_request_url, &mut service.fallback_url]);
    });
}
