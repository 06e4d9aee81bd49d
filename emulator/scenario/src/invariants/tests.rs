use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::*;
use rehearse_core::{
    clock::Clock,
    journal::{ExchangeDetail, Journal, Outcome, Via},
    matcher::Vars,
    table::TableSpec,
};

const ANN: &str = "+15550100001";

fn read(yaml: &str) -> Result<Invariants, String> {
    Invariants::parse(Source::new("always.yaml", yaml)).map_err(|error| error.to_string())
}

/// What happens in a test: texts, puts and the rows at start and end.
struct Story {
    journal: Journal,
    start: Vec<Value>,
    end: Vec<Value>,
}

impl Story {
    fn new() -> Self {
        let journal = Journal::new(Clock::stopped(Timestamp::UNIX_EPOCH));
        Self { journal, start: Vec::new(), end: Vec::new() }
    }

    fn hears(self, body: &str) -> Self {
        let detail = ExchangeDetail::SmsReceived {
            sid: "SM1".into(),
            from: ANN.into(),
            to: "+15550100000".into(),
            body: body.into(),
            media: Vec::new(),
        };
        self.journal.note("sms.received", detail);
        self
    }

    fn says(self, body: &str) -> Self {
        self.sends(body, Outcome::default())
    }

    fn sends(self, body: &str, outcome: Outcome) -> Self {
        let detail = ExchangeDetail::SmsSent {
            sid: "SM2".into(),
            from: "+15550100000".into(),
            to: ANN.into(),
            body: body.into(),
            media: Vec::new(),
            segments: 1,
            encoding: "GSM-7".into(),
            via: Via::Rest,
            in_reply_to: None,
        };
        self.journal.begin("sms.sent", detail).end(outcome);
        self
    }

    fn puts(self, request: Value, outcome: Outcome) -> Self {
        let detail = ExchangeDetail::Database {
            function: None,
            operation: "PutItem".into(),
            tables: vec!["notes".into()],
            items: 1,
            request,
        };
        self.journal.begin("dynamodb.PutItem", detail).end(outcome);
        self
    }

    fn starts_with(mut self, row: Value) -> Self {
        self.start.push(row);
        self
    }

    fn ends_with(mut self, row: Value) -> Self {
        self.end.push(row);
        self
    }

    /// For what the one sentence does not hold.
    fn judged(self, invariant: &str) -> Vec<String> {
        let invariants = read(&format!("always: [{{ sentence: It holds, {invariant} }}]")).unwrap();
        let tables = [TableSpec { name: "notes".into(), ..TableSpec::new("Notes") }];
        let rows = |rows| BTreeMap::from([("Notes".to_owned(), rows)]);
        let (start, end) = (rows(self.start), rows(self.end));
        let history = History::new(self.journal.since(0), &tables, start, end);
        let vars = Vars::new(Clock::stopped(Timestamp::UNIX_EPOCH), TimeZone::UTC);
        vars.set("owner", "+15550100009".into());
        let violations = invariants.judge(&history, &vars).unwrap().violations;
        violations.into_iter().map(|violation| violation.about).collect()
    }
}

const ANSWERED: &str =
    r#"each: { texts: in }, there_is: { texts: out, after: true, where: { to: "{{ it.from }}" } }"#;

#[test]
fn something_must_come_after_it() {
    assert!(Story::new().hears("Hi").says("Hello").judged(ANSWERED).is_empty());
    let silent = Story::new().says("Hello").hears("Hi").judged(ANSWERED);
    assert_eq!(silent.len(), 1);
    assert!(silent[0].contains("body Hi") && silent[0].ends_with("no text from the shop"));
}

#[test]
fn a_text_that_twilio_refused_is_none() {
    let refused = Outcome::default().with_error("21610");
    assert_eq!(Story::new().hears("Hi").sends("Hello", refused).judged(ANSWERED).len(), 1);
}

#[test]
fn one_of_several_is_enough_and_unless_excuses() {
    let either = r#"each: { texts: in }, there_is: [{ texts: out, where: { body: a } }, { texts: out, where: { body: b } }]"#;
    assert!(Story::new().hears("Hi").says("b").judged(either).is_empty());
    let excused = r#"each: { texts: in }, unless: { texts: in, where: { body: STOP } }, there_is: { texts: out }"#;
    assert!(Story::new().hears("STOP").judged(excused).is_empty());
    assert_eq!(Story::new().hears("Hi").judged(excused).len(), 1);
}

#[test]
fn nothing_twice_and_nothing_at_all() {
    let once =
        r#"each: { texts: out }, at_most_one: { texts: out, where: { body: "{{ it.body }}" } }"#;
    assert!(Story::new().says("a").says("b").judged(once).is_empty());
    assert_eq!(Story::new().says("a").says("a").judged(once).len(), 2);
    let never = "each: { texts: in }, there_is_no: { texts: out }";
    assert!(Story::new().hears("Hi").judged(never).is_empty());
    assert_eq!(Story::new().hears("Hi").says("a").judged(never).len(), 1);
}

