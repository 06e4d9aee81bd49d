//! The store under contention and faults: what is told is what the rows say.

use std::sync::Arc;

use async_trait::async_trait;
use futures::future::join_all;
use handlers::{
    adapters::system::RandomIdGenerator,
    app::{
        owner_state::OwnerStateService,
        scheduler::{FormFields, Scheduler, SchedulerError},
    },
    domain::{
        background::BackgroundTask,
        booking::{Booking, Cancellation, NewBooking, RequestToken, Reschedule},
        calendar::Calendar,
        lead::Lead,
        turn::{MAX_QUEUE, NewClaim, QueueEntry, TurnEnd, TurnFence, TurnKey, TurnText},
        usage::FormLimits,
    },
    ports::{
        BackgroundWorker, BookOutcome, BoxError, CancelOutcome, RescheduleOutcome, Store as _,
        TurnClaim,
    },
};
use jiff::civil::date;
use rehearse_core::faults::{Cut, Failure};
use serde_json::json;

use crate::store::{Lab, ann, booking, cancellation, change, decided, lead, now, phone};

/// Customers at once.
const MANY: usize = 50;

fn claim<'a>(key: &'a TurnKey, holder: &'a str, text: &'a TurnText) -> NewClaim<'a> {
    NewClaim { key, holder, text, now: now(), unix_ms: 0, until_ms: 100 }
}

fn nth(n: usize) -> handlers::domain::phone::Phone {
    phone(&format!("+1904555{:04}", 1000 + n))
}

#[tokio::test]
async fn of_fifty_bookings_of_one_slot_one_is_told_yes_and_the_others_taken() {
    let lab = Lab::start().await;
    let booked = join_all((0..MANY).map(|n| {
        let store = lab.store.clone();
        async move {
            let lead = lead(&format!("LEAD-{n}"), &nth(n), 14);
            store.book(&booking(&lead, &n.to_string(), None)).await.unwrap()
        }
    }))
    .await;
    let yes: Vec<usize> = (0..MANY).filter(|n| booked[*n] == BookOutcome::Booked).collect();
    let taken = booked.iter().filter(|b| **b == BookOutcome::SlotTaken).count();
    assert_eq!((yes.len(), taken), (1, MANY - 1));
    let winner = format!("LEAD-{}", yes[0]);
    for table in ["Leads", "Schedule", "CustomerBookings"] {
        let rows = lab.database.rows(table).await.unwrap();
        assert_eq!(rows.len(), 1, "{table}");
        assert_eq!(rows[0]["lead_id"], json!(winner), "{table}");
    }
}

#[tokio::test]
async fn of_fifty_claims_one_is_ours() {
    let lab = Lab::start().await;
    let key = TurnKey { phone: ann(), sid: "SM1".into() };
    let claimed = join_all((0..MANY).map(|n| {
        let (store, key) = (lab.store.clone(), key.clone());
        async move {
            let (text, holder) = (TurnText::default(), format!("h{n}"));
            store.claim_turn(&claim(&key, &holder, &text)).await.unwrap()
        }
    }))
    .await;
    let ours = claimed.iter().filter(|c| matches!(c, TurnClaim::Acquired(_))).count();
    let busy = claimed.iter().filter(|c| **c == TurnClaim::Busy).count();
    assert_eq!((ours, busy), (1, MANY - 1));
}

/// An attempt whose lease is over may still run, and nobody would be told of what it changes.
#[tokio::test]
async fn bookings_are_changed_by_the_attempt_that_holds_the_turn() {
    let lab = Lab::start().await;
    let store = &lab.store;
    let key = TurnKey { phone: ann(), sid: "SM1".into() };
    let text = TurnText::default();
    let fence = |holder: &str| Some(TurnFence { key: key.clone(), holder: holder.to_owned() });
    let old = lead("LEAD-OLD", &ann(), 14);
    let book = async |lead: &Lead, holder| {
        let token = format!("{} by {holder}", lead.id);
        let new = NewBooking { fence: fence(holder), ..booking(lead, &token, None) };
        store.book(&decided(store, new).await).await.unwrap()
    };
    assert_eq!(book(&old, "one").await, BookOutcome::ClaimLost, "nobody has the turn");
    store.claim_turn(&claim(&key, "one", &text)).await.unwrap();
    assert_eq!(book(&old, "one").await, BookOutcome::Booked);
    let next = NewClaim { unix_ms: 200, until_ms: 300, ..claim(&key, "two", &text) };
    assert!(matches!(store.claim_turn(&next).await.unwrap(), TurnClaim::Acquired(_)));

    let rows = async || {
        let tables = ["Leads", "Schedule", "CustomerBookings", "Conversations"];
        join_all(tables.map(async |table| lab.database.rows(table).await.unwrap())).await
    };
    let before = rows().await;
    let other = lead("LEAD-OTHER", &ann(), 9);
    assert_eq!(book(&other, "one").await, BookOutcome::ClaimLost);
    let old = Booking::from(&old);
    let moved = async |holder| Reschedule {
        fence: fence(holder),
        ..change(store, &old, 10, &format!("move by {holder}")).await
    };
    let outcome = store.reschedule(&moved("one").await).await.unwrap();
    assert_eq!(outcome, RescheduleOutcome::ClaimLost);
    let cancel = |holder| Cancellation {
        fence: fence(holder),
        ..cancellation(&old, &format!("cancel by {holder}"))
    };
    assert_eq!(store.cancel(&cancel("one")).await.unwrap(), CancelOutcome::ClaimLost);
    assert_eq!(rows().await, before);

    let outcome = store.reschedule(&moved("two").await).await.unwrap();
    assert_eq!(outcome, RescheduleOutcome::Rescheduled);
    let end = TurnEnd {
        key: key.clone(),
        holder: "two".into(),
        now: now(),
        messages: Vec::new(),
        memory: None,
        dequeue: None,
        callback: None,
        late_answer: None,
    };
    assert!(store.finish_turn(&end).await.unwrap());
    assert_eq!(book(&other, "two").await, BookOutcome::ClaimLost, "the text is answered");
}

