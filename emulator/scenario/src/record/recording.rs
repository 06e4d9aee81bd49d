//! The exchanges of a part of the journal as a scenario.

mod asked;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Map, Value, json};

use super::{
    RecordError,
    cast::Cast,
    faults::faults,
    happenings::{Happening, Text, What, groups},
    known_rows::Tables,
    messages,
    replies::{Replies, Sent, sent},
    requests::{self, Credentials},
    rounds::rounds,
    rows,
    stable::Stable,
    tokens::Tokens,
    words::Words,
};
use rehearse_core::journal::{Exchange, ExchangeDetail};
use rehearse_world::{Backend, World};

/// Shortest time between two steps that becomes a step of its own.
const SHORTEST_WAIT: SignedDuration = SignedDuration::from_secs(1);

/// Shortest value of an export that is written by its name.
const SHORTEST_SECRET: usize = 8;

/// A part of the journal, and what is needed to write it down.
pub(super) struct Recording<'a> {
    world: &'a World,
    backend: &'a Backend,
    exchanges: &'a [Exchange],
    groups: Vec<Vec<Happening>>,
    rows: [&'a Tables; 2],
    cast: Cast,
    words: Words,
    tokens: Tokens,
    zone: TimeZone,
    start: Timestamp,
    notes: RefCell<BTreeSet<String>>,
    refusal: RefCell<Option<String>>,
}

