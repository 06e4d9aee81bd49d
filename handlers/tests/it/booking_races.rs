//! What happens to a booking between two reads of another attempt.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::future::join;
use handlers::{
    app::bookings::{BookingDraft, BookingError, BookingService},
    domain::{
        booking::Booking,
        calendar::Calendar,
        lead::{Lead, LeadId},
        slot::{Slot, SlotTime},
        turn::{NewClaim, TurnEnd, TurnFence, TurnKey, TurnText},
    },
    ports::{Store as _, Timer as _, TurnClaim},
};
use jiff::{Timestamp, civil};
use memory_ports::{ANN, CallChance, CallFate, NOW, TestTimer, World, calendar, phone};

/// The first read of a lead takes a second.
struct SlowRead {
    timer: Arc<TestTimer>,
    has_come: AtomicBool,
}

#[async_trait]
impl CallChance for SlowRead {
    fn fate(&self, operation: &'static str) -> CallFate {
        if operation != "lead" || self.has_come.swap(true, Ordering::Relaxed) {
            return CallFate::Works;
        }
        CallFate::Slow(Duration::from_secs(1), Duration::ZERO)
    }

    async fn wait(&self, time: Duration) {
        self.timer.sleep(time).await;
    }
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn slot(hour: u8) -> Slot {
    Slot::new(civil::date(2026, 2, 11), SlotTime::hour_of_day(hour))
}

fn lead(name: &str, hour: u8) -> Lead {
    memory_ports::lead(LeadId::derive(now(), &[name]), slot(hour))
}

async fn book(world: &World, calendar: &Calendar, lead: Lead) -> Result<Booking, BookingError> {
    book_with(
        BookingService { store: world.store.as_ref(), calendar, now: now(), fence: None },
        lead,
    )
    .await
}

async fn book_with(service: BookingService<'_>, lead: Lead) -> Result<Booking, BookingError> {
    let identity = lead.id.to_string();
    let draft = BookingDraft {
        lead,
        asked: now(),
        identity: &[&identity],
        with_discount: false,
        guard: None,
        record: None,
        notification: Vec::new(),
    };
    service.book(&draft).await
}

/// Ann has 10 AM. While she asks for 10 AM once more, `change` is made after half a second, between
/// the two reads of her request.
fn asks_again<T>(
    change: impl AsyncFnOnce(BookingService<'_>, &LeadId) -> T,
) -> (Result<Booking, BookingError>, World) {
    let (world, calendar) = (World::new(), calendar());
    let first = lead("first", 10);
    world.run(book(&world, &calendar, first.clone())).unwrap();
    let slow = SlowRead { timer: world.timer.clone(), has_come: AtomicBool::new(true) };
    let slow = Arc::new(slow);
    world.store.set_chance(slow.clone());
    slow.has_come.store(false, Ordering::Relaxed);
    let meanwhile = async {
        world.timer.sleep(Duration::from_millis(500)).await;
        let service = BookingService {
            store: world.store.as_ref(),
            calendar: &calendar,
            now: now(),
            fence: None,
        };
        change(service, &first.id).await;
    };
    let (second, ()) = world.run(join(book(&world, &calendar, lead("second", 10)), meanwhile));
    (second, world)
}

#[test]
fn a_time_that_ones_own_booking_has_just_left_is_free() {
    let (second, world) = asks_again(async |service, first| {
        let none = |_: &Booking, _: &Booking| Vec::new();
        service.reschedule(&phone(ANN), first, slot(11), &["move"], none).await.unwrap();
    });
    assert_eq!(second.unwrap().slot, slot(10), "and not where the other booking is now");
    assert_eq!(world.store.open_bookings().len(), 2);
}

#[test]
fn a_time_whose_own_booking_was_just_cancelled_is_free() {
    let (second, world) = asks_again(async |service, first| {
        service.cancel(&phone(ANN), first, &["cancel"], |_| Vec::new()).await.unwrap();
    });
    assert_eq!(second.unwrap().slot, slot(10));
    assert_eq!(world.store.open_bookings().len(), 1);
}

/// An attempt has booked and crashed, the owner has moved the booking, and the time is somebody else's
/// when the attempt is repeated.
#[test]
fn a_repeat_is_told_where_its_booking_is_now_and_not_that_the_time_is_taken() {
    let (world, calendar) = (World::new(), calendar());
    let first = lead("first", 10);
    world.run(book(&world, &calendar, first.clone())).unwrap();
    let service = BookingService {
        store: world.store.as_ref(),
        calendar: &calendar,
        now: now(),
        fence: None,
    };
    let none = |_: &Booking, _: &Booking| Vec::new();
    world.run(service.reschedule(&phone(ANN), &first.id, slot(11), &["move"], none)).unwrap();
    let other = Lead { phone: phone("+19042520932"), ..lead("other", 10) };
    world.run(book(&world, &calendar, other)).unwrap();
    let repeated = world.run(book(&world, &calendar, first)).unwrap();
    assert_eq!(repeated.slot, slot(11));
    assert_eq!(world.store.open_bookings().len(), 2);
}

/// Claims Ann's text for an attempt, a lease after the one before.
fn claim(world: &World, key: &TurnKey, holder: &str, attempt: i64) -> TurnFence {
    let claim = NewClaim {
        key,
        holder,
        text: &TurnText::default(),
        now: now(),
        unix_ms: attempt * 10,
        until_ms: attempt * 10 + 9,
    };
    let claimed = world.run(world.store.claim_turn(&claim)).unwrap();
    assert!(matches!(claimed, TurnClaim::Acquired(_)), "{claimed:?}");
    TurnFence { key: key.clone(), holder: holder.to_owned() }
}

/// Its lease is over, and it still runs: nobody would be told of what it changes.
#[test]
fn an_attempt_that_has_lost_its_turn_books_cancels_and_moves_nothing() {
    let (world, calendar) = (World::new(), calendar());
    let key = TurnKey { phone: phone(ANN), sid: "SM1".into() };
    let service = |fence| BookingService {
        store: world.store.as_ref(),
        calendar: &calendar,
        now: now(),
        fence: Some(fence),
    };
    let change = |fence, hour: u8| {
        let first = lead("first", 10);
        let (service, none) = (service(fence), |_: &Booking, _: &Booking| Vec::new());
        let moved =
            world.run(service.reschedule(&first.phone, &first.id, slot(hour), &["move"], none));
        let booked = world.run(book_with(service, lead("second", hour + 2)));
        let cancelled =
            world.run(service.cancel(&first.phone, &first.id, &["cancel"], |_| Vec::new()));
        let [moved, cancelled] =
            [moved, cancelled].map(|changed| changed.map(|changed| changed.booking.slot));
        [moved, booked.map(|booking| booking.slot), cancelled]
    };
    let assert_refused = |fence| {
        let before = world.store.printed();
        for result in change(fence, 11) {
            assert!(matches!(result, Err(BookingError::ClaimLost)), "{result:?}");
        }
        assert_eq!(world.store.printed(), before);
    };
    let one = claim(&world, &key, "one", 1);
    world.run(book_with(service(&one), lead("first", 10))).unwrap();
    let two = claim(&world, &key, "two", 2);
    assert_refused(&one);
    let end = TurnEnd {
        key: key.clone(),
        holder: "two".into(),
        now: now(),
        messages: vec!["Nothing was free".into()],
        memory: None,
        dequeue: None,
        callback: None,
        late_answer: None,
    };
    let [moved, booked, cancelled] = change(&two, 14).map(Result::unwrap);
    assert_eq!([moved, booked, cancelled], [slot(14), slot(16), slot(14)]);
    world.run(book(&world, &calendar, lead("third", 10))).unwrap();
    assert!(world.run(world.store.finish_turn(&end)).unwrap());
    let refused = world.run(book_with(service(&two), lead("late", 12)));
    assert!(matches!(refused, Err(BookingError::ClaimLost)), "{refused:?}");
}
