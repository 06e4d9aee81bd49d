//! The store on the embedded database: turns, queues, memory, and what is written once.

use handlers::{
    adapters::dynamodb::DynamoDb,
    domain::{
        catalogue::Upsell,
        outbox::{Callback, OutboxText, UnansweredText},
        sales::{SalesEvent, SalesRecord},
        turn::{
            ConversationItem, ConversationMemory, HandOver, MAX_QUEUE, NewClaim, QueueEntry,
            StoredRound, TurnEnd, TurnKey, TurnRecord, TurnText,
        },
        usage::{Usage, UsageLimit},
    },
    ports::{Store as _, TurnClaim},
};
use jiff::Timestamp;

use crate::store::{Lab, ann, now};

/// A claim on a turn by `holder` at an elapsed time, until another.
async fn claim(
    store: &DynamoDb,
    key: &TurnKey,
    holder: &str,
    now: Timestamp,
    (unix_ms, until_ms): (i64, i64),
) -> TurnClaim {
    let text = TurnText { body: "Hi".into(), ..TurnText::default() };
    let claim = NewClaim { key, holder, text: &text, now, unix_ms, until_ms };
    store.claim_turn(&claim).await.unwrap()
}

fn waiting(id: &str) -> OutboxText {
    OutboxText {
        id: id.into(),
        to: ann(),
        body: format!("text {id}"),
        created: now(),
        despite_opt_out: id.starts_with("late#"),
    }
}

#[tokio::test]
async fn a_text_of_the_outbox_is_claimed_by_one_and_leaves_it_once() {
    let Lab { store, database: _database, .. } = &Lab::start().await;
    let texts = [waiting("a#0"), waiting("a#1")];
    assert!(store.enqueue_once(&texts).await.unwrap());
    assert!(!store.enqueue_once(&texts).await.unwrap(), "the cause is remembered");
    assert_eq!(store.waiting_texts().await.unwrap(), ["a#0", "a#1"]);
    let claim = async |holder, at| store.claim_text("a#0", holder, at, at + 10).await.unwrap();
    assert_eq!(claim("h1", 0).await, Some((texts[0].clone(), 0)));
    assert_eq!(claim("h2", 10).await, None, "held until then");
    assert_eq!(claim("h2", 11).await, Some((texts[0].clone(), 1)));
    store.release_text("a#0", "h1").await.unwrap();
    assert_eq!(claim("h3", 12).await, None, "only its holder gives it back");
    store.release_text("a#0", "h2").await.unwrap();
    assert_eq!(claim("h3", 12).await, Some((texts[0].clone(), 2)));
    store.remove_text("a#0").await.unwrap();
    assert_eq!(claim("h4", 99).await, None);
    store.refuse_text("a#1", Some(21_610), now()).await.unwrap();
    assert!(store.waiting_texts().await.unwrap().is_empty());
    assert_eq!(store.claim_text("a#1", "h", 0, 1).await.unwrap(), None);
    assert!(!store.enqueue_once(&texts).await.unwrap(), "nor does it come back");
}

#[tokio::test]
async fn a_callback_of_no_turn_is_kept_once_with_its_texts() {
    let lab = Lab::start().await;
    let store = &lab.store;
    let callback = Callback {
        unanswered: UnansweredText {
            key: TurnKey { phone: ann(), sid: "SM1".into() },
            words: "Hello?".into(),
            media: vec!["https://api.twilio.com/media/ME1".into()],
            reason: "the tables failed".into(),
            now: now(),
        },
        notification: vec![waiting("callback#SM1#0")],
    };
    store.keep_callback(&callback).await.unwrap();
    assert_eq!(store.waiting_texts().await.unwrap(), ["callback#SM1#0"]);
    let rows = lab.count("Conversations").await;
    store.remove_text("callback#SM1#0").await.unwrap();
    store.keep_callback(&callback).await.unwrap();
    assert!(store.waiting_texts().await.unwrap().is_empty(), "a repeat sends nothing again");
    assert_eq!(lab.count("Conversations").await, rows - 1);
}

