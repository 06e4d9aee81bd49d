//! Availability and booking through `/scheduler` and `/scheduler/confirm`: invariants 1 to 3, 5 to 10,
//! 13, 14, 18, 22 and 23.

use std::sync::Arc;

use axum::Router;
use handlers::{
    adapters::system::RandomIdGenerator,
    app::scheduler::Scheduler,
    domain::{
        catalogue::Repair,
        form_hold::FormConfirmation,
        lead::Lead,
        slot::{Slot, SlotTime},
        usage::FormLimits,
    },
    http,
};
use jiff::{SignedDuration, Timestamp, civil};
use memory_ports::{FakeStore, Idle};
use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::{Value, json};

use super::{
    reference::Minutes,
    shops::{Shop, repairs, shops},
};
use crate::events::{TestResponse, request};

/// The form of a shop, on tables in memory.
struct Form {
    router: Router,
    store: Arc<FakeStore>,
    now: Timestamp,
}

/// Who books what.
#[derive(Debug, Clone)]
struct Request {
    phone: u8,
    slot: Slot,
    repair: Repair,
}

impl Form {
    fn of(shop: &Shop, confirmation: FormConfirmation) -> Self {
        let store = Arc::new(FakeStore::default());
        store.set_calendar(shop.settings.clone());
        store.set_owner(shop.owner());
        let (ids, background) = (Arc::new(RandomIdGenerator), Arc::new(Idle));
        let scheduler = Scheduler::new(store.clone(), ids, background, shop.deployed(), None);
        // How often an address may book is not what is tried here.
        let limits = FormLimits { per_hour: 1000, per_day: 1000 };
        let scheduler = scheduler.with_confirmation(confirmation).with_limits(limits);
        Self { router: http::scheduler(scheduler, http::BookPage::default()), store, now: shop.now }
    }

    fn send(&self, request: crate::events::TestRequest) -> TestResponse {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let request = request.time_epoch(Some(self.now.as_millisecond()));
        runtime.block_on(request.send(&self.router))
    }

    /// The times that the form shows.
    fn offers(&self, date: civil::Date, repair: &Repair) -> Vec<SlotTime> {
        let query = format!("date={date}&repair_type={}", repair.slug());
        let answer = self.send(request("GET", "/scheduler").query(&query));
        assert_eq!(answer.status, 200, "{}", answer.text);
        let times = answer.json()["available_slots"].as_array().unwrap().clone();
        times.iter().map(|time| SlotTime::parse(time.as_str().unwrap()).unwrap()).collect()
    }

    /// Some offer of the next days.
    fn pick(&self, shop: &Shop, repair: &Repair, index: &Index) -> Option<Slot> {
        let slots = |days| {
            let date = shop.date(days);
            self.offers(date, repair).into_iter().map(move |time| Slot::new(date, time))
        };
        let all: Vec<Slot> = (0..4).flat_map(slots).collect();
        (!all.is_empty()).then(|| all[index.index(all.len())])
    }

    fn book(&self, wish: &Request) -> TestResponse {
        self.send(request("POST", "/scheduler").json(&wish.json()))
    }

    fn book_with_key(&self, wish: &Request, key: &str) -> TestResponse {
        self.send(request("POST", "/scheduler").json(&wish.json()).header("idempotency-key", key))
    }
}

impl Request {
    fn phone(&self) -> String {
        format!("+1904252{:04}", self.phone)
    }

    fn json(&self) -> Value {
        json!({
            "phone": self.phone(), "date": self.slot.date().to_string(),
            "time": self.slot.time().to_string(), "repair_type": self.repair.slug(),
            "device": "iPhone 12", "customer_name": "Ann", "address": "1 Main Street",
        })
    }
}

fn lead_id(answer: &TestResponse) -> Value {
    answer.json()["lead_id"].clone()
}

/// Whether two leads leave the owner at one place at a time.
fn are_apart(one: &Lead, other: &Lead) -> bool {
    let [(from, until), (others_from, others_until)] =
        [one, other].map(|lead| lead.time_needed.occupied(lead.slot.time()));
    one.slot.date() != other.slot.date() || until <= others_from || others_until <= from
}

