//! Ordinary conversations with Linda, `fixtures/openai/conversations.yaml`: how many of her turns make
//! sense, and that none books, moves or cancels what was not agreed.

use std::{collections::BTreeMap, path::Path};

use rehearse_core::yaml::Source;
use serde::Deserialize;
use serde_json::Value;

use super::tests::Shop;

/// Tools that change a booking.
const CHANGES: [&str; 3] = ["book_slot", "reschedule_booking", "cancel_booking"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Talk {
    name: String,
    turns: Vec<Turn>,
}

/// A call by its tool, with some of its arguments.
type Expected = BTreeMap<String, BTreeMap<String, Value>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Turn {
    text: String,
    /// The calls in order, each with some of its arguments. Without it, any that change no booking.
    calls: Option<Vec<Expected>>,
    #[serde(default)]
    says: Vec<Says>,
    #[serde(default)]
    never: Vec<String>,
    /// Whether it may book although no booking is listed.
    #[serde(default)]
    books: bool,
}

/// A part of the answer, or several of which one is enough.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Says {
    This(String),
    OneOf(Vec<String>),
}

impl Says {
    fn fits(&self, answer: &str) -> bool {
        match self {
            Self::This(part) => answer.contains(part),
            Self::OneOf(parts) => parts.iter().any(|part| answer.contains(part)),
        }
    }
}

/// A call as the shop got it.
fn parsed(call: &str) -> (String, Value) {
    let (name, arguments) = call.split_once(' ').unwrap();
    (name.into(), serde_json::from_str(arguments).unwrap())
}

/// What is wrong with a turn, and whether it changed a booking that it should not.
fn judge(turn: &Turn, calls: &[(String, Value)], answer: &str) -> (Vec<String>, bool) {
    let mut wrong = Vec::new();
    if let Some(expected) = &turn.calls {
        let same = expected.len() == calls.len()
            && expected.iter().zip(calls).all(|(expected, call)| is(expected, call));
        if !same && !turn.books {
            wrong.push(format!("called {calls:?}"));
        }
    }
    wrong.extend(turn.says.iter().filter(|s| !s.fits(answer)).map(|s| format!("lacks {s:?}")));
    wrong.extend(turn.never.iter().filter(|n| answer.contains(*n)).map(|n| format!("has {n:?}")));
    // Each change is one that is expected, with these arguments, and each is expected once.
    let mut agreed: Vec<_> = turn.calls.iter().flatten().collect();
    let unagreed = calls.iter().any(|call| {
        if !CHANGES.contains(&call.0.as_str()) || turn.books {
            return false;
        }
        match agreed.iter().position(|expected| is(expected, call)) {
            Some(at) => {
                agreed.remove(at);
                false
            }
            None => true,
        }
    });
    (wrong, unagreed)
}

/// Whether a call is the expected one: the tool, and each of its arguments that is written.
fn is(expected: &Expected, (name, arguments): &(String, Value)) -> bool {
    assert_eq!(expected.len(), 1, "one call at a time: {expected:?}");
    expected
        .get(name)
        .is_some_and(|wanted| wanted.iter().all(|(key, value)| arguments[key] == *value))
}

#[test]
fn a_change_is_agreed_once_and_with_its_arguments() {
    let turn = |yaml: &str| Source::new("turn.yaml", yaml).parse::<Turn>().unwrap();
    let booked = |time: &str| ("book_slot".to_owned(), serde_json::json!({ "time": time }));
    let once = turn("{ text: a, calls: [{ book_slot: { time: '1:00 PM' } }] }");
    assert!(!judge(&once, &[booked("1:00 PM")], "").1);
    assert!(judge(&once, &[booked("2:00 PM")], "").1, "another time");
    assert!(judge(&once, &[booked("1:00 PM"), booked("1:00 PM")], "").1, "twice");
    assert!(judge(&turn("{ text: a }"), &[booked("1:00 PM")], "").1, "nobody asked");
}

#[test]
fn turns_make_sense_and_none_books_what_was_not_agreed() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/openai/conversations.yaml");
    let talks: Vec<Talk> = Source::read(&path).unwrap().parse().unwrap();
    assert!(talks.len() >= 85, "{} conversations", talks.len());
    let (mut turns, mut sensible, mut report, mut unagreed) = (0, 0, String::new(), Vec::new());
    for talk in &talks {
        let mut shop = Shop::open();
        for turn in &talk.turns {
            let before = shop.calls.len();
            let answer = shop.text(&turn.text);
            let calls: Vec<(String, Value)> =
                shop.calls[before..].iter().map(|call| parsed(call)).collect();
            let (wrong, changed) = judge(turn, &calls, &answer);
            turns += 1;
            if wrong.is_empty() && !changed {
                sensible += 1;
            } else {
                report += &format!(
                    "{}: {:?}\n  said {answer:?}\n  {}\n",
                    talk.name,
                    turn.text,
                    wrong.join("; ")
                );
            }
            if changed {
                unagreed.push(format!("{}: {:?}", talk.name, turn.text));
            }
        }
    }
    println!("{sensible} of {turns} turns of {} conversations make sense", talks.len());
    println!("{report}");
    assert!(unagreed.is_empty(), "booked, moved or cancelled without a word: {unagreed:?}");
    assert!(sensible * 100 >= turns * 95, "{sensible} of {turns} turns make sense\n{report}");
}
