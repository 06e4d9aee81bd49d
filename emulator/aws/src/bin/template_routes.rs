//! What rehearse reads of templates, a line of JSON each, for `scripts/templates` to compare with what SAM makes of
//! them: paths come from the standard input, a line each.

use std::{collections::BTreeMap, io, io::Write as _, path::Path};

use rehearse_aws::template::{Function, Template};
use serde_json::{Value, json};

fn main() -> io::Result<()> {
    let mut output = io::stdout().lock();
    for line in io::stdin().lines() {
        writeln!(output, "{}", read(Path::new(&line?)))?;
    }
    Ok(())
}

/// The routes of a template, or why it is refused.
fn read(path: &Path) -> Value {
    match Template::read_tables(path, &BTreeMap::new(), &BTreeMap::new()) {
        Ok(template) => {
            let routes: Vec<Value> = template.functions.iter().flat_map(routes).collect();
            json!({ "routes": routes, "functions": template.functions.len() })
        }
        Err(error) => json!({ "error": error.to_string() }),
    }
}

fn routes(function: &Function) -> Vec<Value> {
    // A function URL is no route of an API.
    let own = function.url.as_ref().map(|url| &url.api);
    let routes = function.routes.iter().filter(|route| Some(&route.api) != own);
    routes.map(|route| json!([route.api, route.method, route.path, function.id])).collect()
}
