//! `rehearse init`: the files of a project, for a backend that is there.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    app::App,
    error::{CommandError, Exit},
    project::SETTINGS,
};
use rehearse_aws::template::{Settings, Template};
use rehearse_scenario as scenario;
use rehearse_world::ExternalBackend;

/// Names that the route of a webhook often has, the likeliest first.
const LIKELY: [&str; 6] = ["sms", "twilio", "webhook", "message", "text", "inbound"];

/// Names of templates, in the order in which SAM looks for them.
const TEMPLATES: [&str; 3] = ["template.yaml", "template.yml", "template.json"];

/// Write the files of a project for the backend in this folder
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Writes rehearse.toml, a first scenario, the schemas for your editor, and with --ci a workflow. A file that
is there already is left as it is.

Examples:
  rehearse init                                        beside a template.yaml of AWS SAM
  rehearse init --route /sms                           where several routes could be the webhook
  rehearse init --url http://127.0.0.1:3000/sms        a backend that you start yourself")]
pub(crate) struct Args {
    /// The webhook of a backend that you start yourself.
    #[arg(long, value_name = "URL", conflicts_with = "route")]
    url: Option<ExternalBackend>,
    /// The route of the template that Twilio calls.
    #[arg(long)]
    route: Option<String>,
    /// Write a workflow of GitHub Actions, too.
    #[arg(long)]
    ci: bool,
}

pub(crate) fn init(args: &Args, app: &App) -> Result<Exit, CommandError> {
    let folder = app.folder();
    let settings = match &args.url {
        Some(url) => by_url(url),
        None => by_template(folder, args.route.as_deref())?,
    };
    // What is written must be readable, whatever the route is.
    Settings::parse(SETTINGS, &settings).map_err(CommandError::wrong)?;
    let mut files = vec![
        (SETTINGS, settings),
        ("rehearse.schema.json", format!("{:#}\n", Settings::schema())),
        ("scenario.schema.json", format!("{:#}\n", scenario::schema())),
        ("scenarios/hello.yaml", SCENARIO.to_owned()),
    ];
    if args.ci {
        files.push((".github/workflows/rehearse.yml", WORKFLOW.to_owned()));
    }
    for (name, text) in files {
        let what = match write(&folder.join(name), &text) {
            Ok(true) => "wrote",
            Ok(false) => "kept",
            Err(error) => {
                let message = format!("failed to write {name}");
                return Err(CommandError::environment(message).because(error));
            }
        };
        app.ui.line(format_args!("{what} {name}"))?;
    }
    let next = match &args.url {
        Some(url) => format!("start the backend with what `{}` prints, then ", env_of(url, app)),
        None => String::new(),
    };
    app.ui.note(format_args!("next: {next}`{}`", app.command("run")));
    Ok(Exit::Passed)
}

fn env_of(url: &ExternalBackend, app: &App) -> String {
    app.command(&format!("env --target {url}"))
}

/// Writes a file that is not there. Returns whether it was not.
fn write(path: &Path, text: &str) -> io::Result<bool> {
    if path.exists() {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)?;
    Ok(true)
}

fn by_url(url: &ExternalBackend) -> String {
    let route = url.url().path();
    format!("{HEAD}\n[webhook]\nroute = \"{route}\"\nurl = \"{url}\"\n")
}

fn by_template(folder: &Path, named: Option<&str>) -> Result<String, CommandError> {
    let Some(name) = TEMPLATES.into_iter().find(|name| folder.join(name).is_file()) else {
        return Err(CommandError::wrong(format!("there is no {} here", TEMPLATES[0])).help(
            "run this beside the template of AWS SAM, or name the webhook of a backend that you \
             start yourself: `rehearse init --url http://127.0.0.1:3000/sms`",
        ));
    };
    let path: PathBuf = folder.join(name);
    let template = Template::read(&path).map_err(CommandError::wrong)?;
    let route = match named {
        Some(route) => route.to_owned(),
        None => webhook(&template)?,
    };
    let at = if name == TEMPLATES[0] { String::new() } else { format!("template = \"{name}\"\n") };
    Ok(format!("{HEAD}{at}\n[webhook]\nroute = \"{route}\"\n"))
}

/// The route that takes texts, as far as routes tell.
fn webhook(template: &Template) -> Result<String, CommandError> {
    let routes = template.functions.iter().flat_map(|function| &function.routes);
    let posts: Vec<&str> = routes
        .filter(|route| route.method == "POST" || route.method == "ANY")
        // Every path leads to a function URL, and to `$default`.
        .map(|route| if route.path == "$default" { "/" } else { route.path.as_str() })
        .filter(|path| !path.contains('{'))
        .collect();
    let likely = LIKELY
        .iter()
        .find_map(|word| posts.iter().find(|path| path.to_ascii_lowercase().contains(word)));
    match (likely, posts.as_slice()) {
        (Some(route), _) | (None, [route]) => Ok((*route).to_owned()),
        (None, []) => Err(CommandError::wrong("no route of the template takes a POST")
            .help("name the path that Twilio calls: `rehearse init --route /sms`")),
        (None, _) => Err(CommandError::wrong(format!(
            "several routes could be the one that Twilio calls: {}",
            posts.join(", ")
        ))
        .help("name it: `rehearse init --route /sms`")),
    }
}

const HEAD: &str = "#:schema ./rehearse.schema.json\n\
                    # What the template does not say. Every key: docs/rehearse-toml.md of rehearse.\n";

const SCENARIO: &str = "\
# yaml-language-server: $schema=../scenario.schema.json
name: A text is answered by what the model says
steps:
  - customer: \"Hello, are you open today?\"
    # What the model says when it is asked. Backends that ask none do without `model:`.
    model: [{ say: \"Yes, until six.\" }]
    reply: { contains: \"until six\" }
";

const WORKFLOW: &str = "\
name: rehearse
on: [push, pull_request]
jobs:
  scenarios:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      # How rehearse gets here is yours to say: it must be in PATH.
      - run: rehearse run --report junit=report.xml
";

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(routes: &[(&str, &str)]) -> Result<String, String> {
        let template = Template::default().with_routes("F", routes);
        webhook(&template).map_err(|error| error.texts().join("\n"))
    }

    #[test]
    fn the_webhook_is_the_likeliest_route_that_takes_a_post() {
        assert_eq!(chosen(&[("POST", "/orders"), ("POST", "/twilio/in")]).unwrap(), "/twilio/in");
        assert_eq!(chosen(&[("GET", "/sms"), ("POST", "/orders")]).unwrap(), "/orders");
        assert_eq!(chosen(&[("ANY", "$default")]).unwrap(), "/");
        let several = chosen(&[("POST", "/a"), ("POST", "/b")]).unwrap_err();
        assert!(several.contains("/a, /b"), "{several}");
        assert!(chosen(&[("GET", "/a")]).unwrap_err().contains("no route"));
    }
}
