//! What runs where, and what to export.

use std::{collections::BTreeMap, fmt::Write as _};

use jiff::tz::TimeZone;

use super::super::{
    app::App,
    env::export,
    project::{Project, by_kind},
};
use crate::{
    control::Part,
    report::{
        style::{BOLD, DIM, NAME, paint},
        text::count,
    },
    world::{Backend, World},
};

/// The parts of a world with their addresses.
pub(super) fn parts(project: &Project, world: &World) -> Vec<Part> {
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
    vec![
        part(
            "gateway",
            &endpoints.gateway,
            format!("texts go to {}", project.settings.webhook.route.as_str()),
        ),
        part("twilio", &endpoints.twilio, format!("the shop's number is {number}")),
        part("openai", &endpoints.openai, model),
        part("dynamodb", &endpoints.dynamodb, count(world.database().tables().len(), "table")),
        part(
            "secrets",
            &endpoints.secrets,
            format!("keeps {}", count(project.settings.secrets.len(), "secret")),
        ),
    ]
}

/// What points SDKs of this shell at the world.
pub(super) fn environment(project: &Project, world: &World) -> BTreeMap<String, String> {
    let endpoints = world.endpoints();
    // A shell is no function: its calls go to the plain endpoint.
    let of_function = format!("{}/fn/", endpoints.dynamodb);
    let mut environment: BTreeMap<String, String> = project
        .settings
        .environment(endpoints, "")
        .into_iter()
        .map(|(name, value)| {
            let plain = value == of_function;
            (name, if plain { endpoints.dynamodb.clone() } else { value })
        })
        .collect();
    environment.extend(project.settings.exports(endpoints));
    // The AWS CLI and boto3 read this name alone; the other SDKs read AWS_REGION.
    if let Some(region) = environment.get("AWS_REGION").cloned() {
        environment.entry("AWS_DEFAULT_REGION".into()).or_insert(region);
    }
    // So that no AWS command reaches the real cloud by mistake.
    environment.insert("AWS_ENDPOINT_URL".into(), endpoints.dynamodb.clone());
    environment
}

/// Where the shop is: the first time zone that a function's environment names.
pub(super) fn time_zone(world: &World) -> String {
    let variables = world.environments().values().flatten();
    let named = |(name, value): (&String, &String)| {
        let about_zone = name.ends_with("TIMEZONE") || name.ends_with("TIME_ZONE") || name == "TZ";
        (about_zone && TimeZone::get(value).is_ok()).then(|| value.clone())
    };
    variables.filter_map(named).next().unwrap_or_else(|| "UTC".into())
}

/// The whole text, but for the last line.
pub(super) fn table(
    project: &Project,
    backend: &Backend,
    world: &World,
    control: &str,
    app: &App,
) -> String {
    let mut text =
        format!("{}\n\n", paint(BOLD, format!("rehearse {}", env!("CARGO_PKG_VERSION"))));
    let mut parts = parts(project, world);
    let about = format!("for {}", app.command("send, log, reset, env"));
    parts.push(Part { name: "control".into(), url: control.into(), about });
    let name_width = parts.iter().map(|part| part.name.len()).max().unwrap_or(0);
    let url_width = parts.iter().map(|part| part.url.len()).max().unwrap_or(0);
    for part in &parts {
        let (name, url) = (paint(BOLD, &part.name), paint(NAME, &part.url));
        let about = paint(DIM, &part.about);
        let _ = writeln!(text, "  {name:<name_width$}  {url:<url_width$}  {about}");
    }
    text.push('\n');
    for (name, value) in environment(project, world) {
        let _ = writeln!(text, "  {}", export(&name, &value));
    }
    let ignored: Vec<String> = by_kind(&backend.template().ignored)
        .into_iter()
        .map(|(kind, of_kind)| {
            let ids: Vec<&str> = of_kind.iter().map(|ignored| ignored.id.as_str()).collect();
            format!("{kind} ({})", ids.join(", "))
        })
        .collect();
    if !ignored.is_empty() {
        let _ = writeln!(
            text,
            "\n  {} {}",
            paint(DIM, "not emulated:"),
            paint(DIM, ignored.join(", "))
        );
    }
    text
}
