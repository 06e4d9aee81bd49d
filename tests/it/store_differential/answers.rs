//! What a store answers to an operation, as text: the value, or the kind of the error.

use std::fmt::Debug;

use handlers::{
    domain::{
        customer_data::{CustomerData, DataRow},
        day_schedule::HeldTimes,
        turn::{MAX_QUEUE, NewClaim, QueueEntry},
    },
    ports::{Store, StoreError},
};

use super::operation::Operation;
use crate::store::now;

/// Plays an operation.
pub async fn answer(store: &dyn Store, operation: &Operation) -> String {
    match operation {
        Operation::Owner => show(store.owner().await),
        Operation::PutOwner(owner, _) => show(store.put_owner(owner, owner.version - 1).await),
        Operation::CalendarSettings => {
            // As the API writes them: the usual length of a repair is written out or not.
            let settings = store.calendar_settings().await;
            show(settings.map(|settings| {
                settings.map(|s| (s.to_json(), s.version, s.updated_at, s.changed_by))
            }))
        }
        Operation::PutCalendarSettings(settings, _) => {
            show(store.put_calendar_settings(settings, settings.version - 1).await)
        }
        Operation::HoldsFrom(date) => show(store.holds_from(*date).await.map(in_order)),
        Operation::ChangeTimeOff(change, _) => show(store.change_time_off(change).await),
        Operation::DaySchedule(date) => show(store.day_schedule(*date).await),
        Operation::VersionedDaySchedule(date) => show(store.versioned_day_schedule(*date).await),
        Operation::Book(new, ..) => show(store.book(new).await),
        Operation::OpenBookings(phone, now) => show(store.open_bookings(phone, *now).await),
        Operation::Lead(id) => show(store.lead(id).await),
        Operation::Cancel(cancel, ..) => show(store.cancel(cancel).await),
        Operation::Reschedule(change, ..) => show(store.reschedule(change).await),
        Operation::Complete(done, ..) => show(store.complete(done).await),
        Operation::IdempotencyRecord(key) => show(store.idempotency_record(key).await),
        Operation::HoldSlot(new, ..) => show(store.hold_slot(new).await),
        Operation::FormHold(key) => {
            // Its name hides itself.
            let hold = store.form_hold(key).await;
            show(hold.map(|hold| hold.map(|hold| (hold.id.to_string(), hold))))
        }
        Operation::CountCodeTry(id, attempt) => show(store.count_code_try(id, attempt).await),
        Operation::ReleaseSlot(hold, now) => show(store.release_slot(hold, *now).await),
        Operation::GrantDiscount(grant) => show(store.grant_discount(grant).await),
        Operation::OpenDiscount(phone, now) => show(store.open_discount(phone, *now).await),
        Operation::RecordSale(record) => show(store.record_sale(record).await),
        Operation::Usage(subject) => show(store.usage(subject).await),
        Operation::PutUsage(subject, usage, _) => {
            show(store.put_usage(subject, usage, now()).await)
        }
        Operation::OptedOut(phone) => show(store.opted_out(phone).await),
        Operation::SetOptedOut(phone, out) => show(store.set_opted_out(phone, *out, now()).await),
        Operation::CustomerData(phone) => show(store.customer_data(phone).await.map(keys)),
        Operation::EraseCustomer(phone, now) => show(store.erase_customer(phone, *now).await),
        turns_and_texts => answer_of_conversation(store, turns_and_texts).await,
    }
}

