//! What every fake of rehearse stands on.
//!
//! - [`journal`]: the record of every exchange between a backend and its providers.
//! - [`clock`]: business time, which a scenario sets.
//! - [`faults`]: failures that a scenario asks for.
//! - [`matcher`]: what a value must be, in scenarios and model scripts alike.
//! - [`yaml`]: strict YAML whose errors point at a line with a caret; [`names`] knows which name was meant.
//! - [`table`]: what a database table is, as a template describes it.
//! - [`random`]: a generator whose numbers depend on its seed alone; [`errors`]: errors as one line of text.
//! - [`serve`]: accepts connections for every server; [`threads`]: the threads that worlds run on.

pub mod clock;
pub mod errors;
pub mod faults;
pub mod journal;
pub mod matcher;
pub mod names;
pub mod random;
pub mod serve;
pub mod table;
pub mod threads;
pub mod yaml;
