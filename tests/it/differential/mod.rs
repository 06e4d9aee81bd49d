//! The same calls to the embedded engine and to DynamoDB Local: same results, same error codes,
//! same rows at the end, but for what [`known`] lists.
//!
//! 200 sequences by default, always the same ones. More, and others:
//! `REHEARSE_SEQUENCES=10000 REHEARSE_SEED=7 cargo test --test it differential`.

mod call;
mod compare;
mod known;
mod strategy;

use std::cell::Cell;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use self::{
    call::{CREATE, Call},
    compare::{Outcome, differs},
};
use crate::endpoint::{Embedded, Endpoint, Local};

/// Sequences that every run tries.
const SEQUENCES: u32 = 200;

/// Both engines, with the same tables.
struct Pair {
    embedded: Endpoint,
    local: Endpoint,
    runtime: tokio::runtime::Runtime,
    runs: Cell<u64>,
    _engine: Embedded,
    _container: Local,
}

impl Pair {
    /// Nothing, said aloud, where DynamoDB Local cannot be had.
    fn start() -> Option<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let container = runtime.block_on(Local::start())?;
        let local = container.endpoint();
        let engine = runtime.block_on(Embedded::start());
        let embedded = engine.endpoint();
        for endpoint in [&embedded, &local] {
            for table in CREATE.iter() {
                let (status, body) = runtime.block_on(endpoint.call("CreateTable", table));
                assert_eq!(status, 200, "{body}");
            }
        }
        Some(Self {
            embedded,
            local,
            runtime,
            runs: Cell::new(0),
            _engine: engine,
            _container: container,
        })
    }

    /// What both answer to each call of a sequence, and the rows at the end.
    fn run(&self, calls: &[Call]) -> Vec<(Outcome, Outcome)> {
        let mut outcomes = Vec::new();
        self.runtime.block_on(async {
            for endpoint in [&self.embedded, &self.local] {
                endpoint.empty(&call::KEYS).await;
            }
            // Engines remember tokens longer than a sequence takes.
            let run = self.runs.get();
            self.runs.set(run + 1);
            // A key of a read may come from an earlier answer: pages go on where one ended.
            let mut last = (serde_json::Value::Null, serde_json::Value::Null);
            for call in calls {
                let (request, same) = (call.request(&last.0, run), call.request(&last.1, run));
                let embedded =
                    Outcome::of(call, self.embedded.call(call.operation, &request).await);
                let local = Outcome::of(call, self.local.call(call.operation, &same).await);
                last = (embedded.last_key(), local.last_key());
                outcomes.push((embedded, local));
            }
            for table in call::TABLES {
                let rows = (self.embedded.rows(table).await, self.local.rows(table).await);
                outcomes.push((Outcome::rows(rows.0), Outcome::rows(rows.1)));
            }
        });
        outcomes
    }

    /// The first difference that is not known, in words.
    fn difference(&self, calls: &[Call]) -> Option<String> {
        for (index, (embedded, local)) in self.run(calls).into_iter().enumerate() {
            let Some(what) = differs(&embedded, &local) else { continue };
            let call = calls.get(index);
            match known::explains(call, &embedded, &local) {
                Some(known) if known.goes_on => continue,
                // From here on they may have other rows.
                Some(_) => return None,
                None => {}
            }
            let at = call.map_or("the rows at the end".into(), |call| {
                format!("call {}, {}", index + 1, call.operation)
            });
            return Some(format!("{at}: {what}"));
        }
        None
    }
}

/// The calls as somebody types them, after the tables.
fn lines(calls: &[Call]) -> String {
    let tables = CREATE.iter().map(|table| call::line("CreateTable", table));
    let calls = calls.iter().map(|call| call::line(call.operation, &call.shown()));
    tables.chain(calls).collect::<Vec<_>>().join("\n")
}

fn number<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

#[test]
fn both_engines_answer_alike() {
    let Some(pair) = Pair::start() else { return };
    let cases = number("REHEARSE_SEQUENCES").unwrap_or(SEQUENCES);
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number::<u64>("REHEARSE_SEED").unwrap_or(0).to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let config =
        Config { cases, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let result = runner.run(&strategy::sequence(), |calls| match pair.difference(&calls) {
        None => Ok(()),
        Some(difference) => Err(TestCaseError::fail(difference)),
    });
    match result {
        Ok(()) => println!("{cases} sequences answered alike"),
        Err(TestError::Fail(reason, calls)) => panic!("{reason}\n\n{}\n", lines(&calls)),
        Err(error) => panic!("{error}"),
    }
}

/// An entry that no longer differs is a bug that was mended: take it off the list.
#[test]
fn known_differences_still_differ() {
    let Some(pair) = Pair::start() else { return };
    for known in &known::ALL {
        let calls = (known.calls)();
        let outcomes = pair.run(&calls);
        let seen = outcomes.iter().enumerate().any(|(index, (embedded, local))| {
            differs(embedded, local).is_some()
                && (known.explains)(calls.get(index), embedded, local)
        });
        assert!(
            seen,
            "`{}` no longer differs, or differs otherwise; take it off the list.\n{}\n{outcomes:#?}",
            known.name,
            lines(&calls)
        );
        assert!(!known.reason.is_empty() && known.right.starts_with("https://"), "{}", known.name);
    }
}

#[test]
fn a_difference_is_told_as_commands() {
    let call = Call::new(
        "GetItem",
        serde_json::json!({ "TableName": "Pairs", "Key": { "pk": { "S": "it's" } } }),
    );
    let line = call::line(call.operation, &call.shown());
    assert_eq!(
        line,
        r#"aws dynamodb get-item --cli-input-json '{"TableName":"Pairs","Key":{"pk":{"S":"it'\''s"}}}'"#
    );
}
