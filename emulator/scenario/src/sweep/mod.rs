//! One scenario becomes many: each exchange of its journal fails once in every way in which it can, and
//! what must hold whatever happens ([`Invariants`](crate::invariants::Invariants)) is judged in the end.
//!
//! A *trial* is one such run. Its steps run as they are written and their expectations are not judged: with
//! a failure, another reply or row may be right. After the last step every fault is cleared and business
//! time goes on, so that what is retried can come. Then the sentences are judged.

mod injection;
mod listing;
mod matrix;
mod report;
mod trial;

pub use self::{
    injection::{Injection, InjectionError, InjectionKind},
    listing::{LeftOut, Listing, injections},
    matrix::{Cell, Matrix, RedTrial},
    report::{html, json, terminal},
    trial::{Trial, TrialEnd},
};
