//! The invariants of booking, each a property with its sentence, over arbitrary shops.
//!
//! `PROPTEST_CASES=10000 cargo test -p handlers properties` tries more of each than the usual 256. What
//! fails is kept in `tests/proptest-regressions`, and tried first from then on.

mod calendar;
mod form;
mod histories;
mod history;
mod machine;
mod model;
mod reference;
mod routers;
mod script;
mod shops;
mod wishes;
