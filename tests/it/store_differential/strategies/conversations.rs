//! Operations on turns, queues, the outbox, what the owner answers, and all that is a customer's.

use handlers::domain::{
    catalogue::Upsell,
    outbox::{Callback, OwnerAnswer, UnansweredText},
    pace::TurnCost,
    sales::{SalesEvent, SalesRecord},
    turn::{
        ConversationItem, ConversationMemory, HandOver, MemoryTurn, QueueEntry, StoredRound,
        TurnEnd, TurnKey, TurnText,
    },
};
use proptest::{option, prelude::*, sample::select};

use super::{
    DATES, END, Operations, START, any_holder, any_key, any_phone, any_sid, any_text_id, any_texts,
    any_time, holder, late_holder, some_sids, some_texts, texts,
};
use crate::store_differential::operation::{Lease, Operation};

pub fn operations() -> Vec<(u32, Operations)> {
    let text = || (any_text_id(), any_holder());
    vec![
        (2, record_sale().prop_map(Operation::RecordSale).boxed()),
        (1, any_phone().prop_map(Operation::OptedOut).boxed()),
        (2, (any_phone(), any::<bool>()).prop_map(|(p, o)| Operation::SetOptedOut(p, o)).boxed()),
        (10, claim().boxed()),
        (4, attempt(lease()).prop_map(|(k, h, l)| Operation::RenewTurn(k, h, l)).boxed()),
        (1, any_key().prop_map(Operation::TurnAnswer).boxed()),
        (6, save_round().boxed()),
        (8, finish().prop_map(|end| Operation::FinishTurn(Box::new(end))).boxed()),
        (6, hand_over().prop_map(Operation::HandOver).boxed()),
        (1, Just(Operation::LateTurns).boxed()),
        (
            6,
            (any_key(), late_holder(), lease())
                .prop_map(|(k, h, l)| Operation::ClaimLateTurn(k, h, l))
                .boxed(),
        ),
        (5, (any_phone(), entry()).prop_map(|(p, e)| Operation::JoinQueue(p, e)).boxed()),
        (1, any_phone().prop_map(Operation::FillQueue).boxed()),
        (1, any_phone().prop_map(Operation::Queue).boxed()),
        (
            3,
            (any_phone(), 0..2_usize, entry())
                .prop_map(|(p, at, e)| Operation::LeaveQueue(p, at, e))
                .boxed(),
        ),
        (3, replace_in_queue().boxed()),
        (1, any_phone().prop_map(Operation::Memory).boxed()),
        (3, callback().prop_map(Operation::KeepCallback).boxed()),
        (1, Just(Operation::Unanswered).boxed()),
        (2, (any_sid(), any_time()).prop_map(|(s, t)| Operation::MarkAnswered(s, t)).boxed()),
        (1, any_time().prop_map(Operation::RecentCustomers).boxed()),
        (5, owner_answer().prop_map(|answer| Operation::AnswerByOwner(Box::new(answer))).boxed()),
        (5, some_texts().prop_map(Operation::EnqueueOnce).boxed()),
        (1, Just(Operation::WaitingTexts).boxed()),
        (10, (text(), lease()).prop_map(|((id, h), l)| Operation::ClaimText(id, h, l)).boxed()),
        (3, text().prop_map(|(id, holder)| Operation::ReleaseText(id, holder)).boxed()),
        (2, any_text_id().prop_map(Operation::RemoveText).boxed()),
        (
            4,
            (any_text_id(), option::of(Just(21_610)))
                .prop_map(|(id, c)| Operation::RefuseText(id, c))
                .boxed(),
        ),
        (1, any_phone().prop_map(Operation::CustomerData).boxed()),
        (2, erase().boxed()),
    ]
}

/// Claims that meet, end at the very moment of another, and have ended.
fn lease() -> impl Strategy<Value = Lease> {
    (select(vec![0_i64, 10, 20, 30]), select(vec![5_i64, 10, 20]))
        .prop_map(|(unix_ms, time)| Lease { unix_ms, until_ms: unix_ms + time })
}

fn attempt<T: std::fmt::Debug>(
    more: impl Strategy<Value = T>,
) -> impl Strategy<Value = (TurnKey, String, T)> {
    (any_key(), any_holder(), more)
}

fn claim() -> impl Strategy<Value = Operation> {
    let text = select(vec!["Hello?", "Are you there?"]).prop_map(|body| TurnText {
        body: body.to_owned(),
        media: 1,
        media_urls: vec!["https://example.com/1".to_owned()],
    });
    (any_key(), holder(), text, any_time(), lease()).prop_map(|(key, holder, text, now, at)| {
        Operation::ClaimTurn { key, holder, text, now, at }
    })
}

