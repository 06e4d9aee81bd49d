//! The store in memory, on which properties and simulation stand, answers as the real one on the
//! embedded database does.
//!
//! Random sequences of the port's operations are played on both, with few customers, slots, texts
//! and holders, stale versions and claims that have ended, so that most of them meet. Every answer is
//! compared, and what can be read at the end. `PROPTEST_CASES` plays more than the usual 32
//! sequences; what fails is kept in `tests/proptest-regressions` and tried first from then on.
//!
//! Left out is what the store in memory does not have: the transactions' tokens, by which the
//! database knows a repeat of the same request (each operation has a token of its own here, and the
//! repeats of the SDK are in `store_races`). Of a customer's data only the keys of the rows are
//! compared, and of holds not their order.

mod answers;
mod operation;
mod resolve;
mod strategies;

use handlers::ports::Store;
use memory_ports::FakeStore;
use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError},
};

use self::{answers::answer, operation::Operation};
use crate::{store::Lab, suite};

/// Sequences that every change is tried with.
const CASES: u32 = 32;
/// Most operations of a sequence: forty on average.
const MOST_OPERATIONS: usize = 80;

fn config() -> Config {
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    Config { cases: wanted.unwrap_or(CASES), max_shrink_iters: 2_000, ..Config::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn both_stores_answer_alike(
        operations in prop::collection::vec(strategies::operation(), 1..=MOST_OPERATIONS),
    ) {
        // Scenarios of deadlines do not run beside it.
        let _lock = suite::lock();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(operations))?;
    }
}

async fn play(operations: Vec<Operation>) -> Result<(), TestCaseError> {
    let (lab, memory) = (Lab::start().await, FakeStore::default());
    let real: &dyn Store = &lab.store;
    let reads = operation::every_read();
    for (at, operation) in operations.into_iter().chain(reads).enumerate() {
        let operation = resolve::resolve(operation, real, at).await;
        let (expected, found) = (answer(real, &operation).await, answer(&memory, &operation).await);
        prop_assert!(
            found == expected,
            "operation {at}, {operation:#?}\nin the database: {expected}\nin memory: {found}"
        );
    }
    Ok(())
}
