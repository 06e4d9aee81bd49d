//! The persona Linda in conversations, in front of a shop with a calendar.

use rehearse_core::yaml::Source;
use std::path::Path;

use serde_json::{Value, json};

use super::Persona;
use crate::{
    conversation::{Conversation, Tool},
    ids::Ids,
    reply::Part,
    schema,
};

/// The schemas of the shop's tools, all strict.
fn schemas() -> Vec<(&'static str, Value)> {
    let strict = |properties: Value| {
        let required: Vec<String> = properties.as_object().unwrap().keys().cloned().collect();
        json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
    };
    let text = || json!({ "type": "string" });
    let kinds = ["screen", "battery", "charging_port", "water_damage", "back_glass"];
    let maybe = || json!({ "type": ["string", "null"] });
    vec![
        ("check_availability", strict(json!({ "date": text() }))),
        (
            "book_slot",
            strict(json!({
                "date": text(), "time": text(), "repair_type": { "type": "string", "enum": kinds },
                "device": maybe(), "customer_name": maybe()
            })),
        ),
        ("list_bookings", strict(json!({}))),
        ("cancel_booking", strict(json!({ "lead_id": text() }))),
        (
            "reschedule_booking",
            strict(json!({ "lead_id": text(), "date": text(), "time": text() })),
        ),
        (
            "authorize_discount",
            strict(json!({ "discount_percent": { "type": "integer" }, "reason": text() })),
        ),
        ("stop_texting", strict(json!({}))),
    ]
}

/// A shop and a customer's conversation with it.
pub(super) struct Shop {
    linda: Persona,
    schemas: Vec<(&'static str, Value)>,
    messages: Vec<(bool, String)>,
    bookings: Vec<Value>,
    /// Every call, as `name {arguments}`.
    pub calls: Vec<String>,
}

impl Shop {
    pub fn open() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/openai/linda.yaml");
        Self {
            linda: Persona::read(&path).unwrap(),
            schemas: schemas(),
            messages: Vec::new(),
            bookings: Vec::new(),
            calls: Vec::new(),
        }
    }

    /// Sends a text and returns Linda's text.
    pub fn text(&mut self, text: &str) -> String {
        self.messages.push((true, text.into()));
        let mut done: Vec<(String, String, String)> = Vec::new();
        for _ in 0..6 {
            let part = self.ask(&done);
            match part {
                Part::Text(answer) => {
                    assert!(answer.is_ascii() && answer.len() <= 320, "{answer}");
                    self.messages.push((false, answer.clone()));
                    return answer;
                }
                Part::Call { name, arguments } => {
                    self.calls.push(format!("{name} {arguments}"));
                    let result = self.run(&name, &serde_json::from_str(&arguments).unwrap());
                    done.push((name, arguments, result.to_string()));
                }
                Part::Refusal(_) => unreachable!(),
            }
        }
        panic!("six rounds without an answer: {:?}", self.calls)
    }

    fn ask(&self, done: &[(String, String, String)]) -> Part {
        let mut conversation = Conversation {
            instructions: "Prices from $39. Now it is Tuesday 2026-02-10, 3:10 PM.".into(),
            tools: self
                .schemas
                .iter()
                .map(|(name, schema)| Tool { name, strict: true, parameters: Some(schema) })
                .collect(),
            ..Conversation::default()
        };
        for (user, text) in &self.messages {
            if *user {
                conversation.user(text.as_str().into());
            } else {
                conversation.assistant(text.as_str().into());
            }
        }
        let ids: Vec<String> = (0..done.len()).map(|i| format!("call_{i}")).collect();
        for (id, (name, arguments, result)) in ids.iter().zip(done) {
            conversation.call(id, name, arguments);
            conversation.result(id, result.as_str().into());
        }
        let now = "2030-01-01T00:00:00Z".parse().unwrap();
        let reply = self.linda.reply(&conversation, now, Ids::of(&[b"x"])).unwrap();
        let again = self.linda.reply(&conversation, now, Ids::of(&[b"x"])).unwrap();
        assert_eq!(reply.parts, again.parts);
        reply.parts.into_iter().next().unwrap()
    }