#[tokio::test]
async fn a_turn_that_is_handed_over_is_finished_once_and_its_answer_waits_in_the_outbox() {
    let Lab { store, database: _database, .. } = &Lab::start().await;
    let key = TurnKey { phone: ann(), sid: "SM1".into() };
    claim(store, &key, "h1", now(), (0, 100)).await;
    let messages = vec!["One moment".to_owned()];
    let hand_over = |holder: &str| HandOver {
        key: key.clone(),
        holder: holder.into(),
        now: now(),
        messages: messages.clone(),
    };
    assert!(!store.hand_over(&hand_over("h2")).await.unwrap());
    assert!(store.hand_over(&hand_over("h1")).await.unwrap());
    assert!(store.hand_over(&hand_over("h1")).await.unwrap(), "own repeat");
    assert_eq!(store.late_turns().await.unwrap(), std::slice::from_ref(&key));
    assert_eq!(
        claim(store, &key, "h2", now(), (0, 9)).await,
        TurnClaim::Answered(messages.clone())
    );
    let late = store.claim_late_turn(&key, "h3", 200, 300).await.unwrap().unwrap();
    assert_eq!((late.text.body.as_str(), late.earlier_attempts), ("Hi", 0));
    assert!(!late.waited, "it got a holding text");
    assert_eq!(store.claim_late_turn(&key, "h4", 250, 350).await.unwrap(), None);
    assert!(store.save_round(&key, "h3", 0, &StoredRound::default()).await.unwrap());
    assert!(!store.save_round(&key, "h1", 1, &StoredRound::default()).await.unwrap());
    let end = TurnEnd {
        key: key.clone(),
        holder: "h3".into(),
        now: now(),
        messages: Vec::new(),
        memory: None,
        dequeue: None,
        callback: None,
        late_answer: Some(vec![waiting("late#SM1#0")]),
    };
    assert!(!store.finish_turn(&TurnEnd { holder: "h1".into(), ..end.clone() }).await.unwrap());
    assert!(store.finish_turn(&end).await.unwrap());
    assert!(store.finish_turn(&end).await.unwrap(), "own repeat");
    assert_eq!(store.waiting_texts().await.unwrap(), ["late#SM1#0"]);
    assert!(store.late_turns().await.unwrap().is_empty());
    assert_eq!(store.claim_late_turn(&key, "h5", 999, 1999).await.unwrap(), None);
    assert_eq!(store.turn_answer(&key).await.unwrap(), Some(messages.clone()));
    let behind = TurnKey { sid: "SM2".into(), ..key.clone() };
    claim(store, &behind, "h1", now(), (0, 100)).await;
    let silent = HandOver { key: behind.clone(), messages: Vec::new(), ..hand_over("h1") };
    assert!(store.hand_over(&silent).await.unwrap());
    assert!(store.claim_late_turn(&behind, "h2", 200, 300).await.unwrap().unwrap().waited);
}

#[tokio::test]
async fn a_full_queue_has_no_place_until_somebody_leaves() {
    let Lab { store, database: _database, .. } = &Lab::start().await;
    let entry = |n: usize| QueueEntry { sid: format!("SM{n}"), until_ms: 10 };
    for n in 0..MAX_QUEUE {
        store.join_queue(&ann(), &entry(n)).await.unwrap();
    }
    let full: Vec<QueueEntry> = (0..MAX_QUEUE).map(entry).collect();
    assert_eq!(store.join_queue(&ann(), &entry(MAX_QUEUE)).await.unwrap(), full, "no place");
    assert_eq!(store.join_queue(&ann(), &entry(3)).await.unwrap(), full, "a repeat");
    assert_eq!(store.queue(&ann()).await.unwrap(), full);
    assert!(store.leave_queue(&ann(), 0, &entry(0)).await.unwrap());
    let queue = store.join_queue(&ann(), &entry(MAX_QUEUE)).await.unwrap();
    assert_eq!((queue.len(), queue.last()), (MAX_QUEUE, Some(&entry(MAX_QUEUE))));
}

#[tokio::test]
async fn uses_are_counted_from_the_version_that_was_read() {
    let Lab { store, database: _database, .. } = &Lab::start().await;
    assert_eq!(store.usage("s").await.unwrap(), Usage::default());
    let limits = [UsageLimit { most: 2, within: jiff::SignedDuration::from_hours(1) }];
    let first = Usage::default().with("a", &limits, now()).unwrap();
    assert!(store.put_usage("s", &first, now()).await.unwrap());
    assert!(!store.put_usage("s", &first, now()).await.unwrap(), "others came first");
    assert_eq!(store.usage("s").await.unwrap(), first);
    let second = first.with("b", &limits, now()).unwrap();
    assert!(store.put_usage("s", &second, now()).await.unwrap());
    assert_eq!(second.with("c", &limits, now()), None);
    let without = second.without("a");
    assert!(store.put_usage("s", &without, now()).await.unwrap());
    assert_eq!(store.usage("s").await.unwrap(), without);
    assert_eq!(store.usage("other").await.unwrap(), Usage::default());
}

#[tokio::test]
async fn notes_and_opt_outs_are_written_once() {
    let lab = Lab::start().await;
    let store = &lab.store;
    let key = TurnKey { phone: ann(), sid: "SM1".into() };
    let kinds = [
        SalesEvent::Discount { percent: 5, approved: true, reason: String::new() },
        SalesEvent::Upsell { item: Upsell::Case, accepted: true, price: Some(25) },
    ];
    let before = lab.count("Conversations").await;
    for (ordinal, kind) in kinds.into_iter().enumerate() {
        let note = SalesRecord { key: key.clone(), ordinal, now: now(), kind };
        store.record_sale(&note).await.unwrap();
        store.record_sale(&note).await.unwrap();
    }
    assert_eq!(lab.count("Conversations").await, before + 2);

    for out in [true, true, false, false] {
        store.set_opted_out(&ann(), out, now()).await.unwrap();
        assert_eq!(store.opted_out(&ann()).await.unwrap(), out);
    }
}

