//! What is asked and must be answered, as the steps of a scenario: they are played on the routers, and a
//! history that fails is printed with them.

use handlers::domain::{lead::LeadStatus, slot::Slot};
use jiff::civil::Date;
use memory_ports::scenario_text;
use serde_json::{Map, Value, json};

use super::{
    history::number,
    model::Model,
    shops::Shop,
    wishes::{Answer, Booking, Wish},
};

/// What the model says when its tools have run.
const DONE: &str = "Is there anything else?";
const NAMES: [&str; 3] = ["ann", "bob", "cem"];

/// Who has that name in a scenario.
pub fn customer(name: &str) -> u8 {
    let at = NAMES.iter().position(|one| *one == name).unwrap();
    u8::try_from(at).unwrap()
}

/// The name by which a scenario knows a booking's reference.
fn name(at: usize) -> String {
    format!("booking{at}")
}

/// A booking's reference.
pub fn reference(at: usize) -> String {
    format!("{{{{ {} }}}}", name(at))
}

/// The file of a history, which ends with the rows that there must be.
pub fn scenario(shop: &Shop, steps: &[Value], model: &Model, notes: &str) -> String {
    let people: Map<_, _> =
        NAMES.iter().zip(0..).map(|(name, who)| ((*name).to_owned(), json!(number(who)))).collect();
    let steps = steps.iter().cloned().chain([rows(model)]);
    let scenario = json!({
        "name": "A history that is answered otherwise than the model of the calendar says",
        "now": shop.now.to_string(),
        "people": people,
        "given": {
            "fixtures": ["owner-at-shop"],
            "env": { "SHOP_TIMEZONE": shop.zone_name, "FORM_BOOKINGS_PER_HOUR": "100", "FORM_BOOKINGS_PER_DAY": "100" },
        },
        "steps": steps.collect::<Vec<_>>(),
    });
    scenario_text(&scenario, notes)
}

/// A text that asks for something, by one call of the model.
pub fn text(
    number: usize,
    who: u8,
    wish: &Wish,
    answer: Answer,
    model: &Model,
    is_new: bool,
) -> Value {
    let at = |slot: &Slot| (slot.date().to_string(), slot.time().to_string());
    let (tool, heading, arguments) = match wish {
        Wish::Book(slot, repair) => {
            let (date, time) = at(slot);
            let arguments = json!({
                "date": date, "time": time, "repair_type": repair.slug(), "device": "iPhone 12",
                "customer_name": null, "address": "1 Main Street",
            });
            ("book_slot", "Confirmed", arguments)
        }
        Wish::Cancel(at) => ("cancel_booking", "Cancelled", json!({ "lead_id": reference(*at) })),
        Wish::Move(booking, to) => {
            let (date, time) = at(to);
            let arguments = json!({ "lead_id": reference(*booking), "date": date, "time": time });
            ("reschedule_booking", "Moved", arguments)
        }
        Wish::Form(..) | Wish::Complete(_) => panic!("nobody asks for {wish:?} by text"),
    };
    let refused = |message: Value| json!({ "success": false, "message": message });
    let result = match answer {
        Answer::Done(at) => {
            let mut result = booking(at, &model.bookings[at], is_new);
            result["success"] = json!(true);
            result
        }
        Answer::Taken => refused(json!("That time is already taken")),
        Answer::Own(_) => refused(json!({ "contains": "own already" })),
        _ => refused(json!({ "excludes": "already taken" })),
    };
    let mut last = json!({ "sees": { "results": [result] } });
    let reply = match answer {
        Answer::Done(at) => {
            if is_new {
                last["save"] = json!({ name(at): "results[0].lead_id" });
            }
            let done = format!("{heading}: {}", model.bookings[at].slot);
            json!({ "contains": [done, reference(at)] })
        }
        _ => json!({ "excludes": ["Confirmed:", "Cancelled:", "Moved:"] }),
    };
    last["say"] = json!(DONE);
    json!({
        "customer": format!("Please do, it is my wish number {number}"),
        "from": NAMES[usize::from(who)],
        "model": [{ "call": [{ tool: arguments }] }, last],
        "replies": [reply],
    })
}

/// The last text once more; false when the last step is none, or was repeated before.
pub fn repeat(steps: &mut [Value]) -> bool {
    let Some(last) = steps.last_mut().and_then(Value::as_object_mut) else { return false };
    if !last.contains_key("customer") || last.contains_key("duplicate") {
        return false;
    }
    let reply = last["replies"][0].clone();
    last.insert("duplicate".into(), json!({ "times": 2 }));
    last["replies"] = json!([reply.clone(), reply]);
    true
}

