//! Reading and checking whole files: every error with its place.

use std::path::Path;

use super::{
    check::{self, KnownNames},
    model::File,
    *,
};
use rehearse_core::yaml::Source;

fn known() -> KnownNames {
    KnownNames {
        functions: vec!["Dispatcher".into()],
        is_external: false,
        people: ["customer", "owner"].map(String::from).into(),
        tables: vec!["Leads".into(), "Slots".into()],
        fixtures: vec!["shop".into()],
        routes: None,
    }
}

fn parse(text: &str) -> Result<File, String> {
    let source = Source { name: "a.yaml".into(), text: text.into() };
    File::parse(Path::new("a.yaml"), source).map_err(|e| e.to_string())
}

/// Everything that is wrong with a text, rendered.
fn errors(text: &str) -> String {
    let file = match parse(text) {
        Ok(file) => file,
        Err(error) => return error,
    };
    let mut errors = check::file_alone(&file);
    errors.extend(check::for_backend(&file, &known()));
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n")
}

/// What is wrong with one step.
fn step(text: &str) -> String {
    errors(&format!("name: a\nsteps:\n  - {}\n", text.trim().replace('\n', "\n    ")))
}

#[test]
fn a_whole_scenario_is_read() {
    let text = include_str!("testdata/whole.yaml");
    assert_eq!(errors(text), "");
    let scenarios = Scenario::all(parse(text).unwrap());
    assert_eq!(scenarios.len(), 2);
    assert_eq!(scenarios[0].orders(), Some(2));
    assert_eq!(scenarios[1].full_name(), "Everything at once (time: 3:00 PM, note: null)");
    let titles: Vec<String> = scenarios[0].steps().iter().map(Step::title).collect();
    assert_eq!(
        titles,
        [
            "customer: Can I come?",
            "ann: (pictures)",
            "GET /slots?date={{ day(1) }}",
            "POST /slots",
            "invoke Dispatcher",
            "invoke Dispatcher",
            "wait 10m",
            "at 2026-02-11T09:00:00-05:00",
            "faults on openai.responses, twilio.messages.create, dynamodb.*, \
             dynamodb.TransactWriteItems, dynamodb.Query",
            "2 steps together",
            "expect",
        ]
    );
}

#[test]
fn an_unknown_key_has_a_caret_and_the_valid_ones() {
    let error = step("customer: Hi\nmodle: []");
    assert_eq!(
        error,
        "error: unknown key `modle`; did you mean `model`?; known here: customer, from, repeat, to, \
         media, signature, duplicate, crash, deliveries, model, replies, reply\n --> a.yaml:4:5\n  |\n2 | \
         steps:\n3 |   - customer: Hi\n4 |     modle: []\n  |     ^"
    );
    let inside = step("together:\n  - customer: Hi\n    repply: a\n  - customer: Ho");
    assert!(inside.contains("a.yaml:5:9") && inside.contains("unknown key `repply`"), "{inside}");
    let top = errors("name: a\nstpes: []\n");
    assert!(top.contains("a.yaml:2:1") && top.contains("did you mean `steps`?"), "{top}");
}

#[test]
fn a_step_is_what_its_first_key_says() {
    let error = step("from: ann\ncustomer: Hi");
    assert!(error.contains("a step's first key is one of customer, request"), "{error}");
    assert!(error.contains("a.yaml:3:"), "{error}");
    assert!(step("{}").contains("an empty step"));
}