    fn run(&mut self, name: &str, arguments: &Value) -> Value {
        let schema = &self.schemas.iter().find(|(n, _)| *n == name).unwrap().1;
        assert_eq!(
            schema::argument_errors(arguments, schema),
            Vec::<String>::new(),
            "{name} {arguments}"
        );
        match name {
            "check_availability" if arguments["date"] == "2026-02-15" => {
                json!({ "success": false, "message": "The shop is closed on Sundays. Today is 2026-02-10" })
            }
            "check_availability" => {
                let taken = |slot: &&&str| {
                    self.bookings
                        .iter()
                        .any(|b| b["date"] == arguments["date"] && b["time"] == ***slot)
                };
                let all = if arguments["date"] == "2026-02-10" {
                    &["4:00 PM", "5:00 PM"][..]
                } else {
                    &["9:00 AM", "10:00 AM", "1:00 PM", "2:00 PM", "3:00 PM"]
                };
                let free: Vec<&&str> = all.iter().filter(|s| !taken(s)).collect();
                json!({ "success": true, "available_slots": free })
            }
            "book_slot" => {
                let mut booking = arguments.clone();
                booking["lead_id"] =
                    json!(format!("LEAD-20260210-20100{}-abcdef", self.bookings.len()));
                self.bookings.push(booking.clone());
                booking["success"] = json!(true);
                booking
            }
            "list_bookings" => json!({ "success": true, "bookings": self.bookings }),
            "cancel_booking" => {
                let before = self.bookings.len();
                self.bookings.retain(|b| b["lead_id"] != arguments["lead_id"]);
                json!({ "success": self.bookings.len() < before, "message": "There is no such booking." })
            }
            "reschedule_booking" => {
                let booking =
                    self.bookings.iter_mut().find(|b| b["lead_id"] == arguments["lead_id"]);
                let booking = booking.unwrap();
                booking["date"] = arguments["date"].clone();
                booking["time"] = arguments["time"].clone();
                json!({ "success": true })
            }
            _ => json!({ "success": true }),
        }
    }
}

#[test]
fn questions_about_prices_are_answered() {
    let mut shop = Shop::open();
    assert_eq!(
        shop.text("Do you fix iPhone screens?"),
        "Yes! iPhone screens are $79 and take about an hour. Want me to check a day?"
    );
    assert!(shop.text("yes").contains("Which day suits you?"));
    for (text, says) in [
        ("my samsung screen is cracked", "$89"),
        ("how much is a battery", "$49"),
        ("I dropped it in the toilet", "$39"),
        ("my iphone 14 pro max won't charge", "iPhone 14 Pro Max charging port repairs are $59"),
        ("back glass on my iPhone 12?", "$69"),
        ("what are your prices", "$79"),
        ("hello", "Linda"),
        ("when are you open?", "9:00 AM"),
        ("asdf", "I can tell you prices"),
        ("", "I can tell you prices"),
    ] {
        let answer = Shop::open().text(text);
        assert!(answer.contains(says), "{text}: {answer}");
    }
}

#[test]
fn a_slot_is_booked_over_three_turns() {
    let mut shop = Shop::open();
    shop.text("Hi, do you fix iPhone screens?");
    let offer = shop.text("Can I come tomorrow afternoon?");
    assert!(
        offer.contains("1:00 PM, 2:00 PM or 3:00 PM") && offer.contains("Wed Feb 11"),
        "{offer}"
    );
    let offer = shop.text("2 please, at 2");
    assert!(offer.contains("Shall I book 2:00 PM for your iPhone screen ($79)?"), "{offer}");
    assert_eq!(shop.text("Yes"), "Done! See you then.");
    assert_eq!(
        shop.calls.last().unwrap(),
        r#"book_slot {"date":"2026-02-11","time":"2:00 PM","repair_type":"screen","device":"iPhone","customer_name":null}"#
    );
}

#[test]
fn a_slot_is_booked_with_one_text() {
    let mut shop = Shop::open();
    let text = "Hi, this is Ann Smith. Please book me friday 3pm for a samsung s21 battery";
    assert_eq!(shop.text(text), "Done! See you then.");
    assert_eq!(shop.bookings[0]["date"], "2026-02-13");
    assert_eq!(shop.bookings[0]["device"], "Samsung S21");
    assert_eq!(shop.bookings[0]["customer_name"], "Ann Smith");
    assert_eq!(shop.bookings[0]["repair_type"], "battery");
}

