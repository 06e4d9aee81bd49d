//! `rehearse db dump`

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use super::batches;
use crate::{
    app::App,
    control::ControlArgs,
    error::{CommandError, Exit},
};
use rehearse_control::Client;
use rehearse_scenario::report::text::count;

/// Print the rows, as `aws dynamodb batch-write-item` reads them
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Each line of the list is one batch of at most 25 rows, as --request-items takes it.

Examples:
  rehearse db dump > rows.json
  rehearse db dump Leads Schedule
  rehearse db dump --dir rows
  for batch in rows/*.json; do aws dynamodb batch-write-item --request-items file://$batch; done")]
pub(crate) struct Args {
    /// Tables by logical id or name; all when left out.
    #[arg(value_name = "TABLES")]
    tables: Vec<String>,
    /// Write a file for each batch into this folder, which must be empty or new.
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    control: ControlArgs,
}

pub(crate) fn dump(args: Args, app: &App) -> Result<Exit, CommandError> {
    let client = Client::new(&args.control.url(app)?)?;
    let tables = app.block_on(async {
        let mut wanted = args.tables.clone();
        if wanted.is_empty() {
            wanted = client.endpoints().await?.tables.into_values().collect();
            wanted.sort();
        }
        let mut tables = Vec::new();
        for table in &wanted {
            tables.push(client.items(table).await?);
        }
        Ok::<_, CommandError>(tables)
    })??;
    if let Some(folder) = &args.dir {
        let folder = app.root.join(folder);
        let mut written = 0;
        empty(&folder)?;
        for table in &tables {
            for (n, batch) in batches::of_table(&table.name, &table.items).iter().enumerate() {
                let path = folder.join(format!("{}.{:05}.json", table.name, n + 1));
                std::fs::write(&path, format!("{batch}\n")).map_err(|e| failed(&path, e))?;
                written += 1;
            }
        }
        app.ui.note(format_args!("{} in {}", count(written, "file"), folder.display()));
        return Ok(Exit::Passed);
    }
    let all = tables.iter().flat_map(|table| batches::of_table(&table.name, &table.items));
    let mut text = String::from("[");
    for (n, batch) in all.enumerate() {
        let _ = write!(text, "{}{batch}", if n == 0 { "\n" } else { ",\n" });
    }
    app.ui.line(format_args!("{text}\n]"))?;
    Ok(Exit::Passed)
}

/// Makes the folder; what stands in it already might be taken for a part of the dump.
fn empty(folder: &Path) -> Result<(), CommandError> {
    std::fs::create_dir_all(folder).map_err(|e| failed(folder, e))?;
    let mut there = std::fs::read_dir(folder).map_err(|e| failed(folder, e))?;
    if there.next().is_some() {
        return Err(CommandError::wrong(format!("the folder {} is not empty", folder.display()))
            .help("name a new one, so that old batches are not taken for new ones"));
    }
    Ok(())
}

fn failed(path: &Path, error: std::io::Error) -> CommandError {
    CommandError::environment(format!("failed to write {}", path.display())).because(error)
}
