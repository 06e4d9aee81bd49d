//! The store on the embedded database: turns, queues, memory, and what is written once.

use std::time::Duration;

use handlers::{
    domain::{
        booking::IdempotencyRecord,
        catalogue::Upsell,
        sales::{SalesEvent, SalesRecord},
        turn::{
            ConversationItem, ConversationMemory, QueueEntry, StoredRound, TurnEnd, TurnKey,
            TurnRecord,
        },
    },
    ports::{Store as _, TurnClaim},
};
use jiff::Timestamp;

use crate::store::{Lab, ann, now};

#[tokio::test]
async fn keys_alerts_notes_and_opt_outs_are_written_once() {
    let lab = Lab::start().await;
    let store = &lab.store;
    let claim = IdempotencyRecord { key_hash: "k".into(), fingerprint: "f".into(), now: now() };
    let later =
        IdempotencyRecord { fingerprint: "g".into(), now: Timestamp::UNIX_EPOCH, ..claim.clone() };
    assert_eq!(store.claim_idempotency_key(&claim).await.unwrap(), claim);
    assert_eq!(store.claim_idempotency_key(&later).await.unwrap(), claim);

    let window = Duration::from_secs(600);
    let second_before = now() + jiff::SignedDuration::from_millis(599_999);
    for (cause, at, first) in [
        ("model", now(), true),
        ("model", now(), false),
        ("model", second_before, false),
        ("other", now(), true),
        ("model", now() + window, true),
        ("model", now(), true), // The clock was set back.
    ] {
        assert_eq!(store.claim_alert(cause, at, window).await.unwrap(), first, "{cause} {at}");
    }

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
    assert_eq!(store.claim_turn(&key, "h1", now(), 100, 200).await.unwrap(), fresh);
    assert_eq!(store.claim_turn(&key, "h1", now(), 100, 200).await.unwrap(), fresh, "own repeat");
    assert_eq!(store.claim_turn(&key, "h2", later, 199, 300).await.unwrap(), TurnClaim::Busy);
    let round = StoredRound {
        items: vec![ConversationItem::Assistant("x".into())],
        ..StoredRound::default()
    };
    assert!(store.save_round(&key, "h1", 0, &round).await.unwrap());
    assert!(!store.save_round(&key, "h2", 0, &round).await.unwrap());
    assert_eq!(store.turn_answer(&key).await.unwrap(), None);
    let taken_over = store.claim_turn(&key, "h2", later, 201, 300).await.unwrap();
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

    let memory = ConversationMemory::default().with("a".into(), "b".into());
    let end = TurnEnd {
        key: key.clone(),
        holder: "h2".into(),
        now: now(),
        messages: vec!["Hi".into()],
        memory: Some(memory.clone()),
        dequeue: Some(me),
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
    assert_eq!(store.claim_turn(&key, "h3", later, 999, 1999).await.unwrap(), answered);

    // A queue that has moved on does not fail the end.
    let second = TurnKey { sid: "SM2".into(), ..key };
    store.claim_turn(&second, "h", now(), 0, 10).await.unwrap();
    let end =
        TurnEnd { key: second.clone(), holder: "h".into(), messages: vec![], memory: None, ..end };
    assert!(store.finish_turn(&end).await.unwrap());
    assert_eq!(store.turn_answer(&second).await.unwrap(), Some(vec![]));
    assert!(store.leave_queue(&second.phone, 0, &next).await.unwrap());
}
