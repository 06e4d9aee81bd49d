//! The journal: order, marks, filters, pages and ends.

use jiff::Timestamp;
use rehearse_testutils::until;
use serde_json::Value;

use super::*;

fn log(line: &str) -> ExchangeDetail {
    ExchangeDetail::Log { function: "F".into(), request_id: None, line: line.into() }
}

fn journal() -> Journal {
    Journal::new(Clock::stopped(Timestamp::UNIX_EPOCH))
}

#[test]
fn exchanges_keep_the_order_in_which_they_began_and_are_counted_by_name() {
    let journal = journal();
    let first = journal.begin("a", log("1"));
    journal.note("b", log("2"));
    journal.note("a", log("3"));
    first.end(Outcome::status(200, Value::Null));
    let exchanges = journal.since(0);
    let seen: Vec<_> = exchanges.iter().map(|e| (e.name.as_str(), e.ordinal)).collect();
    assert_eq!(seen, [("a", 0), ("b", 0), ("a", 1)]);
    assert_eq!(exchanges[0].outcome.as_ref().unwrap().status, Some(200));
}

#[test]
fn a_dropped_exchange_is_recorded_as_cut() {
    let journal = journal();
    drop(journal.begin("a", log("1")));
    assert_eq!(journal.since(0)[0].outcome, Some(Outcome::cut()));
}

#[test]
fn an_exchange_that_began_before_a_clear_ends_none_after_it() {
    let journal = journal();
    let old = journal.begin("old", log("1"));
    journal.clear();
    let new = journal.begin("new", log("2"));
    assert_eq!(old.cause.seq, new.cause.seq);
    old.end(Outcome::cut());
    let ExchangeDetail::Log { line, .. } = &journal.since(0)[0].detail else { unreachable!() };
    assert_eq!((line.as_str(), &journal.since(0)[0].outcome), ("2", &None));
    new.end(Outcome::status(200, Value::Null));
    assert_eq!(journal.since(0)[0].outcome, Some(Outcome::status(200, Value::Null)));
}

#[test]
fn an_exchange_that_began_before_a_take_ends_none_after_it() {
    let journal = journal();
    journal.clear();
    let old = journal.begin("old", log("1"));
    assert_eq!(journal.take().len(), 1);
    journal.clear();
    let new = journal.begin("new", log("2"));
    old.end(Outcome::cut());
    assert_eq!(journal.since(0)[0].outcome, None);
    new.end(Outcome::default());
}

#[tokio::test]
async fn watchers_are_notified_of_beginnings_and_ends() {
    let journal = journal();
    let mut changes = journal.watch();
    let pending = journal.begin("a", log("1"));
    until("the beginning", changes.changed()).await.unwrap();
    pending.end(Outcome::default());
    until("the end", changes.changed()).await.unwrap();
}

#[test]
fn positions_and_ordinals_count_what_was_dropped() {
    let clock = Clock::stopped(Timestamp::UNIX_EPOCH);
    let journal = Journal::bounded(clock, Limits { exchanges: 2, ..Limits::default() });
    let early = journal.begin("a", log("1"));
    for name in ["a", "b", "a"] {
        journal.note(name, log("2"));
    }
    early.end(Outcome::status(500, Value::Null));
    assert_eq!((journal.first(), journal.mark()), (2, 4));
    let kept: Vec<_> = journal.since(0).into_iter().map(|e| (e.seq, e.name, e.ordinal)).collect();
    assert_eq!(kept, [(2, "b".into(), 0), (3, "a".into(), 2)]);
    journal.clear();
    assert_eq!((journal.first(), journal.note("a", log("3"))), (0, 0));
}

#[test]
fn exchanges_are_filtered_by_name_and_mark() {
    let journal = journal();
    journal.note("dynamodb.GetItem", log("1"));
    journal.note("dynamodb.Query", log("2"));
    let mark = journal.mark();
    journal.note("dynamodb.GetItem", log("3"));
    journal.note("dynamodb", log("4"));
    let all = journal.exchanges();
    let seqs = |exchanges: &Exchanges| exchanges.into_iter().map(|e| e.seq).collect::<Vec<_>>();
    assert_eq!(seqs(&all), [0, 1, 2, 3]);
    assert_eq!(seqs(&all.clone().named("dynamodb.*")), [0, 1, 2]);
    let reads = all.named("dynamodb.GetItem");
    assert_eq!((reads.count(), seqs(&reads)), (2, vec![0, 2]));
    assert_eq!(reads.first().map(|e| e.seq), Some(0));
    assert_eq!(reads.last().map(|e| e.seq), Some(2));
    assert_eq!(seqs(&reads.clone().since(mark)), [2]);
    journal.note("dynamodb.GetItem", log("5"));
    assert_eq!(reads.count(), 3, "it reads the journal as it is now");
}

#[test]
fn a_look_has_at_most_so_many_and_says_where_to_look_on() {
    let journal = journal();
    for name in ["a", "b", "a", "b", "a"] {
        journal.note(name, log("1"));
    }
    let look = |mark, most| journal.look(mark, most, |exchange| exchange.name == "a");
    let seqs = |look: &Look| look.exchanges.iter().map(|e| e.seq).collect::<Vec<_>>();
    let first = look(0, 2);
    assert_eq!((seqs(&first), first.next, first.epoch), (vec![0, 2], 3, 0));
    let rest = look(first.next, 2);
    assert_eq!((seqs(&rest), rest.next), (vec![4], 5));
    journal.clear();
    assert_eq!((look(0, 2).epoch, look(0, 2).next), (1, 0));
}

#[test]
fn an_exchange_is_found_by_its_position_however_old_it_is() {
    let journal = journal();
    for number in 0..1000 {
        journal.note("a", log(&number.to_string()));
    }
    for seq in [0, 63, 64, 500, 999] {
        let exchange = journal.exchange(seq).unwrap();
        let ExchangeDetail::Log { line, .. } = exchange.detail else { unreachable!() };
        assert_eq!((exchange.seq, line), (seq, seq.to_string()));
    }
    assert!(journal.exchange(1000).is_none());
    let clock = Clock::stopped(Timestamp::UNIX_EPOCH);
    let bounded = Journal::bounded(clock, Limits { exchanges: 1, ..Limits::default() });
    bounded.note("a", log("1"));
    bounded.note("a", log("2"));
    assert!(bounded.exchange(0).is_none() && bounded.exchange(1).is_some());
}

#[test]
fn logs_show_no_path() {
    assert_eq!(without_path("http.GET /people/+19045550102"), "http.GET");
    assert_eq!(without_path("dynamodb.Query"), "dynamodb.Query");
}
