//! The store on the embedded database: owner, bookings, and rows of the old system.

use std::{collections::BTreeSet, net::TcpListener, sync::Arc};

use handlers::{
    adapters::{
        dynamodb::{DynamoDb, Settings, Tables},
        system::SystemTimer,
    },
    compose::Clients,
    domain::{
        booking::{
            Booking, Cancellation, FormGuard, FormGuardUpdate, NewBooking, RequestToken, Reschedule,
        },
        calendar::CalendarVersions,
        catalogue::{Repair, RepairKind},
        lead::{Lead, LeadId, LeadSource, LeadStatus},
        owner::{OwnerState, OwnerStatus},
        phone::Phone,
        slot::{Slot, SlotTime},
        time_needed::TimeNeeded,
    },
    ports::{
        BookOutcome, CancelOutcome, OwnerWriteOutcome, RescheduleOutcome, Store as _, StoreError,
    },
};
use jiff::{Timestamp, civil::date};
use rehearse_aws::template::Template;
use rehearse_core::table::TableSpec;
use rehearse_core::{
    clock::Clock,
    faults::{Failure, Fault, Faults},
    journal::Journal,
    threads::Threads,
};
use rehearse_dynamodb::Database;
use rehearse_testutils::databases;
use serde_json::json;

use crate::support::root;

/// The store at an endpoint that has the template's tables.
pub fn store(endpoint: &str) -> DynamoDb {
    store_of(endpoint, &Template::read(&root().join("template.yaml")).unwrap().tables)
}

fn store_of(endpoint: &str, tables: &[TableSpec]) -> DynamoDb {
    let name = |id: &str| tables.iter().find(|table| table.id == id).unwrap().name.clone();
    let settings = Settings {
        endpoint: Some(endpoint),
        region: "us-east-1",
        access_key_id: "local",
        secret_access_key: "local",
        session_token: None,
        tables: Tables {
            leads: name("Leads"),
            owner: name("OwnerState"),
            schedule: name("Schedule"),
            conversations: name("Conversations"),
            bookings: name("CustomerBookings"),
            opt_outs: name("OptOuts"),
        },
        timer: Arc::new(SystemTimer),
    };
    DynamoDb::new(Clients::plain().unwrap().dynamodb, settings)
}

/// A database with the template's tables, behind the recording proxy, and the store on it.
pub struct Lab {
    pub store: DynamoDb,
    pub database: Database,
    pub faults: Faults,
    pub journal: Journal,
    _threads: Threads,
}

impl Lab {
    pub async fn start() -> Self {
        let tables = Template::read(&root().join("template.yaml")).unwrap().tables;
        let (journal, faults) = (Journal::new(Clock::stopped(now())), Faults::default());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let threads = Threads::start().unwrap();
        let (service, noted, armed) = (databases(), journal.clone(), faults.clone());
        let database = Database::start(listener, &threads, &service, &tables, noted, armed);
        let database = database.await.unwrap();
        let store = store_of(&format!("{}/fn/Test", database.url()), &tables);
        Self { store, database, faults, journal, _threads: threads }
    }

    /// The next calls of an operation fail so.
    pub fn fail(&self, operation: &str, times: u32, failure: Failure) {
        let on = format!("dynamodb.{operation}");
        self.faults.arm(Fault { on, failure, times: Some(times), ..Fault::default() });
    }

    pub async fn count(&self, table: &str) -> usize {
        self.database.rows(table).await.unwrap().len()
    }
}

pub fn now() -> Timestamp {
    "2026-02-10T20:10:00Z".parse().unwrap()
}

pub fn phone(number: &str) -> Phone {
    Phone::from_e164(number).unwrap()
}

pub fn ann() -> Phone {
    phone("+19042520927")
}

pub fn at(hour: u8) -> Slot {
    Slot::new(date(2026, 2, 11), SlotTime::hour_of_day(hour))
}