impl<'a> Recording<'a> {
    /// `happenings` are some of those of the exchanges, and not none.
    pub(super) fn new(
        world: &'a World,
        backend: &'a Backend,
        exchanges: &'a [Exchange],
        happenings: Vec<Happening>,
        rows: [&'a Tables; 2],
    ) -> Self {
        let settings = backend.settings();
        let first =
            happenings.first().map_or_else(|| world.clock().now(), |happening| happening.at);
        let mut start = Timestamp::from_second(first.as_second()).unwrap_or(first);
        // No row may be of a later moment than the first step.
        if rows::has_moment_after(rows[0], start) {
            start = Timestamp::from_second(first.as_second() + 1).unwrap_or(start);
        }
        // A scenario's zone is the offset of its `now`.
        let zone = TimeZone::fixed(start.to_zoned(world.time_zone()).offset());
        let speaking = happenings.iter().filter_map(Happening::sender);
        let cast = Cast::of(settings, speaking);
        let people = settings.people.keys().cloned();
        let mut tokens = Tokens::new(people.chain(cast.own().iter().map(|(name, _)| name.clone())));
        tokens.rows_before(rows[0]);
        let mut coming = happenings.iter().peekable();
        for exchange in exchanges {
            if let Some(happening) = coming.next_if(|happening| happening.seq == exchange.seq) {
                match &happening.what {
                    What::Text(text) => tokens.text(text),
                    What::Request(request) => tokens.request(happening.seq, request),
                }
            }
            if let ExchangeDetail::Model { request, .. } = &exchange.detail {
                let response = exchange.outcome.as_ref().map(|outcome| &outcome.response);
                tokens.model(exchange.seq, request, response.unwrap_or(&Value::Null));
            }
        }
        tokens.keep_used(&used(exchanges, &happenings, rows[1]));
        let mut words = Words::new(zone.clone());
        for (token, origin) in tokens.saved() {
            words.name(token, origin.name.as_str());
        }
        cast.teach(&mut words);
        words.name(settings.twilio.number.to_string(), "shop");
        for (name, value) in settings.exports(world.endpoints()) {
            // A short value may stand anywhere by chance.
            if value.len() >= SHORTEST_SECRET {
                words.name(value, format!("env.{name}"));
            }
        }
        Self {
            world,
            backend,
            exchanges,
            groups: groups(happenings),
            rows,
            cast,
            words,
            tokens,
            zone,
            start,
            notes: RefCell::default(),
            refusal: RefCell::default(),
        }
    }

    /// How many texts and requests there are.
    pub(super) fn turns(&self) -> usize {
        self.groups.iter().map(Vec::len).sum()
    }

    /// The scenario, and what it cannot say.
    ///
    /// # Errors
    /// It could not pass: something happened that no step says.
    pub(super) fn document(&self, name: &str) -> Result<(Value, Vec<String>), RecordError> {
        let has_own_time = self.backend.external_backend().is_some();
        let (steps, end) = self.steps(has_own_time);
        let mut document = Map::new();
        document.insert("name".into(), name.into());
        document.insert("tags".into(), json!(["recorded"]));
        if !has_own_time {
            document.insert("now".into(), self.moment(self.start).into());
        }
        let people: Map<String, Value> = self
            .cast
            .own()
            .iter()
            .map(|(name, number)| (name.clone(), number.as_str().into()))
            .collect();
        if !people.is_empty() {
            document.insert("people".into(), people.into());
        }
        let given = self.given();
        if !given.is_empty() {
            document.insert("given".into(), given.into());
        }
        let mut steps = steps;
        steps.extend(self.expectations(end));
        document.insert("steps".into(), steps.into());
        match self.refusal.take() {
            Some(why) => Err(RecordError::Unsayable(why)),
            None => Ok((document.into(), self.notes.take().into_iter().collect())),
        }
    }

    fn steps(&self, has_own_time: bool) -> (Vec<Value>, Timestamp) {
        let mut steps = Vec::new();
        let mut now = self.start;
        for (index, group) in self.groups.iter().enumerate() {
            let Some(first) = group.first() else { continue };
            let next = self.groups.get(index + 1).and_then(|group| group.first());
            let is_here = |exchange: &&Exchange| match self.happening_of(exchange) {
                // A step waits for all that comes of it, so what was late is of its own step.
                Some(seq) => group.iter().any(|one| one.seq == seq),
                None => {
                    exchange.seq >= first.seq && next.is_none_or(|next| exchange.seq < next.seq)
                }
            };
            let exchanges: Vec<&Exchange> = self.exchanges.iter().filter(is_here).collect();
            if !has_own_time {
                steps.extend(self.wait(&mut now, first.at));
            }
            let faults = faults(&exchanges);
            if faults.has_delay {
                self.note("how slow calls were");
            }
            if faults.has_crash {
                self.refuse("a function was terminated by a fault");
            }
            if !faults.entries.is_empty() {
                steps.push(json!({ "faults": faults.entries }));
            }
            steps.extend(self.group(group, &exchanges));
        }
        // What came by itself behind the last step comes when time passes.
        let late = self.exchanges.iter().filter(|exchange| self.is_of_a_schedule(exchange));
        if let Some(last) = late.filter(|exchange| sent(exchange).is_some()).map(|e| e.at).max()
            && !has_own_time
            && last > now
        {
            let whole = Timestamp::from_second(last.as_second() + 1).unwrap_or(last);
            steps.extend(self.wait(&mut now, whole));
        }
        (steps, now)
    }

    /// The step that lets time pass until a moment, if it is worth one.
    fn wait(&self, now: &mut Timestamp, until: Timestamp) -> Option<Value> {
        let passed = until.duration_since(*now);
        if passed < -SHORTEST_WAIT {
            self.refuse("business time was put back");
        }
        if passed < SHORTEST_WAIT {
            return None;
        }
        let seconds = passed.as_secs();
        *now = Timestamp::from_second(now.as_second() + seconds).unwrap_or(until);
        let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, unit)| format!("{count}{unit}"))
            .collect();
        Some(json!({ "wait": parts.join(" ") }))
    }

    fn group(&self, group: &[Happening], exchanges: &[&Exchange]) -> Vec<Value> {
        let texts: Vec<Sent<'_>> = exchanges
            .iter()
            .filter(|exchange| !self.is_of_a_schedule(exchange))
            .filter_map(|exchange| sent(exchange))
            .collect();
        let replies = Replies { cast: &self.cast, words: &self.words, tokens: &self.tokens };
        match group {
            [one] => {
                let Some(mut step) = self.step(one) else { return Vec::new() };
                if let (Some(step), Some(text)) = (step.as_object_mut(), one.text()) {
                    let replies = replies.of(&texts, Some(&text.from));
                    let key = if replies.is_array() || replies.get("exactly").is_some() {
                        "replies"
                    } else {
                        "reply"
                    };
                    step.insert(key.into(), replies);
                }
                vec![step]
            }
            several => {
                let steps: Vec<Value> = several.iter().filter_map(|one| self.step(one)).collect();
                vec![json!({ "together": steps, "replies": replies.of(&texts, None) })]
            }
        }
    }

    /// The step of a text or a request, without what came of it.
    fn step(&self, happening: &Happening) -> Option<Value> {
        let stable = self.stable(happening.at);
        match &happening.what {
            What::Request(request) => {
                let credentials = Credentials {
                    token: self.token_variable(),
                    cookie: self.cookie_before(happening.seq).map(|_| "cookie"),
                };
                let saves = (self.cookie_login() == Some(happening.seq)).then_some("cookie");
                let step = requests::step(happening.seq, request, &credentials, saves, &stable);
                if step.is_none() {
                    self.note(&format!("a {} request", request.method));
                }
                step
            }
            What::Text(text) => Some(self.text(happening, text, &stable)),
        }
    }

    fn text(&self, happening: &Happening, text: &Text, stable: &Stable<'_>) -> Value {
        let mut step = Map::new();
        let body = match text.body.is_empty() && !text.media.is_empty() {
            true => Value::Null,
            false => self.words.text(&text.body).into(),
        };
        step.insert("customer".into(), body);
        let name = self.cast.name(&text.from).unwrap_or(&text.from);
        if name != "customer" {
            step.insert("from".into(), name.into());
        }
        if text.to != self.backend.settings().twilio.number.to_string() {
            step.insert("to".into(), text.to.as_str().into());
        }
        if !text.media.is_empty() {
            let urls: Vec<Value> =
                text.media.iter().map(|url| self.words.text(url).into()).collect();
            step.insert("media".into(), urls.into());
        }
        let asked = self.asked(happening, text);
        let rounds = rounds(text, &asked, stable);
        if !rounds.is_empty() {
            step.insert("model".into(), rounds.into());
        }
        step.into()
    }

    /// The variable that has the token of other programs.
    fn token_variable(&self) -> Option<&'a str> {
        let exports = &self.backend.settings().exports;
        let named = exports.keys().find(|name| name.contains("TOKEN"));
        named.or_else(|| exports.keys().next().filter(|_| exports.len() == 1)).map(String::as_str)
    }

    /// The request that was answered with the cookie that later requests have: the last one that sent
    /// something and had none itself.
    fn cookie_login(&self) -> Option<u64> {
        let has_cookie = |happening: &&Happening| match &happening.what {
            What::Request(request) => request.headers.iter().any(|(name, _)| name == "cookie"),
            What::Text(_) => false,
        };
        let first = self.groups.iter().flatten().find(has_cookie)?.seq;
        let earlier = self.groups.iter().flatten().filter(|happening| happening.seq < first);
        let mut logins = earlier.filter(|happening| match &happening.what {
            What::Request(request) => {
                request.method == "POST" && request.status.is_some_and(|status| status < 400)
            }
            What::Text(_) => false,
        });
        let login = logins.next_back().map(|happening| happening.seq);
        if login.is_none() {
            self.note("the session of requests that have a cookie");
        }
        login
    }

    fn cookie_before(&self, seq: u64) -> Option<u64> {
        self.cookie_login().filter(|login| *login < seq)
    }

    fn given(&self) -> Map<String, Value> {
        let tables = self.world.database().tables();
        let touched = rows::touched(self.exchanges, tables);
        let mut names: BTreeMap<String, Value> =
            [("shop".to_owned(), self.backend.settings().twilio.number.to_string().into())].into();
        for (name, number) in &self.backend.settings().people {
            names.insert(name.clone(), number.to_string().into());
        }
        let stable = self.stable(self.start);
        if self.cast.is_changed() {
            self.note("the real number of somebody; rows that depend on it may differ");
        }
        rows::given(self.rows[0], &touched, self.backend, tables, &names, &stable, &self.zone)
    }

    /// What is so at the end.
    fn expectations(&self, end: Timestamp) -> Vec<Value> {
        let stable = self.stable(end);
        let tables = self.world.database().tables();
        let written = rows::written(self.exchanges, tables);
        let mut expect = Map::new();
        let mut first = Map::new();
        let mut further = Vec::new();
        for (table, rows) in rows::changed(self.rows, &written, tables, &stable) {
            if first.contains_key(&table) {
                further.push(json!({ "expect": { "tables": { table: rows } } }));
            } else {
                first.insert(table, rows);
            }
        }
        let all: Vec<Sent<'_>> = self.exchanges.iter().filter_map(sent).collect();
        let some_are_alone = !self.groups.iter().flatten().any(|h| h.text().is_some())
            || self.exchanges.iter().any(|e| sent(e).is_some() && self.is_of_a_schedule(e))
            || self.groups.iter().any(|group| group.iter().all(|h| h.text().is_none()));
        if some_are_alone && !all.is_empty() {
            let replies = Replies { cast: &self.cast, words: &self.words, tokens: &self.tokens };
            expect.insert("sms".into(), replies.of(&all, None));
        }
        if !first.is_empty() {
            expect.insert("tables".into(), first.into());
        }
        let first = (!expect.is_empty()).then(|| json!({ "expect": expect }));
        first.into_iter().chain(further).collect()
    }

    fn stable(&self, at: Timestamp) -> Stable<'_> {
        Stable { words: &self.words, tokens: &self.tokens, at, before: u64::MAX }
    }

    fn moment(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    /// Notes what would let the file fail.
    fn refuse(&self, why: &str) {
        self.refusal.borrow_mut().get_or_insert_with(|| why.to_owned());
    }

    fn note(&self, note: &str) {
        self.notes.borrow_mut().insert(note.to_owned());
    }
}

/// Every text in which a reference may be used.
fn used(exchanges: &[Exchange], happenings: &[Happening], after: &Tables) -> String {
    let mut used = String::new();
    let mut add = |text: &str| {
        used.push_str(text);
        used.push('\n');
    };
    for happening in happenings {
        match &happening.what {
            What::Text(text) => add(&text.body),
            What::Request(request) => {
                add(&request.path);
                add(&request.body);
            }
        }
    }
    for exchange in exchanges {
        match &exchange.detail {
            ExchangeDetail::SmsSent { body, .. } => add(body),
            ExchangeDetail::Model { .. } => {
                let response = exchange.outcome.as_ref().map(|outcome| &outcome.response);
                if let Some(answer) = response.and_then(messages::answer) {
                    answer.said.iter().for_each(|said| add(said));
                    answer.calls.iter().for_each(|(_, arguments)| add(arguments));
                }
            }
            _ => {}
        }
    }
    after.values().flatten().for_each(|row| add(&row.to_string()));
    used
}
