//! `rehearse iam`

use std::fmt::Write as _;

use crate::{
    app::App,
    error::{CommandError, Exit},
    journals::JournalArgs,
    project::Project,
};
use rehearse_aws::{
    iam::{self, Finding, PermissionUse, Usage},
    template::{Template, UncheckedPolicy},
};
use rehearse_scenario::report::{
    style::{BAD, DIM, GOOD, NAME, paint},
    text::count,
};

/// Compare the permissions that functions used with those that the template grants
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Runs every scenario quietly, or reads the journals of a run that was:
  rehearse run --report json=run.json --report-journal
  rehearse iam --report run.json

Exit code 1: a permission is missing, one is granted that nothing used, or a policy cannot be
compared. With --json these are told on the standard error.")]
pub(crate) struct Args {
    /// Print the smallest sufficient policy of each function as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    journals: JournalArgs,
}

pub(crate) fn iam(args: Args, app: &App) -> Result<Exit, CommandError> {
    let project = Project::find(app)?;
    let mut usage = Usage::default();
    let external = |backend| {
        CommandError::wrong(format!(
            "the calls of {backend} do not say which of its functions made them"
        ))
        .help("permissions are compared for each function: use --target in-process or lambda")
    };
    args.journals.read(&project, app, external, |journal| usage.add(journal))?;
    if usage.is_empty() {
        return Err(CommandError::wrong("no function used a database or a secret").help(
            "an endpoint URL must name its function: AWS_ENDPOINT_URL_DYNAMODB = \
             \"{dynamodb}/fn/{function}\" in rehearse.toml",
        ));
    }
    let template = project.template()?;
    let rows = iam::compare(&usage, &template);
    let file = project.root.join(&project.settings.template);
    let mut wrong = findings(&rows, &file.display().to_string());
    wrong.extend(unread(&template, &file.display().to_string()));
    if args.json {
        app.ui.line(format!("{:#}", iam::minimal_policies(&usage)))?;
        wrong.iter().for_each(|line| app.ui.note(line));
        return Ok(if wrong.is_empty() { Exit::Passed } else { Exit::Failed });
    }
    app.ui.line(table(&rows).trim_end())?;
    for line in &wrong {
        app.ui.line(line)?;
    }
    if wrong.is_empty() {
        let all = count(rows.len(), "permission");
        app.ui.line(format_args!("\n{} {all}, each granted and used", paint(GOOD, "ok")))?;
        return Ok(Exit::Passed);
    }
    Ok(Exit::Failed)
}

/// A line for each permission.
fn table(rows: &[PermissionUse]) -> String {
    let width =
        |of: fn(&PermissionUse) -> &str| rows.iter().map(|row| of(row).len()).max().unwrap_or(0);
    let function = width(|row| &row.permission.function);
    let action = width(|row| &row.permission.action);
    let resource = width(|row| &row.permission.resource);
    let mut text = String::new();
    let head = format!(
        "{:function$}  {:action$}  {:resource$}  {:>6}  granted",
        "function", "action", "resource", "used"
    );
    let _ = writeln!(text, "{}", paint(DIM, head));
    for row in rows {
        let permission = &row.permission;
        let granted = match (row.granted, row.finding()) {
            (Some(line), None) => format!("line {line}"),
            (Some(line), Some(_)) => format!("line {line}, {}", paint(BAD, "unused")),
            (None, _) => paint(BAD, "missing").to_string(),
        };
        let _ = writeln!(
            text,
            "{}  {:action$}  {:resource$}  {:>6}  {granted}",
            paint(NAME, format!("{:function$}", permission.function)),
            permission.action,
            permission.resource,
            row.used,
        );
    }
    text
}

fn findings(rows: &[PermissionUse], file: &str) -> Vec<String> {
    rows.iter()
        .filter_map(|row| {
            let used = &row.permission;
            let (function, action, resource) = (&used.function, &used.action, &used.resource);
            Some(match (row.finding()?, row.granted) {
                (Finding::Extra, Some(line)) => format!(
                    "{file}:{line}: {function} may {action} on {resource}, which no scenario uses"
                ),
                _ => {
                    format!("{file}: {function} uses {action} on {resource}, which nothing grants")
                }
            })
        })
        .collect()
}

/// What a role gets from elsewhere, and what only AWS can judge.
fn unread(template: &Template, file: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for function in &template.functions {
        for UncheckedPolicy { what, why, line, .. } in iam::unchecked_policies(function) {
            let id = &function.id;
            lines.push(match why {
                Some(why) => {
                    format!("{file}:{line}: {id} has {what} that cannot be compared: {why}")
                }
                None => {
                    format!(
                        "{file}:{line}: {id} has {what}: write its statements into the template"
                    )
                }
            });
        }
    }
    lines
}