/// A form.
pub fn form(who: u8, key: u8, wish: &Wish, answer: Answer, model: &Model, is_new: bool) -> Value {
    let Wish::Form(_, slot, repair) = wish else { panic!("{wish:?} is no form") };
    let mut step = request("POST /scheduler", json!({ "Idempotency-Key": format!("key-{key}") }));
    step["json"] = json!({
        "phone": number(who), "date": slot.date().to_string(), "time": slot.time().to_string(),
        "repair_type": repair.slug(), "device": "iPhone 12", "address": "1 Main Street",
    });
    step["response"] = match answer {
        Answer::Done(at) => {
            let body = booking(at, &model.bookings[at], is_new);
            json!({ "status": 201, "json": body })
        }
        Answer::Taken => told(409, "That time is already taken"),
        Answer::TooMany => {
            told(409, "No more appointments can be booked here right now. Please text or call us")
        }
        Answer::KeyReused => told(422, "This Idempotency-Key was used for another request"),
        _ => json!({ "status": 400 }),
    };
    if let (Answer::Done(at), true) = (answer, is_new) {
        step["save"] = json!({ name(at): "json.lead_id" });
    }
    step
}

/// A change by the owner's page.
pub fn owner(wish: &Wish, answer: Answer, model: &Model) -> Value {
    let (at, change, body) = match wish {
        Wish::Cancel(at) => (at, "cancel", json!({ "tell_customer": false })),
        Wish::Move(at, to) => {
            let (date, time) = (to.date().to_string(), to.time().to_string());
            (at, "move", json!({ "date": date, "time": time, "tell_customer": false }))
        }
        Wish::Complete(at) => (at, "done", json!({})),
        Wish::Book(..) | Wish::Form(..) => panic!("the owner's page does not {wish:?}"),
    };
    let mut step = owners(&format!("POST /owner/api/bookings/{}/{change}", reference(*at)), body);
    step["response"] = match answer {
        Answer::Done(at) => {
            json!({ "status": 200, "json": booking(at, &model.bookings[at], false) })
        }
        Answer::Taken => told(409, "That time is already taken"),
        Answer::Own(_) => told(409, "This customer has that time already"),
        Answer::Unbookable => json!({ "status": 400 }),
        _ => json!({ "status": 409, "json": { "message": { "excludes": "already taken" } } }),
    };
    step
}

/// A change of the calendar or of time off, with the bookings that it touches.
pub fn calendar(line: &str, body: Value, touched: &[usize]) -> Value {
    let mut step = owners(line, body);
    let touched: Vec<_> = touched.iter().map(|at| json!({ "lead_id": reference(*at) })).collect();
    step["response"] = json!({ "status": 200, "json": { "touched_bookings": touched } });
    step
}

/// The end of a date's time off.
pub fn give_back(date: Date, was_off: bool) -> Value {
    let mut step = owners("DELETE /calendar/time-off", json!({ "date": date.to_string() }));
    step["response"] = told(200, if was_off { "Time off ended" } else { "There was no time off" });
    step
}

/// What the form shows.
pub fn look(date: Date, repair: &str, free: &[String]) -> Value {
    let line = format!("GET /scheduler?date={date}&repair_type={repair}");
    json!({ "request": line, "response": { "status": 200, "json": { "available_slots": free } } })
}

/// Time that passes.
pub fn later(minutes: i64) -> Value {
    json!({ "wait": format!("{minutes}m") })
}

/// The rows that there must be in the end.
fn rows(model: &Model) -> Value {
    let all = || model.bookings.iter().enumerate();
    let at = |slot: Slot| (slot.date().to_string(), slot.time().to_string());
    let lead = |(index, one): (usize, &Booking)| {
        let (date, time) = at(one.slot);
        json!({
            "lead_id": reference(index), "phone": number(one.customer), "status": one.status.as_str(),
            "repair_type": one.repair.slug(), "appointment_date": date, "appointment_time": time,
        })
    };
    let hold = |(index, one): (usize, &Booking)| {
        let (date, time) = at(one.slot);
        json!({
            "lead_id": reference(index), "status": one.status.as_str(), "schedule_date": date,
            "slot_time": time,
        })
    };
    let open = |(index, one): (usize, &Booking)| json!({ "lead_id": reference(index), "phone": number(one.customer), "start": one.slot.wall_clock() });
    let holds = all().filter(|(_, one)| one.status != LeadStatus::Cancelled).map(hold);
    let open = all().filter(|(_, one)| one.status == LeadStatus::Booked).map(open);
    let of_bookings =
        |rows: Vec<Value>| json!({ "where": { "lead_id": { "any": "string" } }, "rows": rows });
    json!({ "expect": { "tables": {
        "Leads": of_bookings(all().map(lead).collect()),
        "Schedule": of_bookings(holds.collect()),
        "CustomerBookings": of_bookings(open.collect()),
    } } })
}

/// What is told of a booking as it is.
fn booking(at: usize, booking: &Booking, is_new: bool) -> Value {
    let slot = booking.slot;
    let mut told = json!({ "date": slot.date().to_string(), "time": slot.time().to_string() });
    if !is_new {
        told["lead_id"] = json!(reference(at));
    }
    told
}

fn told(status: u16, message: &str) -> Value {
    json!({ "status": status, "json": { "message": message } })
}

fn request(line: &str, headers: Value) -> Value {
    json!({ "request": line, "headers": headers })
}

fn owners(line: &str, body: Value) -> Value {
    let mut step = request(line, json!({ "Authorization": "Bearer {{ env.ADMIN_TOKEN }}" }));
    step["json"] = body;
    step
}
