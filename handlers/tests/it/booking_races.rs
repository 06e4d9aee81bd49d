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
    },
    ports::Timer as _,
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
    let service = BookingService { store: world.store.as_ref(), calendar, now: now() };
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
        let service =
            BookingService { store: world.store.as_ref(), calendar: &calendar, now: now() };
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
    let service = BookingService { store: world.store.as_ref(), calendar: &calendar, now: now() };
    let none = |_: &Booking, _: &Booking| Vec::new();
    world.run(service.reschedule(&phone(ANN), &first.id, slot(11), &["move"], none)).unwrap();
    let other = Lead { phone: phone("+19042520932"), ..lead("other", 10) };
    world.run(book(&world, &calendar, other)).unwrap();
    let repeated = world.run(book(&world, &calendar, first)).unwrap();
    assert_eq!(repeated.slot, slot(11));
    assert_eq!(world.store.open_bookings().len(), 2);
}