#[test]
fn every_mistake_points_at_its_place() {
    for (text, place, says) in [
        ("customer: Hi\nfrom: bob", "4:11", "unknown person 'bob'; there are customer, owner"),
        ("customer: Hi\nreply: [a, { to: ownr }]", "4:22", "did you mean 'owner'?"),
        ("customer: null", "3:15", "needs words"),
        ("customer: Hi\nduplicate: { times: 1 }", "4:25", "at least 2"),
        ("customer: Hi\nreply: '{{ reff }}'", "4:12", "unknown name 'reff'"),
        ("customer: Hi\nreply: '{{ day( }}'", "4:12", "malformed template"),
        ("customer: Hi\nreply: { matches: '(' }", "4:", "'matches'"),
        ("customer: Hi\nreply: a\nreplies: b", "3:5", "duplicate field"),
        ("customer: Hi\nmodel: [{ say: a }, { say: b }]", "4:25", "no request can reach"),
        ("customer: Hi\nmodel: []", "4:12", "at least one round"),
        ("customer: Hi\nsignature: missing\nmodel: [{ say: a }]", "5:", "must not reach the model"),
        ("request: GET state", "3:14", "such as GET /state"),
        ("request: FETCH /state", "3:14", "such as GET /state"),
        ("request: POST /a\njson: {}\nform: {}", "5:5", "one body"),
        ("request: GET /a\nsave: { a: body.b }", "4:16", "begins with status"),
        ("request: GET /a\nsave: { a: 'json.' }", "4:16", "not a path"),
        ("wait: soon", "3:11", "such as 10m"),
        ("at: noon", "3:9", "such as 2026-02-10T"),
        ("together: [{ customer: a }]", "3:15", "at least two"),
        (
            "together: [{ customer: a }, { wait: 1m }]",
            "3:33",
            "only customer, request and invoke steps",
        ),
        ("faults: [{ on: openai, fail: 503 }]", "3:20", "cannot fail"),
        (
            "faults: [{ on: openai.respnses, fail: 503 }]",
            "3:20",
            "did you mean 'openai.responses'?",
        ),
        (
            "faults: [{ on: dynamodb.PuttItem, fail: 503 }]",
            "3:20",
            "did you mean 'dynamodb.PutItem'?",
        ),
        ("faults: [{ on: openai.responses, fail: 99 }]", "3:44", "not a status of a failure"),
        (
            "faults: [{ on: openai.responses, fail: { stauts: 503 } }]",
            "3:46",
            "unknown key `stauts`",
        ),
        (
            "faults: [{ on: dynamodb.PutItem, fail: conflct }]",
            "3:44",
            "no call fails with 'conflct'; did you mean 'conflict'?",
        ),
        (
            "faults: [{ on: dynamodb.PutItem, fail: broken }]",
            "3:44",
            "or one of throttled, conflict",
        ),
        ("faults: [{ on: dynamodb.*, fail: { as: stael } }]", "3:44", "did you mean 'stale'?"),
        (
            "faults: [{ on: dynamodb.Query, fail: conflict }]",
            "3:42",
            "it happens to dynamodb.PutItem, dynamodb.UpdateItem",
        ),
        ("faults: [{ on: openai.chat, fail: truncated }]", "3:39", "calls to the database"),
        ("faults: [{ on: dynamod.*, fail: 503 }]", "3:20", "cannot fail"),
        (
            "faults: [{ on: dynamodb.*, fail: 503, table: Lead }]",
            "3:50",
            "unknown table 'Lead'; did you mean 'Leads'?",
        ),
        (
            "faults: [{ on: openai.chat, fail: 503, key: { a: 1 } }]",
            "3:44",
            "only calls to the data",
        ),
        ("faults: [{ on: openai.chat, fail: 503, call: 0 }]", "3:50", "'call' is at least 1"),
        ("faults: [{ on: openai.chat, fail: 503, call: 2, skip: 1 }]", "3:44", "is one call"),
        ("faults: [{ on: openai.chat, fail: 503, chance: 2 }]", "3:52", "2 is not above 0"),
        (
            "together: [{ customer: a }, { customer: b }]\nmeet: dynamodb.PuttItem",
            "4:11",
            "did you mean 'dynamodb.PutItem'?",
        ),
        (
            "together: [{ customer: a }, { customer: b }]\nmeet: { on: openai.chat }",
            "4:17",
            "cannot meet at 'openai.chat'",
        ),
        (
            "together: [{ customer: a }, { customer: b }]\nmeet: { on: dynamodb.PutItem, table: Slot }",
            "4:42",
            "did you mean 'Slots'?",
        ),
        ("together: [{ customer: a }, { customer: b }]\nschedules: 0", "4:16", "at least 1"),
        ("expect: { tables: { Lead: unchanged } }", "3:25", "did you mean 'Leads'?"),
        ("expect: { calls: { openai: 1 } }", "3:24", "not the name of an exchange"),
        ("expect: { calls: { openai.respones: 0 } }", "3:24", "did you mean 'openai.responses'?"),
        ("expect: {}", "3:13", "say what is expected"),
        ("expect: { sms: [{ to: nobody }] }", "3:27", "unknown person"),
        ("expect: { cost: { tokens: 1 } }", "3:23", "known here: segments, model_calls"),
    ] {
        let error = step(text);
        assert!(error.contains(&format!("a.yaml:{place}")), "{text}\n{error}");
        assert!(error.contains(says) && error.contains('^'), "{text}\n{error}");
    }
}