pub fn lead(id: &str, phone: &Phone, hour: u8) -> Lead {
    Lead {
        id: LeadId::from_row(id),
        timestamp: now(),
        phone: phone.clone(),
        slot: at(hour),
        time_needed: TimeNeeded::default(),
        repair: Repair::at_shop(RepairKind::Screen),
        device: "iPhone".into(),
        customer_name: Some("Ann".into()),
        address: Some("12 Main St".into()),
        status: LeadStatus::Booked,
        source: LeadSource::Form,
        discount_percent: None,
    }
}

pub fn booking(lead: &Lead, token: &str, guard: Option<FormGuardUpdate>) -> NewBooking {
    NewBooking { guard, ..memory_ports::new_booking(lead.clone(), &[token]) }
}

/// The versions of the calendar as it is now.
pub async fn calendar_versions(store: &DynamoDb) -> CalendarVersions {
    let settings = store.calendar_settings().await.unwrap();
    CalendarVersions {
        settings: settings.map_or(0, |settings| settings.version),
        owner: store.owner().await.unwrap().version,
    }
}

/// The booking as decided on the date as it is now.
pub async fn decided(store: &DynamoDb, new: NewBooking) -> NewBooking {
    let day = store.versioned_day_schedule(new.lead.slot.date()).await.unwrap();
    let calendar_versions = calendar_versions(store).await;
    NewBooking { day_version: day.version, calendar_versions, ..new }
}

pub fn cancellation(booking: &Booking, token: &str) -> Cancellation {
    Cancellation {
        booking: booking.clone(),
        slot_key: Some(booking.slot.time().to_string()),
        token: RequestToken::derive(&[token]),
        now: now(),
        fence: None,
        notification: Vec::new(),
    }
}

/// A move as decided on the date as it is now.
pub async fn change(store: &DynamoDb, booking: &Booking, hour: u8, token: &str) -> Reschedule {
    let day = store.versioned_day_schedule(at(hour).date()).await.unwrap();
    Reschedule {
        time_needed: booking.time_needed,
        calendar_versions: calendar_versions(store).await,
        slot_key: Some(booking.slot.time().to_string()),
        day_version: day.version,
        booking: booking.clone(),
        to: at(hour),
        token: RequestToken::derive(&[token]),
        now: now(),
        fence: None,
        notification: Vec::new(),
    }
}

async fn taken(store: &DynamoDb) -> Vec<String> {
    let day = store.day_schedule(date(2026, 2, 11)).await.unwrap();
    let taken: BTreeSet<_> = day.holds.iter().map(|hold| hold.start).collect();
    taken.into_iter().map(|time| time.to_string()).collect()
}

#[tokio::test]
async fn the_owners_state_changes_only_from_the_version_that_was_read() {
    let Lab { store, .. } = &Lab::start().await;
    assert_eq!(store.owner().await.unwrap(), OwnerState::default());
    let gym = OwnerState {
        status: OwnerStatus::Gym,
        updated_at: Some(now()),
        version: 1,
        ..OwnerState::default()
    };
    assert_eq!(store.put_owner(&gym, 0).await.unwrap(), OwnerWriteOutcome::Written);
    assert_eq!(
        store.put_owner(&gym, 0).await.unwrap(),
        OwnerWriteOutcome::Written,
        "our own repeat"
    );
    let other = OwnerState { location: "home".into(), ..gym.clone() };
    assert_eq!(store.put_owner(&other, 0).await.unwrap(), OwnerWriteOutcome::Conflict);
    let next = OwnerState { version: 2, ..other };
    assert_eq!(store.put_owner(&next, 1).await.unwrap(), OwnerWriteOutcome::Written);
    assert_eq!(store.owner().await.unwrap(), next);
}

