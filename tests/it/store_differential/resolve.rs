//! Puts into an operation what is known only once it is played: versions, and bookings as they are.

use handlers::{
    domain::{
        booking::{Booking, FormGuard, FormGuardUpdate, NewBooking, RequestToken, Reschedule},
        calendar::CalendarVersions,
        form_hold::HoldId,
        lead::Lead,
        slot::Slot,
        usage::Usage,
    },
    ports::Store,
};

use super::{
    operation::{Operation, Reading, Replaced, SlotKey, Version, Versions},
    strategies::{START, other_phone, other_slot},
};

/// The operation as it is decided on what the real store says now; `at` tells it from others.
pub async fn resolve(operation: Operation, store: &dyn Store, at: usize) -> Operation {
    let token = RequestToken::derive(&["operation", &at.to_string()]);
    match operation {
        Operation::PutOwner(mut owner, version) => {
            owner.version = version.of(store.owner().await.unwrap().version) + 1;
            Operation::PutOwner(owner, version)
        }
        Operation::PutCalendarSettings(mut settings, version) => {
            settings.version = version.of(calendar_versions(store).await.settings) + 1;
            Operation::PutCalendarSettings(settings, version)
        }
        Operation::ChangeTimeOff(mut change, version) => {
            let day = store.versioned_day_schedule(change.date).await.unwrap();
            change.day_version = version.of(day.version);
            Operation::ChangeTimeOff(change, version)
        }
        Operation::Book(new, versions, guard) => {
            let (day_version, calendar_versions) = decided(store, new.lead.slot, versions).await;
            let current = store.open_bookings(&new.lead.phone, START).await.unwrap().guard;
            let step = guard.map(|version| guard_step(current, version));
            let new = NewBooking { token, day_version, calendar_versions, guard: step, ..*new };
            Operation::Book(Box::new(new), versions, guard)
        }
        Operation::Cancel(mut cancel, reading, key) => {
            cancel.booking = read(store, cancel.booking, reading).await;
            cancel.slot_key = slot_key(store, &cancel.booking, key).await;
            cancel.token = token;
            Operation::Cancel(cancel, reading, key)
        }
        Operation::Complete(mut done, reading, key) => {
            done.booking = read(store, done.booking, reading).await;
            done.slot_key = slot_key(store, &done.booking, key).await;
            done.token = token;
            Operation::Complete(done, reading, key)
        }
        Operation::Reschedule(change, versions, reading, key) => {
            let booking = read(store, change.booking, reading).await;
            // Nobody moves a booking to where it is.
            let to = if change.to == booking.slot { other_slot(change.to) } else { change.to };
            let (day_version, calendar_versions) = decided(store, to, versions).await;
            // Nor does a lead hold the slot that it moves to, but for one that the form holds elsewhere.
            let slot_key = slot_key(store, &booking, key).await;
            let slot_key = slot_key.filter(|key| *key != to.time().to_string());
            let change = Reschedule {
                booking,
                to,
                slot_key,
                day_version,
                calendar_versions,
                token,
                ..*change
            };
            Operation::Reschedule(Box::new(change), versions, reading, key)
        }
        Operation::HoldSlot(mut new, version, replaced) => {
            let date = new.hold.lead.slot.date();
            let day = store.versioned_day_schedule(date).await.unwrap();
            new.day_version = version.of(day.version);
            let key_hash = new.hold.id.key_hash();
            new.replaces = match replaced {
                Replaced::None => None,
                Replaced::Last => store.form_hold(key_hash).await.unwrap().map(|hold| hold.id),
                Replaced::Another => Some(HoldId::new(key_hash, "another")),
            };
            new.token = token;
            Operation::HoldSlot(new, version, replaced)
        }
        Operation::PutUsage(subject, usage, version) => {
            let before = store.usage(&subject).await.unwrap();
            let usage = Usage { version: version.of(before.version + 1).max(1), ..usage };
            Operation::PutUsage(subject, usage, version)
        }
        other => other,
    }
}

async fn calendar_versions(store: &dyn Store) -> CalendarVersions {
    let settings = store.calendar_settings().await.unwrap();
    CalendarVersions {
        settings: settings.map_or(0, |settings| settings.version),
        owner: store.owner().await.unwrap().version,
    }
}

async fn decided(store: &dyn Store, slot: Slot, versions: Versions) -> (u64, CalendarVersions) {
    let day = store.versioned_day_schedule(slot.date()).await.unwrap();
    let current = calendar_versions(store).await;
    let calendar = CalendarVersions {
        settings: versions.settings.of(current.settings),
        owner: versions.owner.of(current.owner),
    };
    (versions.day.of(day.version), calendar)
}

fn guard_step(current: Option<FormGuard>, version: Version) -> FormGuardUpdate {
    match (version, current) {
        (Version::Current, _) => FormGuardUpdate::after(current),
        (Version::Before, Some(FormGuard { version: 1 })) => FormGuardUpdate::after(None),
        (_, current) => {
            let version = version.of(current.map_or(0, |guard| guard.version));
            FormGuardUpdate::after(Some(FormGuard { version }))
        }
    }
}

/// The booking as it is now, or as somebody would give it who read something else.
async fn read(store: &dyn Store, booking: Booking, reading: Reading) -> Booking {
    let lead: Option<Lead> = store.lead(&booking.lead_id).await.unwrap();
    let booking = lead.as_ref().map_or(booking, Booking::from);
    match reading {
        Reading::Current => booking,
        Reading::OtherTime => Booking { slot: other_slot(booking.slot), ..booking },
        Reading::OtherCustomer => Booking { phone: other_phone(&booking.phone), ..booking },
    }
}

async fn slot_key(store: &dyn Store, booking: &Booking, key: SlotKey) -> Option<String> {
    match key {
        SlotKey::Right => {
            let day = store.day_schedule(booking.slot.date()).await.unwrap();
            day.key_of(&booking.lead_id)
        }
        // In a spelling that only time off has.
        SlotKey::Wrong => Some("14:00".to_owned()),
        SlotKey::None => None,
    }
}
