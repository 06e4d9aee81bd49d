//! One module per subcommand: its arguments and the function that runs it. Commands do not use each
//! other; what several of them need is a module beside this folder.

pub(crate) mod bench;
pub(crate) mod chat;
pub(crate) mod check;
pub(crate) mod clock;
pub(crate) mod completions;
pub(crate) mod coverage;
pub(crate) mod db;
pub(crate) mod doctor;
pub(crate) mod env;
pub(crate) mod exec;
pub(crate) mod explore;
pub(crate) mod fault;
pub(crate) mod iam;
pub(crate) mod init;
pub(crate) mod log;
pub(crate) mod man;
pub(crate) mod ready;
pub(crate) mod record;
pub(crate) mod reset;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod script;
pub(crate) mod send;
pub(crate) mod snapshot;
pub(crate) mod up;