proptest! {
    /// The form shows exactly what every single minute allows (6 to 14), beside a booking that it made.
    #[test]
    fn the_form_offers_what_every_single_minute_allows(
        shop in shops(), days in -1i64..6, first in repairs(), repair in repairs(), index in any::<Index>(),
    ) {
        let form = Form::of(&shop, FormConfirmation::None);
        if let Some(slot) = form.pick(&shop, &first, &index) {
            form.book(&Request { phone: 1, slot, repair: first });
        }
        let date = shop.date(days);
        let held = form.store.schedule(date).holds;
        let expected = Minutes::of(&shop, date, &held).times(shop.settings.time_needed(&repair));
        prop_assert_eq!(form.offers(date, &repair), expected);
    }

    /// 6. Offered means bookable; 2. and exactly one booking holds the slot then.
    #[test]
    fn what_the_form_offers_can_be_booked(
        shop in shops(), repair in repairs(), index in any::<Index>(),
    ) {
        let form = Form::of(&shop, FormConfirmation::None);
        let Some(slot) = form.pick(&shop, &repair, &index) else { return Ok(()) };
        let answer = form.book(&Request { phone: 1, slot, repair: repair.clone() });
        prop_assert_eq!(answer.status, 201, "{}", answer.text);
        prop_assert!(!form.offers(slot.date(), &repair).contains(&slot.time()));
        let leads = form.store.leads();
        let [lead] = leads.as_slice() else { panic!("{leads:?}") };
        prop_assert_eq!(lead.slot, slot);
        // 13. As long as the service takes; 22. as the catalogue has it, 23. for the number that asked.
        prop_assert_eq!(lead.time_needed, shop.settings.time_needed(&repair));
        prop_assert_eq!((&lead.repair, lead.phone.as_str()), (&repair, "+19042520001"));
    }

    /// 7. Bookable means offered: whatever else is asked for is refused, and nothing is written.
    #[test]
    fn what_the_form_does_not_offer_is_refused(
        shop in shops(), days in -1i64..6, minute in 0u16..1440, on_the_grid in any::<bool>(), repair in repairs(),
    ) {
        let form = Form::of(&shop, FormConfirmation::None);
        let minute = if on_the_grid { minute / 15 * 15 } else { minute };
        let slot = Slot::new(shop.date(days), SlotTime::from_minute_of_day(minute).unwrap());
        let is_offered = form.offers(slot.date(), &repair).contains(&slot.time());
        let answer = form.book(&Request { phone: 1, slot, repair });
        prop_assert_eq!(answer.status == 201, is_offered, "{}", answer.text);
        prop_assert!(is_offered || answer.status == 400, "{}", answer.text);
        prop_assert_eq!(form.store.leads().len(), usize::from(is_offered));
    }

    /// 1. Confirmed overlap per resource never exceeds capacity, buffers included: whoever asks for
    /// whatever, no two bookings meet, and 5. who is told "taken" met somebody else's.
    #[test]
    fn no_two_bookings_of_the_form_meet(
        shop in shops(), wishes in vec((repairs(), 0i64..2, 0u16..96), 1..10),
    ) {
        let form = Form::of(&shop, FormConfirmation::None);
        for (i, (repair, days, quarter)) in wishes.into_iter().enumerate() {
            let slot = Slot::new(shop.date(days), SlotTime::from_minute_of_day(quarter * 15).unwrap());
            let before = form.store.leads();
            let wish = Request { phone: i as u8, slot, repair };
            let answer = form.book(&wish);
            if answer.status == 409 {
                let mine = Lead { slot, time_needed: shop.settings.time_needed(&wish.repair), ..before[0].clone() };
                prop_assert!(before.iter().any(|lead| !are_apart(lead, &mine)), "{}", answer.text);
            }
        }
        let leads = form.store.leads();
        for (i, one) in leads.iter().enumerate() {
            for other in &leads[i + 1..] {
                prop_assert!(are_apart(one, other), "{one:?} {other:?}");
            }
        }
    }

    /// 3. At most one booking per form key, however often and for whatever it is used.
    #[test]
    fn a_key_books_once(
        shop in shops(), repair in repairs(), picks in vec((any::<Index>(), 0u8..2), 1..6),
    ) {
        let form = Form::of(&shop, FormConfirmation::None);
        let mut first: Option<(Value, Value)> = None;
        for (index, phone) in picks {
            // What was free before the first booking.
            let fresh = Form::of(&shop, FormConfirmation::None);
            let Some(slot) = fresh.pick(&shop, &repair, &index) else { return Ok(()) };
            let wish = Request { phone, slot, repair: repair.clone() };
            let answer = form.book_with_key(&wish, "key-1");
            match &first {
                None => first = Some((wish.json(), lead_id(&answer))),
                Some((same, lead)) if wish.json() == *same => {
                    prop_assert_eq!(answer.status, 201);
                    prop_assert_eq!(&lead_id(&answer), lead);
                }
                Some(_) => prop_assert_eq!(answer.status, 422, "{}", answer.text),
            }
            prop_assert_eq!(form.store.leads().len(), 1);
        }
    }

    /// 18. An expired hold frees its slot; a hold blocks others only.
    #[test]
    fn a_hold_blocks_others_until_it_ends(
        shop in shops(), repair in repairs(), index in any::<Index>(),
        seconds in prop_oneof![proptest::sample::select(vec![0i64, 599, 600, 601]), 0i64..1200],
    ) {
        let mut form = Form::of(&shop, FormConfirmation::Sms);
        let Some(slot) = form.pick(&shop, &repair, &index) else { return Ok(()) };
        let wish = Request { phone: 1, slot, repair: repair.clone() };
        let pending = form.book_with_key(&wish, "key-1");
        prop_assert_eq!(pending.status, 202, "{}", pending.text);
        let until: Timestamp = pending.json()["expires_at"].as_str().unwrap().parse().unwrap();
        let text = form.store.outbox().pop().unwrap();
        prop_assert_eq!(text.to.as_str(), wish.phone());
        let code: String = text.body.chars().filter(char::is_ascii_digit).take(6).collect();

        form.now += SignedDuration::from_secs(seconds);
        let is_held = form.now < until;
        let is_still_offered = {
            let later = Shop { now: form.now, ..shop.clone() };
            Minutes::of(&later, slot.date(), &[]).may_begin(slot.time().minute_of_day(), shop.settings.time_needed(&repair))
        };
        let is_offered = form.offers(slot.date(), &repair).contains(&slot.time());
        prop_assert_eq!(is_offered, is_still_offered && !is_held);
        let other = form.book_with_key(&Request { phone: 2, ..wish.clone() }, "key-2");
        prop_assert_eq!(other.status == 202, is_offered, "{}", other.text);

        let confirm = json!({ "hold_id": pending.json()["hold_id"], "code": code });
        let confirmed = form.send(request("POST", "/scheduler/confirm").json(&confirm));
        prop_assert_eq!(confirmed.status == 201, is_held, "{}", confirmed.text);
        prop_assert_eq!(form.store.leads().len(), usize::from(is_held));
    }
}
