//! The command line with the shop's functions linked in.

use std::process::ExitCode;

use handlers::compose::Clients;
use rehearse_aws::{Function, function::BuildError};

fn main() -> ExitCode {
    rehearse_cli::main("rehearse-shop", functions)
}

fn functions() -> Result<Vec<Function>, BuildError> {
    let clients = Clients::plain()?;
    let functions = handlers::functions().map(|function| {
        let clients = clients.clone();
        Function::new(function.id, move |vars| Ok((function.build)(vars, &clients)?))
    });
    Ok(functions.into())
}