#[test]
fn each_place_that_is_found_is_judged() {
    let told = r#"each: { texts: out, find: 'Ref (?<ref>\w+)' }, there_is: { rows: Notes, where: { id: "{{ it.ref }}" } }"#;
    let story = || Story::new().says("Ref A. Ref B").ends_with(json!({ "id": "A" }));
    assert_eq!(story().judged(told).len(), 1);
    assert!(story().ends_with(json!({ "id": "B" })).judged(told).is_empty());
}

#[test]
fn rows_of_any_time_are_those_of_start_and_end_and_what_was_put() {
    let ever =
        r#"each: { texts: in }, there_is: { rows_ever: Notes, where: { id: "{{ it.body }}" } }"#;
    let put = |id: &str| json!({ "TableName": "notes", "Item": { "id": { "S": id } } });
    let ok = Outcome::status(200, Value::Null);
    let row = json!({ "id": "a" });
    let story = || Story::new().hears("a");
    assert!(story().starts_with(row.clone()).judged(ever).is_empty());
    assert!(story().ends_with(row).judged(ever).is_empty());
    assert!(story().puts(put("a"), ok.clone()).judged(ever).is_empty());
    let transaction = json!({ "TransactItems": [{ "Update": {} }, { "Put": put("a") }] });
    assert!(story().puts(transaction, ok.clone()).judged(ever).is_empty());
    let item = put("a")["Item"].clone();
    let batch = json!({ "RequestItems": { "notes": [{ "PutRequest": { "Item": item } }] } });
    assert!(story().puts(batch, ok.clone()).judged(ever).is_empty());
    let lost = |response: Value| Outcome { response, ..Outcome::cut() };
    assert!(story().puts(put("a"), lost(json!({}))).judged(ever).is_empty());
    let type_ =
        json!({ "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException" });
    assert_eq!(story().puts(put("a"), lost(type_)).judged(ever).len(), 1, "it was refused");
    assert_eq!(story().puts(put("a"), Outcome::cut()).judged(ever).len(), 1, "it was cut before");
    let refused = Outcome::status(400, Value::Null).with_error("ConditionalCheckFailedException");
    assert_eq!(story().puts(put("a"), refused).judged(ever).len(), 1);
    assert_eq!(story().puts(put("b"), ok).judged(ever).len(), 1);
    let at_start = ever.replace("rows_ever", "rows_at_start");
    assert_eq!(story().ends_with(json!({ "id": "a" })).judged(&at_start).len(), 1);
}

#[test]
fn calls_are_chosen_by_name_and_have_their_outcome() {
    let calls = "each: { texts: in }, there_is_no: { calls: dynamodb.*, where: { status: 500 } }";
    let put = || json!({ "TableName": "notes", "Item": {} });
    let story = |status| Story::new().hears("Hi").puts(put(), Outcome::status(status, Value::Null));
    assert!(story(200).judged(calls).is_empty());
    assert_eq!(story(500).judged(calls).len(), 1);
}

#[test]
fn a_field_that_is_not_there_is_an_error_and_no_success() {
    let history = Story::new().hears("Hi");
    let invariants = read(
        r#"always: [{ sentence: S, each: { texts: in }, there_is: { texts: in, where: { body: "{{ it.no }}" } } }]"#,
    )
    .unwrap();
    let history = History::new(history.journal.since(0), &[], BTreeMap::new(), BTreeMap::new());
    let vars = Vars::new(Clock::stopped(Timestamp::UNIX_EPOCH), TimeZone::UTC);
    let error = invariants.judge(&history, &vars).unwrap_err().to_string();
    assert!(error.contains("\"S\" cannot be judged") && error.contains("it.no"), "{error}");
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let one = |rest: &str| format!("always:\n  - sentence: S\n    {rest}\n");
    for (yaml, says) in [
        ("always: []".into(), "say what must hold"),
        (one("each: { texts: in }"), "say one of 'there_is'"),
        (one("each: { texts: in }\n    there_is: {}"), "say one of 'texts'"),
        (one("each: { texts: in, rows: A }\n    there_is: { texts: out }"), "say one of 'texts'"),
        (one("each: { rows: A, find: a }\n    there_is: { texts: out }"), "bodies of texts"),
        (
            one("each: { rows: A }\n    there_is: { texts: out, after: true }"),
            "rows have no moment",
        ),
        (
            one("each: { texts: in }\n    there_is: { rows: A, before: true }"),
            "rows have no moment",
        ),
        (one("each: { texts: in, find: '(' }\n    there_is: { texts: out }"), "regex"),
        (one("each: { texts: up }\n    there_is: { texts: out }"), "up"),
        (one("each: { text: in }\n    there_is: { texts: out }"), "did you mean `texts`"),
    ] {
        let error = read(&yaml).unwrap_err();
        assert!(error.contains(says), "{yaml}: {error}");
        assert!(error.contains("always.yaml:"), "{error}");
    }
}