fn save_round() -> impl Strategy<Value = Operation> {
    (attempt(0..3_usize), select(vec!["yes", "no"])).prop_map(|((key, holder, ordinal), word)| {
        let round = StoredRound {
            items: vec![ConversationItem::Assistant(word.to_owned())],
            ..StoredRound::default()
        };
        Operation::SaveRound(key, holder, ordinal, round)
    })
}

fn messages() -> impl Strategy<Value = Vec<String>> {
    select(vec![vec![], vec!["Hi".to_owned()], vec!["One moment".to_owned(), "Hi".to_owned()]])
}

fn memory_turn(by_owner: bool) -> impl Strategy<Value = MemoryTurn> {
    option::of(0..3_i64).prop_map(move |at_ms| MemoryTurn {
        user: if by_owner { "[the owner]" } else { "Hello?" }.to_owned(),
        assistant: "Hi".to_owned(),
        at_ms,
        by_owner,
    })
}

fn memory() -> impl Strategy<Value = ConversationMemory> {
    let turn = any::<bool>().prop_flat_map(memory_turn);
    (prop::collection::vec(turn, 0..3), 0..3_usize).prop_map(|(turns, segments)| {
        let cost = TurnCost { model_calls: 1, segments };
        ConversationMemory { turns, ..ConversationMemory::default() }.with_cost(cost)
    })
}

fn entry() -> impl Strategy<Value = QueueEntry> {
    (any_sid(), select(vec![10_i64, 20])).prop_map(|(sid, until_ms)| QueueEntry { sid, until_ms })
}

fn callback_of(key: TurnKey) -> impl Strategy<Value = Callback> {
    (some_texts(), any_time()).prop_map(move |(notification, now)| Callback {
        unanswered: UnansweredText {
            key: key.clone(),
            words: "Hello?".to_owned(),
            media: Vec::new(),
            reason: "the deadline passed".to_owned(),
            now,
        },
        notification,
    })
}

fn callback() -> impl Strategy<Value = Callback> {
    any_key().prop_flat_map(callback_of)
}

fn finish() -> impl Strategy<Value = TurnEnd> {
    let late_answer = prop_oneof![
        1 => Just(None),
        1 => texts("late#SM1".to_owned()).prop_map(Some),
    ];
    let rest = |key: TurnKey| {
        let callback = prop_oneof![2 => Just(None), 1 => callback_of(key.clone()).prop_map(Some)];
        (Just(key), any_holder(), any_time(), callback)
    };
    let memory = prop_oneof![1 => Just(None), 2 => memory().prop_map(Some)];
    (any_key().prop_flat_map(rest), messages(), memory, option::of(entry()), late_answer).prop_map(
        |((key, holder, now, callback), messages, memory, dequeue, late_answer)| TurnEnd {
            key,
            holder,
            now,
            messages,
            memory,
            dequeue,
            callback,
            late_answer,
        },
    )
}

fn hand_over() -> impl Strategy<Value = HandOver> {
    (attempt(messages()), any_time()).prop_map(|((key, holder, messages), now)| HandOver {
        key,
        holder,
        now,
        messages,
    })
}

fn replace_in_queue() -> impl Strategy<Value = Operation> {
    (any_phone(), 0..2_usize, entry(), entry())
        .prop_map(|(phone, at, entry, new)| Operation::ReplaceInQueue(phone, at, entry, new))
}

fn owner_answer() -> impl Strategy<Value = OwnerAnswer> {
    let answered = prop_oneof![Just(Vec::new()), some_sids()];
    (any_phone(), any_texts(), memory_turn(true), answered, any_time()).prop_map(
        |(to, texts, memory, answered, now)| OwnerAnswer { to, texts, memory, answered, now },
    )
}

fn record_sale() -> impl Strategy<Value = SalesRecord> {
    (any_key(), 0..2_usize, any_time()).prop_map(|(key, ordinal, now)| {
        let kind = SalesEvent::Upsell { item: Upsell::Case, accepted: true, price: Some(25) };
        SalesRecord { key, ordinal, now, kind }
    })
}

fn erase() -> impl Strategy<Value = Operation> {
    let times = vec![START, DATES[0].at(14, 0, 0, 0), END];
    (any_phone(), select(times)).prop_map(|(phone, now)| Operation::EraseCustomer(phone, now))
}