#[tokio::test]
async fn a_queue_has_one_order_that_everyone_sees() {
    let lab = Lab::start().await;
    let seen = join_all((0..MANY).map(|n| {
        let store = lab.store.clone();
        let me = QueueEntry { sid: format!("SM{n}"), until_ms: i64::try_from(n).unwrap() };
        async move { store.join_queue(&ann(), &me).await.unwrap() }
    }))
    .await;
    let queue = lab.store.queue(&ann()).await.unwrap();
    assert_eq!(queue.len(), MAX_QUEUE, "it has no more places");
    for part in seen {
        assert_eq!(part, queue[..part.len()], "everyone joins at the end");
    }
}

#[tokio::test]
async fn the_same_cancellation_and_a_new_booking_leave_one_holder() {
    let lab = Lab::start().await;
    let old = lead("LEAD-OLD", &ann(), 14);
    lab.store.book(&booking(&old, "old", None)).await.unwrap();
    let cancel = |token: &str| Cancellation {
        booking: Booking::from(&old),
        slot_key: Some("2:00 PM".to_owned()),
        token: RequestToken::derive(&[token]),
        now: now(),
        fence: None,
        notification: Vec::new(),
    };
    let new = lead("LEAD-NEW", &nth(1), 14);
    let (one, two) = (cancel("1"), cancel("2"));
    let wish = decided(&lab.store, booking(&new, "new", None)).await;
    let (first, second, booked) =
        futures::join!(lab.store.cancel(&one), lab.store.cancel(&two), lab.store.book(&wish));
    let ends = [first.unwrap(), second.unwrap()];
    assert!(ends.contains(&CancelOutcome::Cancelled), "{ends:?}");
    assert!(ends.contains(&CancelOutcome::CancelledBefore), "only one of them did it: {ends:?}");
    let held = lab.store.day_schedule(date(2026, 2, 11)).await.unwrap().holds.len();
    let rows = lab.count("CustomerBookings").await;
    match booked.unwrap() {
        BookOutcome::Booked => assert_eq!((held, rows), (1, 1)),
        // Decided before the cancellation: it would be decided again.
        BookOutcome::SlotTaken | BookOutcome::DayChanged => assert_eq!((held, rows), (0, 0)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_wrong_token_counts_once_although_the_acknowledgement_of_its_count_is_lost() {
    let lab = Lab::start().await;
    let state = OwnerStateService::new(Arc::new(lab.store.clone()), Arc::new(RandomIdGenerator));
    let cut = Failure { cut: Some(Cut::After), ..Failure::default() };
    lab.fail("UpdateItem", 1, cut);
    for guess in 1..=10 {
        assert!(state.allows_wrong_token("192.0.2.1", now()).await, "guess {guess}");
    }
    assert!(!state.allows_wrong_token("192.0.2.1", now()).await, "each of the ten counted");
}

/// Of the SDK's three calls one, two or all lose their answer.
#[tokio::test]
async fn a_lost_acknowledgement_is_a_yes() {
    for lost in 1..=3 {
        let lab = Lab::start().await;
        let cut = Failure { cut: Some(Cut::After), ..Failure::default() };
        lab.fail("TransactWriteItems", lost, cut);
        let lead = lead("LEAD-A", &ann(), 14);
        let booked = lab.store.book(&booking(&lead, "a", None)).await.unwrap();
        let found = BookOutcome::Exists(Box::new(lead));
        assert!(booked == BookOutcome::Booked || booked == found, "{lost} lost: {booked:?}");
        assert_eq!((lab.count("Leads").await, lab.count("Schedule").await), (1, 1));
    }
}

#[tokio::test]
async fn a_call_that_never_arrived_books_nothing_and_says_so() {
    let lab = Lab::start().await;
    let cut = Failure { cut: Some(Cut::Before), ..Failure::default() };
    lab.fail("TransactWriteItems", 3, cut);
    let lead = lead("LEAD-A", &ann(), 14);
    assert!(lab.store.book(&booking(&lead, "a", None)).await.is_err());
    assert_eq!((lab.count("Leads").await, lab.count("Schedule").await), (0, 0));
}

#[tokio::test]
async fn a_throttle_is_waited_out() {
    let throttled =
        |code: &str| Failure { status: Some(400), code: Some(code.into()), ..Failure::default() };
    for code in
        ["ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded"]
    {
        let lab = Lab::start().await;
        for operation in ["TransactWriteItems", "Query", "GetItem", "UpdateItem"] {
            lab.fail(operation, 2, throttled(code));
        }
        let lead = lead("LEAD-A", &ann(), 14);
        let booked = lab.store.book(&booking(&lead, "a", None)).await.unwrap();
        assert_eq!(booked, BookOutcome::Booked, "{code}");
        assert_eq!(
            lab.store.day_schedule(date(2026, 2, 11)).await.unwrap().holds.len(),
            1,
            "{code}"
        );
        assert!(!lab.store.opted_out(&ann()).await.unwrap(), "{code}");
    }
}

#[tokio::test]
async fn an_end_whose_acknowledgement_is_lost_is_an_end() {
    let lab = Lab::start().await;
    let key = TurnKey { phone: ann(), sid: "SM1".into() };
    lab.store.claim_turn(&claim(&key, "h", &TurnText::default())).await.unwrap();
    lab.fail("TransactWriteItems", 3, Failure { cut: Some(Cut::After), ..Failure::default() });
    let end = TurnEnd {
        key: key.clone(),
        holder: "h".into(),
        now: now(),
        messages: vec!["Hi".into()],
        memory: None,
        dequeue: None,
        callback: None,
        late_answer: None,
    };
    assert!(lab.store.finish_turn(&end).await.unwrap());
    assert_eq!(lab.store.turn_answer(&key).await.unwrap(), Some(vec!["Hi".into()]));
}

/// A page of a query ends after 1 MB; the hours on the last page are as taken as the others.
#[tokio::test]
async fn availability_reads_beyond_the_first_megabyte() {
    let lab = Lab::start().await;
    let note = "x".repeat(300_000);
    let times =
        ["10:00 AM", "11:00 AM", "12:00 PM", "1:00 PM", "2:00 PM", "3:00 PM", "4:00 PM", "9:00 AM"];
    let rows: Vec<_> = times
        .iter()
        .map(|time| {
            json!({ "schedule_date": "2026-02-11", "slot_time": time, "status": "booked", "note": note })
        })
        .collect();
    lab.database.put_rows("Schedule", &rows).await.unwrap();
    assert_eq!(lab.store.day_schedule(date(2026, 2, 11)).await.unwrap().holds.len(), times.len());
}

fn form(hour: usize) -> FormFields {
    FormFields {
        phone: Some("(904) 252-0927".into()),
        date: Some("2026-02-11".into()),
        time: Some(format!("{hour}:00")),
        repair_type: Some("screen".into()),
        ..FormFields::default()
    }
}

/// A form by which an address may book as much as it likes.
fn scheduler(lab: &Lab) -> Scheduler {
    let calendar = Calendar::new("America/New_York").unwrap();
    Scheduler::new(
        Arc::new(lab.store.clone()),
        Arc::new(RandomIdGenerator),
        Arc::new(Idle),
        calendar,
        None,
    )
    .with_limits(FormLimits { per_hour: 1_000, per_day: 1_000 })
}

/// Leaves texts to the schedule.
struct Idle;

#[async_trait]
impl BackgroundWorker for Idle {
    async fn start(&self, _: &BackgroundTask) -> Result<(), BoxError> {
        Ok(())
    }
}

#[tokio::test]
async fn of_eight_forms_of_one_phone_two_book() {
    let lab = Lab::start().await;
    let scheduler = scheduler(&lab);
    let booked = join_all((9..=16).map(|hour| {
        let scheduler = &scheduler;
        async move { scheduler.book(&form(hour), None, "", now()).await }
    }))
    .await;
    assert_eq!(booked.iter().filter(|b| b.is_ok()).count(), 2, "{booked:?}");
    assert!(
        booked
            .iter()
            .all(|b| matches!(b, Ok(_) | Err(SchedulerError::TooMany | SchedulerError::Contended)))
    );
    assert_eq!(lab.count("Leads").await, 2);
}

#[tokio::test]
async fn one_key_twenty_times_at_once_is_one_booking() {
    let lab = Lab::start().await;
    let scheduler = scheduler(&lab);
    // The second of two: a repeat must not count it as a third.
    scheduler.book(&form(9), None, "", now()).await.unwrap();
    let booked = join_all((0..20).map(|_| {
        let scheduler = &scheduler;
        async move {
            scheduler.book(&form(14), Some("one-click"), "", now()).await.unwrap().booking.lead_id
        }
    }))
    .await;
    assert!(booked.iter().all(|id| *id == booked[0]));
    assert_eq!(lab.count("Leads").await, 2);
}