#[test]
fn mistakes_of_the_head_point_at_their_place() {
    let rest = "steps: [{ customer: Hi }]";
    for (text, place, says) in [
        (rest.to_owned(), "1:1", "the key `name` is missing"),
        (format!("name: ' '\n{rest}"), "1:7", "needs a name"),
        ("name: a\nsteps: []".into(), "2:8", "at least one step"),
        (format!("name: a\n{rest}\nnow: today"), "3:6", "such as 2026-02-10T"),
        (format!("name: a\n{rest}\npeople: {{ ann: '555' }}"), "3:16", "not a number"),
        (format!("name: a\n{rest}\neach: []"), "3:7", "at least one entry"),
        (format!("name: a\n{rest}\neach: [{{ a: 1 }}, {{ b: 2 }}]"), "3:18", "the same names: a"),
        (format!("name: a\n{rest}\neach: [{{ a: 1 }}, {{ a: 1 }}]"), "3:18", "there already"),
        (format!("name: a\n{rest}\ngiven: {{ fixtures: [shpo] }}"), "3:21", "did you mean 'shop'?"),
        (format!("name: a\n{rest}\ngiven: {{ tables: {{ Slot: [] }} }}"), "3:20", "unknown table"),
        (
            format!("name: a\n{rest}\nalways: {{ calls: {{ x: 1 }} }}"),
            "3:20",
            "not the name of an exchange",
        ),
        (format!("name: a\n{rest}\n---\nname: b"), "4:1", "another document begins"),
    ] {
        let error = errors(&text);
        assert!(error.contains(&format!("a.yaml:{place}")), "{text}\n{error}");
        assert!(error.contains(says), "{text}\n{error}");
    }
}

#[test]
fn names_that_are_saved_or_listed_may_be_used() {
    let text = "name: a\npeople: { ann: +15550100001 }\neach: [{ x: 1 }]\nsteps:\n  - request: GET /a\n    \
                save: { ref: json.a }\n  - customer: '{{ ref }} {{ ann }} {{ x }} {{ shop }} {{ day(1) }}'\n";
    assert_eq!(errors(text), "");
}

mod files {
    use std::path::PathBuf;

    use super::super::read;
    use rehearse_testutils::Folder;

    fn scenario(folder: &Folder, file: &str, name: &str) -> PathBuf {
        folder.write(file, format!("name: {name}\nsteps: [{{ customer: Hi }}]\n"))
    }

    fn failed(paths: &[PathBuf]) -> Vec<String> {
        read(paths).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn folders_are_read_in_order_and_a_file_once() {
        let folder = Folder::new();
        scenario(&folder, "c.yml", "three");
        scenario(&folder, "a.yaml", "one");
        scenario(&folder, "b/z.yaml", "two");
        scenario(&folder, "notes.txt", "no scenario");
        scenario(&folder, ".hidden.yaml", "hidden");
        let paths = [folder.path().into(), folder.path().join("a.yaml")];
        let names: Vec<String> =
            read(&paths).unwrap().iter().map(|s| s.name().to_owned()).collect();
        assert_eq!(names, ["one", "two", "three"]);
    }

    #[test]
    fn empty_folders_missing_files_and_taken_names_are_told_together() {
        let folder = Folder::new();
        let first = scenario(&folder, "a.yaml", "same");
        let second = scenario(&folder, "c.yaml", "same");
        let missing = folder.path().join("nothing.yaml");
        std::fs::create_dir(folder.path().join("b")).unwrap();
        let errors =
            failed(&[first.clone(), second.clone(), missing.clone(), folder.path().join("b")]);
        assert_eq!(errors.len(), 3, "{errors:?}");
        assert!(errors[0].contains("no scenario") && errors[0].contains("/b"), "{errors:?}");
        assert!(
            errors[1].contains(&format!("{}:1:7", second.display()))
                && errors[1].contains(&format!("{}:1", first.display())),
            "{errors:?}"
        );
        assert!(errors[2].contains("failed to read") && errors[2].contains("nothing.yaml"));
    }
}

#[test]
fn scenarios_with_deadlines_timeouts_or_delays_are_known_to_wait() {
    let waits = |rest: &str| Scenario::parse(&format!("name: a\n{rest}")).unwrap().waits();
    let steps = "steps: [{ customer: Hi }]";
    assert!(!waits(steps));
    assert!(!waits("given: { env: { NAME: a } }\nsteps: [{ customer: Hi }, { wait: 1h }]"));
    assert!(waits(&format!("given: {{ env: {{ REPLY_DEADLINE_MS: 500 }} }}\n{steps}")));
    assert!(waits(&format!("given: {{ twilio: {{ overrides: '#rt=300' }} }}\n{steps}")));
    assert!(waits("steps: [{ faults: [{ on: openai.responses, fail: { delay: 1s } }] }]"));
    assert!(waits("steps: [{ customer: Hi, model: [{ fail: { delay: 1s }, say: Hi }] }]"));
    assert!(waits("steps: [{ customer: Hi, crash: { function: A, timeout: dynamodb.Query } }]"));
}
