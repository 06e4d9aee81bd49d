//! The shop behind its real routers, on ports in memory. It is asked what the steps of a scenario say,
//! and must answer what they say.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::Router;
use handlers::{
    adapters::{secrets::StaticCredential, system::RandomIdGenerator},
    app::{
        customers::CustomerService, owner_calendar::OwnerCalendarService,
        owner_page::OwnerPageService, owner_state::OwnerStateService,
    },
    domain::{
        lead::{Lead, LeadStatus},
        usage::FormLimits,
    },
    http::{self, WebhookAuthentication},
};
use jiff::{SignedDuration, Timestamp, civil::Date};
use memory_ports::{Idle, World, call, phone, say};
use serde_json::{Value, json};

use super::{history::number, model::Model, script, shops::Shop};
use crate::{
    dispatcher::{self, webhook},
    events::{TestRequest, TestResponse, request},
};

const TOKEN: &str = "s3cret";

/// The functions of a shop.
pub struct Routers {
    world: World,
    dispatcher: Router,
    scheduler: Router,
    state: Router,
    now: Timestamp,
    /// What steps have saved, by its name in braces.
    saved: BTreeMap<String, String>,
    /// How many steps were played.
    played: usize,
    /// The last webhook, with its answer, until it was repeated.
    last: Option<(TestRequest, String)>,
}

impl Routers {
    pub fn of(shop: &Shop) -> Self {
        let world = World::with_calendar(shop.deployed());
        let (store, ids) = (world.store.clone(), Arc::new(RandomIdGenerator));
        let authentication = WebhookAuthentication {
            auth_token: Arc::new(StaticCredential::new(dispatcher::TOKEN)),
            public_urls: Vec::new(),
            account_sid: "AC1".to_owned(),
            number: phone("+19045550100"),
        };
        // How often an address may book is not what is tried here.
        let limits = FormLimits { per_hour: 100, per_day: 100 };
        let scheduler = world.scheduler().with_limits(limits);
        let state = http::state(
            OwnerStateService::new(store.clone(), ids.clone()),
            OwnerCalendarService::new(store.clone(), shop.deployed()),
            CustomerService::new(store.clone(), shop.deployed()),
            OwnerPageService::new(store, ids, Arc::new(Idle), shop.deployed()),
            Some(Arc::new(StaticCredential::new(TOKEN))),
        );
        let saved = [("{{ env.ADMIN_TOKEN }}".to_owned(), TOKEN.to_owned())];
        Self {
            dispatcher: http::dispatcher(world.reply(), authentication),
            scheduler: http::scheduler(scheduler, http::BookPage::default()),
            state,
            now: shop.now,
            saved: saved.into(),
            played: 0,
            last: None,
            world,
        }
    }

    /// Plays the steps that were not played yet, or the last text once more if it says so by now.
    pub fn play(&mut self, steps: &[Value]) {
        if self.played == steps.len() {
            if steps.last().is_some_and(|step| step.get("duplicate").is_some()) {
                self.repeat();
            }
            return;
        }
        for step in &steps[self.played..] {
            let step = self.with_saved(step);
            self.played += 1;
            if let Some(words) = step["customer"].as_str() {
                self.text(&step, words);
            } else if let Some(line) = step["request"].as_str() {
                self.request(&step, line);
            } else {
                self.wait(step["wait"].as_str().unwrap());
            }
        }
    }

