//! Every route of every function, and routers with what could be lost.

use std::sync::Arc;

use axum::Router;
use handlers::{
    domain::{
        lead::{Lead, LeadId},
        outbox::{Callback, UnansweredText},
        slot::{Slot, SlotTime},
        turn::TurnKey,
    },
    ports::Store as _,
};
use jiff::civil::date;
use memory_ports::{ANN, FakeStore, NOW, phone};

/// Which function answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    Dispatcher,
    Scheduler,
    StateManager,
    LateReply,
}

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    Anybody,
    /// Whose request is signed.
    Twilio,
    /// Who has the admin token.
    Owner,
    /// Which gives the function its events; nobody else reaches it.
    Lambda,
}

/// A path, who may ask for it, and the methods that it has.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    pub function: Function,
    pub path: &'static str,
    pub caller: Caller,
    pub methods: &'static [&'static str],
}

const fn route(
    function: Function,
    caller: Caller,
    path: &'static str,
    methods: &'static [&'static str],
) -> Route {
    Route { function, path, caller, methods }
}

const CHANGED: &[&str] = &["GET", "POST", "PUT", "DELETE"];
const TIME_OFF: &[&str] = &["GET", "POST", "DELETE"];
const CUSTOMER: &[&str] = &["GET", "DELETE"];
const GET: &[&str] = &["GET"];
const POST: &[&str] = &["POST"];
const BOTH: &[&str] = &["GET", "POST"];

use Caller::{Anybody, Lambda, Owner, Twilio};
use Function::{Dispatcher, LateReply, Scheduler, StateManager};

/// All of them. A test compares them with the routers' own.
pub const ROUTES: [Route; 30] = [
    route(Dispatcher, Twilio, "/dispatcher", BOTH),
    route(Dispatcher, Twilio, "/message-status", POST),
    route(Scheduler, Anybody, "/scheduler", BOTH),
    route(Scheduler, Anybody, "/scheduler/confirm", POST),
    route(Scheduler, Anybody, "/book", BOTH),
    route(Scheduler, Anybody, "/book/ics", POST),
    route(Scheduler, Anybody, "/book/book.js", GET),
    route(Scheduler, Anybody, "/book/book.css", GET),
    route(Scheduler, Anybody, "/book/embed.js", GET),
    route(StateManager, Owner, "/state", CHANGED),
    route(StateManager, Owner, "/calendar", CHANGED),
    route(StateManager, Owner, "/calendar/time-off", TIME_OFF),
    route(StateManager, Owner, "/customers/{phone}", CUSTOMER),
    route(StateManager, Anybody, "/owner", GET),
    route(StateManager, Anybody, "/owner/owner.js", GET),
    route(StateManager, Anybody, "/owner/bookings.js", GET),
    route(StateManager, Anybody, "/owner/settings.js", GET),
    route(StateManager, Anybody, "/owner/owner.css", GET),
    route(StateManager, Anybody, "/owner/session", &["POST", "DELETE"]),
    route(StateManager, Owner, "/owner/api/overview", GET),
    route(StateManager, Owner, "/owner/api/conversations", GET),
    route(StateManager, Owner, "/owner/api/bookings/{lead_id}/cancel", POST),
    route(StateManager, Owner, "/owner/api/bookings/{lead_id}/move", POST),
    route(StateManager, Owner, "/owner/api/bookings/{lead_id}/done", POST),
    route(StateManager, Owner, "/owner/api/unanswered/{sid}/answered", POST),
    route(StateManager, Owner, "/owner/api/state", CHANGED),
    route(StateManager, Owner, "/owner/api/calendar", CHANGED),
    route(StateManager, Owner, "/owner/api/calendar/time-off", TIME_OFF),
    route(StateManager, Owner, "/owner/api/customers/{phone}", CUSTOMER),
    route(LateReply, Lambda, "/events", POST),
];

impl Route {
    /// The path of what nobody has stored, or of `place` in its variable part.
    pub fn path_of(self, place: &str) -> String {
        match (self.path.find('{'), self.path.find('}')) {
            (Some(from), Some(until)) => {
                format!("{}{place}{}", &self.path[..from], &self.path[until + 1..])
            }
            _ => self.path.to_owned(),
        }
    }

    /// Whether the right token alone makes a method change something: there is no body to refuse.
    pub fn needs_no_body(self, method: &str) -> bool {
        method == "DELETE" && !self.path.ends_with("/time-off")
    }
}

/// A router of a route's function on tables with a customer in them.
pub async fn router_of(route: Route) -> (Router, Arc<FakeStore>) {
    let (router, store) = empty_router_of(route.function);
    fill(&store).await;
    (router, store)
}

/// A router of a function on empty tables.
pub fn empty_router_of(function: Function) -> (Router, Arc<FakeStore>) {
    match function {
        Function::Dispatcher => {
            let (router, _, store) = crate::dispatcher::shop("Hello", &[]);
            (router, store)
        }
        Function::Scheduler => crate::scheduler::confirming_router(),
        Function::StateManager => crate::state::router(),
        Function::LateReply => crate::dispatcher::late_reply(),
    }
}

/// The customer's booking.
pub const BOOKED: &str = "LEAD-20260210-201000-1a2b3c";

async fn fill(store: &FakeStore) {
    let slot = Slot::new(date(2026, 2, 11), SlotTime::hour_of_day(14));
    let lead = memory_ports::lead(LeadId::from_row(BOOKED), slot);
    let new = memory_ports::new_booking(
        Lead { customer_name: Some("Nightingale".into()), ..lead },
        &["t"],
    );
    store.book(&new).await.unwrap();
    let unanswered = UnansweredText {
        key: TurnKey { phone: phone(ANN), sid: "SM1".into() },
        words: "Where is my giraffe?".into(),
        media: Vec::new(),
        reason: "the deadline passed".into(),
        now: NOW.parse().unwrap(),
    };
    let callback = Callback { unanswered, notification: Vec::new() };
    store.keep_callback(&callback).await.unwrap();
}