#[tokio::test]
async fn a_booking_is_slot_lead_and_customers_row_in_one() {
    let lab = Lab::start().await;
    let store = &lab.store;
    let (ann, from) = (ann(), date(2026, 2, 10).at(15, 10, 30, 0));
    assert!(taken(store).await.is_empty());
    let two = lead("LEAD-A", &ann, 14);
    let guard = FormGuardUpdate::after(None);
    for (token, why) in [("a", "first"), ("a", "the same again"), ("b", "another token")] {
        let booked = store.book(&booking(&two, token, Some(guard))).await.unwrap();
        let again = BookOutcome::Exists(Box::new(two.clone()));
        assert!(booked == BookOutcome::Booked || booked == again, "{why}: {booked:?}");
    }
    assert_eq!(
        (
            lab.count("Leads").await,
            lab.count("Schedule").await,
            lab.count("CustomerBookings").await
        ),
        (1, 1, 2)
    );
    let other = lead("LEAD-B", &phone("+19045550123"), 14);
    assert_eq!(store.book(&booking(&other, "c", None)).await.unwrap(), BookOutcome::SlotTaken);
    let three = lead("LEAD-C", &ann, 15);
    assert_eq!(
        store.book(&decided(store, booking(&three, "d", Some(guard))).await).await.unwrap(),
        BookOutcome::GuardChanged
    );
    assert_eq!(taken(store).await, ["2:00 PM"], "neither left a trace");

    let open = store.open_bookings(&ann, from).await.unwrap();
    assert_eq!((open.guard, open.bookings), (Some(FormGuard { version: 1 }), vec![(&two).into()]));
    let step = Some(FormGuardUpdate::after(open.guard));
    let new = booking(&three, "e", step);
    assert_eq!(store.book(&new).await.unwrap(), BookOutcome::DayChanged, "decided too early");
    let new = decided(store, NewBooking { token: RequestToken::derive(&["f"]), ..new }).await;
    assert_eq!(store.book(&new).await.unwrap(), BookOutcome::Booked);
    let starts = |from| async move {
        let open = store.open_bookings(&phone("+19042520927"), from).await.unwrap().bookings;
        open.iter().map(|b| b.slot.time().hour()).collect::<Vec<_>>()
    };
    assert_eq!(starts(from).await, [14, 15]);
    assert_eq!(starts(date(2026, 2, 11).at(14, 59, 59, 0)).await, [14, 15]);
    assert_eq!(starts(date(2026, 2, 11).at(15, 0, 0, 0)).await, [15]);
    assert_eq!(store.lead(&two.id).await.unwrap(), Some(two));
    assert_eq!(store.lead(&LeadId::from_row("LEAD-X")).await.unwrap(), None);
}

#[tokio::test]
async fn a_booking_moves_and_ends_only_from_where_it_was_read() {
    let lab = Lab::start().await;
    let store = &lab.store;
    let (two, three) = (lead("LEAD-A", &ann(), 14), lead("LEAD-C", &ann(), 15));
    for lead in [&two, &three] {
        store.book(&decided(store, booking(lead, lead.id.as_str(), None)).await).await.unwrap();
    }
    let read = Booking::from(&two);
    let moved = |hour, token| change(store, &read, hour, token);
    let outcome = async |change: Reschedule| store.reschedule(&change).await.unwrap();
    assert_eq!(outcome(moved(15, "1").await).await, RescheduleOutcome::SlotTaken);
    assert_eq!(outcome(moved(9, "2").await).await, RescheduleOutcome::Rescheduled);
    for token in ["2", "3"] {
        assert_eq!(outcome(moved(9, token).await).await, RescheduleOutcome::RescheduledBefore);
    }
    assert_eq!(outcome(moved(10, "4").await).await, RescheduleOutcome::BookingChanged);
    assert_eq!(taken(store).await, ["9:00 AM", "3:00 PM"]);
    assert_eq!(lab.count("CustomerBookings").await, 2);

    let there = moved(9, "2").await.moved();
    let foreign = Booking { phone: phone("+19045550123"), ..there.clone() };
    assert_eq!(
        store.cancel(&cancellation(&foreign, "5")).await.unwrap(),
        CancelOutcome::BookingChanged
    );
    assert_eq!(
        store.cancel(&cancellation(&read, "6")).await.unwrap(),
        CancelOutcome::BookingChanged
    );
    for (token, expected) in [
        ("7", CancelOutcome::Cancelled),
        ("7", CancelOutcome::CancelledBefore),
        ("8", CancelOutcome::CancelledBefore),
    ] {
        assert_eq!(store.cancel(&cancellation(&there, token)).await.unwrap(), expected);
    }
    assert_eq!(store.lead(&two.id).await.unwrap().unwrap().status, LeadStatus::Cancelled);
    assert_eq!(
        (taken(store).await, lab.count("CustomerBookings").await),
        (vec!["3:00 PM".into()], 1)
    );
    let again = lead("LEAD-D", &phone("+19045550123"), 9);
    let again = decided(store, booking(&again, "9", None)).await;
    assert_eq!(store.book(&again).await.unwrap(), BookOutcome::Booked);
}

