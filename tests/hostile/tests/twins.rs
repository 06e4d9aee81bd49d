//! Each target with what is in its corpus, with changes of it, and with any bytes: what the fuzzers do
//! at length.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail their test")]

use std::path::{Path, PathBuf};

use hostile::{TARGETS, run};
use proptest::{prelude::*, sample::Index, test_runner::TestRunner};

/// Longest input that libFuzzer is allowed as well.
const MAX_LEN: usize = 4096;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files of a target's corpus, in the order of their names.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = repository().join("fuzz/corpus").join(target);
    let entries = std::fs::read_dir(&folder);
    let entries = entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// One change of an input.
#[derive(Debug, Clone)]
enum Change {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize, usize),
    /// The end of another input.
    Splice(Index, Index, Index),
}

/// Bytes that mean something in one of the formats.
const WORDS: [&str; 24] = [
    "%", "%00", "%FF", "&", "=", "\"", "'", "{", "}", "[", "]", ":", ",", "<", ">", "\\u0000",
    "- ", "\n", "!Ref ", "{{", "null", "-1", "1e999", "\u{202e}",
];

fn any_change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    let word = proptest::sample::select(WORDS.to_vec()).prop_map(|word| word.as_bytes().to_vec());
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (at(), word).prop_map(|(at, word)| Change::Insert(at, word)),
        (at(), proptest::collection::vec(any::<u8>(), 1..8))
            .prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (at(), 1usize..40).prop_map(|(at, count)| Change::Remove(at, count)),
        (at(), 1usize..40, 2usize..60)
            .prop_map(|(at, length, times)| Change::Repeat(at, length, times)),
        (at(), at(), at()).prop_map(|(at, other, from)| Change::Splice(at, other, from)),
    ]
}

fn change(input: &mut Vec<u8>, change: &Change, corpus: &[Vec<u8>]) {
    let place = |at: &Index, bytes: &[u8]| at.index(bytes.len() + 1);
    match change {
        Change::Set(at, byte) => {
            let at = place(at, input);
            if let Some(old) = input.get_mut(at) {
                *old = *byte;
            }
        }
        Change::Insert(at, bytes) => {
            let at = place(at, input);
            input.splice(at..at, bytes.iter().copied());
        }
        Change::Remove(at, count) => {
            let at = place(at, input);
            input.drain(at..(at + count).min(input.len()));
        }
        Change::Repeat(at, length, times) => {
            let at = place(at, input);
            let part = input[at..(at + length).min(input.len())].repeat(*times);
            input.splice(at..at, part);
        }
        Change::Splice(at, other, from) => {
            let other = other.get(corpus);
            input.truncate(place(at, input));
            input.extend(&other[place(from, other)..]);
        }
    }
    input.truncate(MAX_LEN);
}

/// Plays a target. A failure shows the smallest input that still fails, as its bytes.
#[track_caller]
fn play(target: &str) {
    let corpus = corpus(target);
    assert!(!corpus.is_empty(), "{target} has no corpus");
    for input in &corpus {
        run(target, input);
    }
    let changed = (any::<Index>(), proptest::collection::vec(any_change(), 1..6));
    let any_bytes = proptest::collection::vec(any::<u8>(), 0..200);
    let strategy = prop_oneof![
        8 => changed.prop_map(|(at, changes)| {
            let mut input = at.get(&corpus).clone();
            changes.iter().for_each(|one| change(&mut input, one, &corpus));
            input
        }),
        1 => any_bytes,
    ];
    let mut runner =
        TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() });
    let played = runner.run(&strategy, |input| {
        run(target, &input);
        Ok(())
    });
    if let Err(error) = played {
        panic!("{target}: {error}");
    }
}

macro_rules! twins {
    ($($target:ident)*) => {
        $(
            #[test]
            fn $target() {
                play(stringify!($target));
            }
        )*

        #[test]
        fn every_target_has_a_twin_a_fuzzer_and_a_small_corpus() {
            let twins = [$(stringify!($target)),*];
            let names = TARGETS.map(|target| target.name);
            assert_eq!(names.as_slice(), twins.as_slice());
            let manifest = std::fs::read_to_string(repository().join("fuzz/Cargo.toml")).unwrap();
            for name in names {
                let fuzzer = repository().join(format!("fuzz/fuzz_targets/{name}.rs"));
                assert!(std::fs::read_to_string(fuzzer).unwrap().contains(&format!("\"{name}\"")));
                assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not built");
                let bytes: usize = corpus(name).iter().map(Vec::len).sum();
                assert!((1..64 * 1024).contains(&bytes), "{name}: {bytes} bytes");
            }
        }
    };
}

twins! {
    form_body
    signature
    twilio_rest
    twiml
    tool_arguments
    scenario
    template
    gateway_event
    runtime_answer
    phone_and_time
    database_body
}