    fn text(&mut self, step: &Value, words: &str) {
        for round in step["model"].as_array().unwrap() {
            match round["call"][0].as_object().and_then(|calls| calls.iter().next()) {
                Some((tool, arguments)) => self.world.model.then([call(tool, arguments.clone())]),
                None => self.world.model.then([say(round["say"].as_str().unwrap())]),
            };
        }
        let from = script::customer(step["from"].as_str().unwrap());
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("To", "+19045550100"), ("NumMedia", "0"), ("Body", words)])
            .append_pair("MessageSid", &format!("SM{:032}", self.played))
            .extend_pairs([("AccountSid", "AC1"), ("From", &number(from))])
            .finish();
        let webhook = webhook(&form);
        let answer = self.send(&self.dispatcher, webhook.clone());
        self.world.model.forget_script();
        let requests = self.world.model.requests();
        let results = requests.last().map(|last| last.results()).unwrap_or_default();
        // Those of earlier texts come before it.
        let result = json!([results.last()]);
        let last = &step["model"][1];
        assert_fits(step, &last["sees"]["results"], &result);
        self.save(step, &last["save"], &json!({ "results": result }));
        assert_fits(step, &self.with_saved(&step["replies"][0]), &json!(answer.text));
        self.last = Some((webhook, answer.text));
    }

    fn repeat(&mut self) {
        let Some((webhook, answer)) = self.last.take() else { return };
        let again = self.send(&self.dispatcher, webhook);
        assert_eq!(again.text, answer, "a text that comes twice is answered the same");
    }

    fn request(&mut self, step: &Value, line: &str) {
        self.last = None;
        let (method, path) = line.split_once(' ').unwrap();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let method =
            ["GET", "POST", "PUT", "DELETE"].into_iter().find(|one| *one == method).unwrap();
        let mut request = request(method, path).query(query);
        for (name, value) in step["headers"].as_object().into_iter().flatten() {
            let known = ["authorization", "idempotency-key"].into_iter();
            let name = known.into_iter().find(|known| name.eq_ignore_ascii_case(known)).unwrap();
            request = request.header(name, value.as_str().unwrap());
        }
        if let Some(body) = step.get("json") {
            request = request.json(body);
        }
        let router = if path == "/scheduler" { &self.scheduler } else { &self.state };
        let answer = self.send(router, request);
        let answer = json!({ "status": answer.status.as_u16(), "json": answer.json() });
        assert_fits(step, &step["response"], &answer);
        self.save(step, &step["save"], &answer);
    }

    fn wait(&mut self, span: &str) {
        let minutes: i64 = span.strip_suffix('m').unwrap().parse().unwrap();
        let time = SignedDuration::from_mins(minutes);
        self.now += time;
        self.world.timer.advance(time.unsigned_abs());
    }

    fn send(&self, router: &Router, request: TestRequest) -> TestResponse {
        self.world.run(request.time_epoch(Some(self.now.as_millisecond())).send(router))
    }

    /// A value with what was saved in place of its names.
    fn with_saved(&self, value: &Value) -> Value {
        let known = |text: String, (name, value): (&String, &String)| text.replace(name, value);
        serde_json::from_str(&self.saved.iter().fold(value.to_string(), known)).unwrap()
    }

    /// Remembers the references that a step saves.
    fn save(&mut self, step: &Value, names: &Value, answer: &Value) {
        for (name, path) in names.as_object().into_iter().flatten() {
            let path = path.as_str().unwrap().replace("[0]", "/0").replace('.', "/");
            let value = answer.pointer(&format!("/{path}")).and_then(Value::as_str);
            let value = value.unwrap_or_else(|| panic!("{step}\nwas answered {answer}"));
            self.saved.insert(format!("{{{{ {name} }}}}"), value.to_owned());
        }
    }

    /// Compares the tables with the model.
    pub fn check_rows(&self, model: &Model) {
        let id = |at: usize| self.saved[&script::reference(at)].clone();
        let row = |id: &str, what: &str, at: &dyn std::fmt::Display| format!("{id} {what} {at}");
        let mut expected = BTreeSet::new();
        for (at, one) in model.bookings.iter().enumerate() {
            let what = format!("{} {:?} {:?}", number(one.customer), one.repair, one.status);
            expected.insert(row(&id(at), &what, &one.slot.wall_clock()));
            if one.status != LeadStatus::Cancelled {
                expected.insert(row(&id(at), "is held", &one.slot.wall_clock()));
            }
            if one.status == LeadStatus::Booked {
                expected.insert(row(&id(at), "is a booking", &one.slot.wall_clock()));
            }
        }
        let mut dates: BTreeSet<Date> =
            model.time_off.iter().map(|(slot, _)| slot.date()).collect();
        for (slot, needed) in &model.time_off {
            let (from, until) = needed.occupied(slot.time());
            expected.extend(
                (from..until)
                    .map(|minute| row("nobody", "is off", &format!("{} {minute}", slot.date()))),
            );
        }
        let mut found = BTreeSet::new();
        for lead in self.world.store.leads() {
            let Lead { id, phone, repair, status, slot, .. } = &lead;
            let what = format!("{phone} {repair:?} {status:?}", phone = phone.as_str());
            found.insert(row(id.as_str(), &what, &slot.wall_clock()));
            dates.insert(slot.date());
        }
        for booking in self.world.store.open_bookings() {
            found.insert(row(booking.lead_id.as_str(), "is a booking", &booking.slot.wall_clock()));
        }
        for date in dates {
            for hold in self.world.store.schedule(date).holds {
                if hold.is_time_off {
                    let (from, until) = hold.time_needed().occupied(hold.start);
                    found.extend(
                        (from..until)
                            .map(|minute| row("nobody", "is off", &format!("{date} {minute}"))),
                    );
                } else {
                    let slot = handlers::domain::slot::Slot::new(date, hold.start);
                    found.insert(row(&hold.lead_id, "is held", &slot.wall_clock()));
                }
            }
        }
        let missing: Vec<_> = expected.difference(&found).collect();
        let too_many: Vec<_> = found.difference(&expected).collect();
        assert!(
            missing.is_empty() && too_many.is_empty(),
            "rows missing: {missing:?}\nrows too many: {too_many:?}"
        );
    }
}

fn assert_fits(step: &Value, expected: &Value, answer: &Value) {
    assert!(fits(expected, answer), "{step}\nwas answered {answer}");
}

/// Whether an answer is as a scenario says: a map names some of its keys, or an operator.
fn fits(expected: &Value, answer: &Value) -> bool {
    match expected {
        Value::Object(fields) => fields.iter().all(|(key, expected)| match key.as_str() {
            "contains" => parts(expected).iter().all(|part| holds(answer, part)),
            "excludes" => !parts(expected).iter().any(|part| holds(answer, part)),
            _ => fits(expected, &answer[key]),
        }),
        Value::Array(all) => answer.as_array().is_some_and(|answers| {
            answers.len() == all.len()
                && all.iter().zip(answers).all(|(one, answer)| fits(one, answer))
        }),
        value => value == answer,
    }
}

fn parts(expected: &Value) -> Vec<&Value> {
    expected.as_array().map_or_else(|| vec![expected], |parts| parts.iter().collect())
}

fn holds(answer: &Value, part: &Value) -> bool {
    let text = answer.as_str().zip(part.as_str());
    text.is_some_and(|(text, part)| text.contains(part))
}