#[tokio::test]
async fn rows_of_the_old_system_are_read_moved_and_cancelled() {
    let lab = Lab::start().await;
    let id = "LEAD-20250101-120000-123";
    let old = json!({
        "lead_id": id, "timestamp": 1_735_732_800, "phone": "+19042520927", "repair_type": "screen",
        "device": "iPhone 12", "appointment_date": "2026-02-11", "appointment_time": "10:00 AM",
        "status": "booked", "created_at": 1_735_732_800.5,
    });
    let slot = |time: &str, status: &str, lead: Option<&str>| {
        let mut row = json!({ "schedule_date": "2026-02-11", "slot_time": time, "status": status });
        if let Some(lead) = lead {
            row["lead_id"] = json!(lead);
        }
        row
    };
    lab.database.put_rows("Leads", &[old]).await.unwrap();
    let rows = [slot("9:00 AM", "available", None), slot("10:00 AM", "booked", Some(id))];
    lab.database.put_rows("Schedule", &rows).await.unwrap();
    // The old console wrote numbers as strings.
    let state = json!({ "state_id": "CURRENT", "status": "gym", "max_discount": "20" });
    lab.database.put_rows("OwnerState", &[state]).await.unwrap();

    let store = &lab.store;
    assert_eq!(store.owner().await.unwrap().max_discount, 20);
    assert_eq!(taken(store).await, ["10:00 AM"]);
    let lead = store.lead(&LeadId::parse(id).unwrap()).await.unwrap().unwrap();
    assert_eq!((lead.slot, lead.source), (at(10), LeadSource::Sms));
    let moved = change(store, &Booking::from(&lead), 9, "1").await;
    assert_eq!(store.reschedule(&moved).await.unwrap(), RescheduleOutcome::Rescheduled);
    assert_eq!(
        (taken(store).await, lab.count("CustomerBookings").await),
        (vec!["9:00 AM".into()], 1)
    );
    assert_eq!(
        store.cancel(&cancellation(&moved.moved(), "2")).await.unwrap(),
        CancelOutcome::Cancelled
    );
    assert!(taken(store).await.is_empty());
    assert_eq!((lab.count("CustomerBookings").await, lab.count("Leads").await), (0, 1));
}

#[tokio::test]
async fn a_table_that_is_not_there_is_an_error_and_never_free() {
    let lab = Lab::start().await;
    let failure =
        || Failure { code: Some("ResourceNotFoundException".into()), ..Failure::default() };
    lab.fail("Query", 1, failure());
    let taken = lab.store.day_schedule(date(2026, 2, 11)).await;
    assert!(matches!(taken, Err(StoreError::Unavailable(_))), "{taken:?}");
    lab.fail("TransactWriteItems", 1, failure());
    let booked = lab.store.book(&booking(&lead("LEAD-Q", &ann(), 11), "q", None)).await;
    assert!(matches!(booked, Err(StoreError::Unavailable(_))), "{booked:?}");
}