async fn answer_of_conversation(store: &dyn Store, operation: &Operation) -> String {
    match operation {
        Operation::ClaimTurn { key, holder, text, now, at } => {
            let (unix_ms, until_ms) = (at.unix_ms, at.until_ms);
            let claim = NewClaim { key, holder, text, now: *now, unix_ms, until_ms };
            show(store.claim_turn(&claim).await)
        }
        Operation::RenewTurn(key, holder, lease) => {
            show(store.renew_turn(key, holder, lease.until_ms).await)
        }
        Operation::TurnAnswer(key) => show(store.turn_answer(key).await),
        Operation::SaveRound(key, holder, ordinal, round) => {
            show(store.save_round(key, holder, *ordinal, round).await)
        }
        Operation::FinishTurn(end) => show(store.finish_turn(end).await),
        Operation::HandOver(hand_over) => show(store.hand_over(hand_over).await),
        Operation::LateTurns => show(store.late_turns().await),
        Operation::ClaimLateTurn(key, holder, lease) => {
            show(store.claim_late_turn(key, holder, lease.unix_ms, lease.until_ms).await)
        }
        Operation::JoinQueue(phone, entry) => show(store.join_queue(phone, entry).await),
        Operation::FillQueue(phone) => {
            let mut answers = String::new();
            for n in 0..=MAX_QUEUE {
                let entry = QueueEntry { sid: format!("SM-{n}"), until_ms: 10 };
                answers.push_str(&show(store.join_queue(phone, &entry).await));
            }
            answers
        }
        Operation::Queue(phone) => show(store.queue(phone).await),
        Operation::LeaveQueue(phone, position, entry) => {
            show(store.leave_queue(phone, *position, entry).await)
        }
        Operation::ReplaceInQueue(phone, position, entry, new) => {
            show(store.replace_in_queue(phone, *position, entry, new).await)
        }
        Operation::Memory(phone) => show(store.memory(phone).await),
        Operation::KeepCallback(callback) => show(store.keep_callback(callback).await),
        Operation::Unanswered => show(store.unanswered().await),
        Operation::MarkAnswered(sid, now) => show(store.mark_answered(sid, *now).await),
        Operation::RecentCustomers(since) => show(store.recent_customers(*since).await),
        Operation::AnswerByOwner(answer) => show(store.answer_by_owner(answer).await),
        Operation::EnqueueOnce(texts) => show(store.enqueue_once(texts).await),
        Operation::WaitingTexts => show(store.waiting_texts().await),
        Operation::ClaimText(id, holder, lease) => {
            show(store.claim_text(id, holder, lease.unix_ms, lease.until_ms).await)
        }
        Operation::ReleaseText(id, holder) => show(store.release_text(id, holder).await),
        Operation::RemoveText(id) => show(store.remove_text(id).await),
        Operation::RefuseText(id, code) => show(store.refuse_text(id, *code, now()).await),
        other => panic!("nobody plays {other:?}"),
    }
}

fn show<T: Debug>(answer: Result<T, StoreError>) -> String {
    match answer {
        Ok(value) => format!("{value:#?}\n"),
        Err(StoreError::Unavailable(error)) => format!("the database is unavailable: {error:?}"),
        Err(StoreError::Malformed { table, .. }) => format!("a row of {table} is malformed"),
    }
}

/// Times that begin together are in no particular order.
fn in_order(mut held: HeldTimes) -> HeldTimes {
    held.times.sort_by_key(|held| (held.date, held.hold.start, held.hold.key.clone()));
    held
}

/// The keys of a customer's rows, which is all of them that the store in memory gives.
fn keys(data: CustomerData) -> Vec<(&'static str, Vec<String>)> {
    let of = |name: &str, rows: &[DataRow]| {
        let key = |row: &DataRow| row.get(name).map(ToString::to_string).unwrap_or_default();
        let mut keys: Vec<String> = rows.iter().map(key).collect();
        keys.sort();
        keys
    };
    vec![
        ("opted out", vec![data.opted_out.to_string()]),
        ("bookings", of("start", &data.bookings)),
        ("leads", of("lead_id", &data.leads)),
        ("schedule", of("slot_time", &data.schedule)),
        ("conversation", of("item_id", &data.conversation)),
        ("unanswered", of("item_id", &data.unanswered)),
        ("outbox", of("item_id", &data.outbox)),
    ]
}
