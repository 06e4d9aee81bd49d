//! `rehearse db load`

use std::{
    collections::{BTreeMap, HashSet},
    io::Read as _,
    path::{Path, PathBuf},
};

use super::batches::{self, BATCH, Item};
use crate::{
    app::App,
    control::ControlArgs,
    error::{CommandError, Exit},
};
use rehearse_control::{Client, Written};
use rehearse_scenario::report::text::count;

/// Write rows that were dumped; others stay as they are
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Everything is read and checked before the first row is written.

Examples:
  rehearse db load rows.json
  rehearse db load rows            a folder of batches
  rehearse db dump --control http://127.0.0.1:5040 | rehearse db load -")]
pub(crate) struct Args {
    /// Dumps, batches, or folders of them; `-` is the standard input.
    #[arg(value_name = "PATHS", required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    control: ControlArgs,
}

pub(crate) fn load(args: Args, app: &App) -> Result<Exit, CommandError> {
    let mut tables: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    for (name, text) in texts(&args.paths, app)? {
        let read = batches::parse(&text);
        let read = read.map_err(|error| {
            CommandError::wrong(format!("failed to read {name}"))
                .because(error)
                .help("nothing was loaded; dump again, or get the whole file")
        })?;
        for (table, items) in read {
            tables.entry(table).or_default().extend(items);
        }
    }
    let client = Client::new(&args.control.url(app)?)?;
    app.block_on(async {
        let mut seen = HashSet::new();
        for check_only in [true, false] {
            for (table, items) in &tables {
                for batch in items.chunks(BATCH) {
                    let Written { table, keys } =
                        client.put_items(table, batch, check_only).await?;
                    let again = keys
                        .into_iter()
                        .find(|key| check_only && !seen.insert((table.clone(), key.clone())));
                    if let Some(key) = again {
                        return Err(twice(&table, &key));
                    }
                }
            }
        }
        Ok::<_, CommandError>(())
    })??;
    let rows = tables.values().map(Vec::len).sum();
    app.ui.line(format_args!(
        "loaded {} into {}",
        count(rows, "row"),
        count(tables.len(), "table")
    ))?;
    Ok(Exit::Passed)
}

fn twice(table: &str, key: &[String]) -> CommandError {
    CommandError::wrong(format!("two rows of {table} have the key {}", key.join(" / ")))
        .help("nothing was loaded; a row would be lost, so take one of them out")
}

/// Every file with its text.
fn texts(paths: &[PathBuf], app: &App) -> Result<Vec<(String, String)>, CommandError> {
    let mut texts = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            let mut text = String::new();
            let read = app.ui.input().read_to_string(&mut text);
            read.map_err(|e| CommandError::wrong("failed to read the input").because(e))?;
            texts.push(("the input".into(), text));
            continue;
        }
        for file in files(&app.root.join(path))? {
            let text = std::fs::read_to_string(&file).map_err(|e| failed(&file, e))?;
            texts.push((file.display().to_string(), text));
        }
    }
    Ok(texts)
}

/// The file, or those of the folder in order.
fn files(path: &Path) -> Result<Vec<PathBuf>, CommandError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).map_err(|e| failed(path, e))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|file| file.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(CommandError::wrong(format!("no .json file is in {}", path.display())));
    }
    Ok(files)
}

fn failed(path: &Path, error: std::io::Error) -> CommandError {
    CommandError::wrong(format!("failed to read {}", path.display())).because(error)
}
