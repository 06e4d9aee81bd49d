//! What `up` prints: the parts with their addresses. What to export is for `env` to say.

use std::fmt::Write as _;

use crate::{
    app::App,
    project::{Project, by_kind},
    running,
};
use rehearse_control::Part;
use rehearse_scenario::report::style::{BOLD, DIM, NAME, paint};
use rehearse_world::{Backend, World};

/// The whole text, but for the last line.
pub(crate) fn table(
    project: &Project,
    backend: &Backend,
    world: &World,
    control: &str,
    app: &App,
) -> String {
    let mut text =
        format!("{}\n\n", paint(BOLD, format!("rehearse {}", env!("CARGO_PKG_VERSION"))));
    let mut parts = running::parts(project, backend, world);
    let about = format!("the console; also for {}", app.command("send, log, reset, env"));
    parts.push(Part { name: "control".into(), url: control.into(), about });
    let name_width = parts.iter().map(|part| part.name.len()).max().unwrap_or(0);
    let url_width = parts.iter().map(|part| part.url.len()).max().unwrap_or(0);
    for part in &parts {
        let (name, url) = (paint(BOLD, &part.name), paint(NAME, &part.url));
        let about = paint(DIM, &part.about);
        let _ = writeln!(text, "  {name:<name_width$}  {url:<url_width$}  {about}");
    }
    let env = format!("eval \"$({})\"", app.command("env"));
    let _ = writeln!(
        text,
        "\n  {}  {}",
        paint(NAME, env),
        paint(DIM, "what a shell needs to call them")
    );
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
