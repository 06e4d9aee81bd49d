//! Hands the backend's functions to the emulator's command line.

use std::process::ExitCode;

use handlers::compose::Clients;

fn main() -> ExitCode {
    if let Some(code) = emulator::cli::child() {
        return code;
    }
    let clients = match Clients::plain() {
        Ok(clients) => clients,
        Err(error) => {
            eprintln!("error: failed to build the HTTP clients: {error}");
            return ExitCode::from(3);
        }
    };
    let functions = handlers::functions().map(|function| {
        let clients = clients.clone();
        emulator::Function::new(function.id, move |vars| Ok((function.build)(vars, &clients)?))
    });
    emulator::cli::main(functions.into())
}
