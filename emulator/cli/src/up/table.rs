//! What runs where, and what to export.

use std::fmt::Write as _;

use super::super::{
    app::App,
    exports::{self, export},
    project::{Project, by_kind},
};
use rehearse_control::Part;
use rehearse_scenario::report::{
    style::{BOLD, DIM, NAME, paint},
    text::count,
};
use rehearse_world::{Backend, World};

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
    ]
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
    for (name, value) in exports::environment(backend.settings(), world.endpoints()) {
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