#[tokio::test]
async fn a_turn_has_one_holder_and_keeps_its_first_time_and_rounds() {
    let Lab { store, database: _database, .. } = &Lab::start().await;
    let key = TurnKey { phone: ann(), sid: "SM1".into() };
    let later = now() + jiff::SignedDuration::from_mins(1);
    let fresh = TurnClaim::Acquired(TurnRecord { now: now(), rounds: vec![] });
    assert_eq!(claim(store, &key, "h1", now(), (100, 200)).await, fresh);
    assert_eq!(claim(store, &key, "h1", now(), (100, 200)).await, fresh, "own repeat");
    assert_eq!(claim(store, &key, "h2", later, (199, 300)).await, TurnClaim::Busy);
    let round = StoredRound {
        items: vec![ConversationItem::Assistant("x".into())],
        ..StoredRound::default()
    };
    assert!(store.save_round(&key, "h1", 0, &round).await.unwrap());
    assert!(!store.save_round(&key, "h2", 0, &round).await.unwrap());
    assert_eq!(store.turn_answer(&key).await.unwrap(), None);
    let taken_over = claim(store, &key, "h2", later, (201, 300)).await;
    assert_eq!(
        taken_over,
        TurnClaim::Acquired(TurnRecord { now: now(), rounds: vec![round.clone()] })
    );
    assert!(!store.save_round(&key, "h1", 1, &round).await.unwrap());

    let me = QueueEntry { sid: "SM1".into(), until_ms: 10 };
    let next = QueueEntry { sid: "SM2".into(), until_ms: 20 };
    for entry in [&me, &next, &next] {
        store.join_queue(&key.phone, entry).await.unwrap();
    }
    assert_eq!(store.queue(&key.phone).await.unwrap(), [me.clone(), next.clone()]);
    assert!(!store.leave_queue(&key.phone, 0, &next).await.unwrap());
    assert!(!store.leave_queue(&key.phone, 5, &next).await.unwrap());

    let memory =
        ConversationMemory::default().with("a".into(), "b".into(), jiff::Timestamp::UNIX_EPOCH);
    let end = TurnEnd {
        key: key.clone(),
        holder: "h2".into(),
        now: now(),
        messages: vec!["Hi".into()],
        memory: Some(memory.clone()),
        dequeue: Some(me),
        callback: None,
        late_answer: None,
    };
    let by_the_first = TurnEnd { holder: "h1".into(), ..end.clone() };
    assert!(!store.finish_turn(&by_the_first).await.unwrap());
    assert_eq!(store.memory(&key.phone).await.unwrap(), ConversationMemory::default());
    assert!(store.finish_turn(&end).await.unwrap());
    assert!(store.finish_turn(&end).await.unwrap(), "own repeat");
    assert!(!store.finish_turn(&TurnEnd { messages: vec![], ..end.clone() }).await.unwrap());
    assert_eq!(store.queue(&key.phone).await.unwrap(), std::slice::from_ref(&next));
    assert_eq!(store.memory(&key.phone).await.unwrap(), memory);
    let answered = TurnClaim::Answered(vec!["Hi".into()]);
    assert_eq!(claim(store, &key, "h3", later, (999, 1999)).await, answered);

    // A queue that has moved on does not fail the end.
    let second = TurnKey { sid: "SM2".into(), ..key };
    claim(store, &second, "h", now(), (0, 10)).await;
    let end =
        TurnEnd { key: second.clone(), holder: "h".into(), messages: vec![], memory: None, ..end };
    assert!(store.finish_turn(&end).await.unwrap());
    assert_eq!(store.turn_answer(&second).await.unwrap(), Some(vec![]));

    // Nor does a turn that ends behind another one leave its entry there.
    let third = TurnKey { sid: "SM3".into(), ..second };
    let behind = QueueEntry { sid: "SM3".into(), until_ms: 30 };
    store.join_queue(&third.phone, &behind).await.unwrap();
    claim(store, &third, "h", now(), (0, 10)).await;
    // It was renewed by a write of which this attempt does not know.
    let dequeue = Some(QueueEntry { until_ms: 10, ..behind });
    let end = TurnEnd { key: third.clone(), dequeue, ..end };
    assert!(store.finish_turn(&end).await.unwrap());
    let left = store.queue(&third.phone).await.unwrap();
    assert_eq!(left, std::slice::from_ref(&next), "an entry of a turn that has ended is left");
    assert!(store.leave_queue(&third.phone, 0, &next).await.unwrap());
}