#[test]
fn what_is_missing_is_asked_for() {
    let mut shop = Shop::open();
    assert!(
        shop.text("can I come tomorrow at 2").contains("What needs fixing, and on which phone?")
    );
    assert!(shop.text("the screen").contains("Which phone is it?"));
    assert_eq!(shop.text("iPhone 13"), "Done! See you then.");
    assert_eq!(shop.bookings[0]["device"], "iPhone 13");
}

#[test]
fn the_nearest_times_are_offered_for_a_taken_one() {
    let mut shop = Shop::open();
    shop.text("book my iphone screen tomorrow at 2");
    let mut other = Shop::open();
    other.bookings = shop.bookings.clone();
    let answer = other.text("iphone screen tomorrow 2pm?");
    assert!(
        answer.contains("2:00 PM is not free") && answer.contains("1:00 PM or 3:00 PM"),
        "{answer}"
    );
    assert!(other.text("3pm then").contains("Shall I book 3:00 PM"));
    assert_eq!(other.text("ok"), "Done! See you then.");
    assert_eq!(other.bookings[1]["time"], "3:00 PM");
    assert_eq!(
        other.text("Is sunday possible?"),
        "Sorry, I have nothing for Sun Feb 15: The shop is closed on Sundays. Which other day suits you?"
    );
}

#[test]
fn a_booking_is_listed_moved_and_cancelled() {
    let mut shop = Shop::open();
    assert!(shop.text("do I have an appointment?").contains("no upcoming booking"));
    shop.text("book iPhone battery tomorrow at 10");
    let list = shop.text("When is my appointment?");
    assert_eq!(list, "You have: tomorrow (Wed Feb 11) at 10:00 AM (iPhone battery).");
    assert!(shop.text("Can I move it?").contains("To which day and time shall I move it?"));
    assert!(shop.text("friday").contains("And at what time on Fri Feb 13?"));
    assert_eq!(shop.text("at 3"), "Done! Your booking is moved. See you then.");
    assert_eq!(shop.bookings[0]["date"], "2026-02-13");
    assert!(shop.text("Please cancel my appointment").contains("cancelled"));
    assert!(shop.bookings.is_empty());
}

#[test]
fn one_of_two_bookings_is_cancelled_by_its_day() {
    let mut shop = Shop::open();
    shop.text("book iPhone battery tomorrow at 10");
    shop.text("book iPhone screen friday at 3");
    let which = shop.text("cancel one of my appointments please");
    assert!(which.starts_with("Which one shall I cancel?"), "{which}");
    assert!(shop.text("the friday one").contains("cancelled"));
    assert_eq!(shop.bookings.len(), 1);
    assert_eq!(shop.bookings[0]["date"], "2026-02-11");
}

#[test]
fn a_second_booking_does_not_take_the_first_ones_time() {
    let mut shop = Shop::open();
    shop.text("book iPhone battery tomorrow at 10");
    let answer = shop.text("I'd like to book a screen repair too");
    assert!(!answer.contains("Done") && answer.contains("day"), "{answer}");
    assert_eq!(shop.bookings.len(), 1);
}

#[test]
fn a_tool_that_is_not_offered_is_not_called() {
    let mut shop = Shop::open();
    shop.schemas.clear();
    assert!(shop.text("tomorrow at 2?").contains("Which day would you like to come at 2:00 PM?"));
}

#[test]
fn an_error_of_a_file_points_at_its_line() {
    let read = |text: &str| {
        let source = Source::new("linda.yaml", text);
        Persona::parse(&source).unwrap_err().to_string()
    };
    for (text, says) in [
        ("name: L\ntimezone: UTC\nrules: [{ text: ['('], say: a }]\n", "linda.yaml:3"),
        ("name: L\ntimezone: UTC\nrules: [{ say: '{{ a' }]\n", "linda.yaml:3"),
        ("name: L\ntimezone: UTC\nrules: [{ if: 'a ==', say: a }]\n", "linda.yaml:3"),
        ("name: L\ntimezone: Mars/Sea\nrules: []\n", "linda.yaml:2"),
        ("name: L\ntimezone: UTC\nrules: [{ sya: a }]\n", "sya"),
        ("name: L\ntimezone: UTC\nrules: [{ text: [a] }]\n", "call"),
    ] {
        let error = read(text);
        assert!(error.contains(says) && error.contains('^'), "{text}: {error}");
    }
}
