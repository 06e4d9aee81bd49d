//! Whatever is wrong with the input: a clear message, the right exit code, no panic, no half-written report.

use std::path::Path;

use crate::process::{Finished, rehearse};
use crate::support::project;

const GOOD: &str = "name: Hello\nnow: 2026-02-10T15:10:00-05:00\nsteps:\n  - customer: \"Hello\"\n    model: [{ say: \"Hi!\" }]\n    reply: \"Hi!\"\n";

/// Runs one scenario text in a project of its own.
fn run(text: impl AsRef<[u8]>) -> Finished {
    let folder = project();
    folder.write("scenarios/a.yaml", text);
    rehearse(folder.path(), &["run"])
}

#[track_caller]
fn refused(ran: &Finished, code: i32, says: &[&str]) {
    let all = format!("{}{}", ran.out, ran.err);
    assert_eq!(ran.code, code, "{all}");
    for part in says {
        assert!(all.contains(part), "no '{part}' in:\n{all}");
    }
    assert!(!all.contains("panicked"), "{all}");
}

#[test]
fn the_good_scenario_of_these_tests_passes() {
    refused(&run(GOOD), 0, &["Hello"]);
}

#[test]
fn an_unknown_key_is_shown_with_a_caret() {
    let text = GOOD.replace("model:", "modle:");
    refused(&run(text), 2, &["scenarios/a.yaml:5:5", "modle", "model", "^"]);
}

#[test]
fn a_wrong_type_is_shown_with_a_caret() {
    refused(&run("name: [a]\nsteps: []\n"), 2, &["scenarios/a.yaml:1", "^"]);
    refused(&run(GOOD.replace("steps:", "steps: 3 #")), 2, &["scenarios/a.yaml:3", "^"]);
}

#[test]
fn an_operator_beside_another_key_is_refused() {
    let json = "response: { json: { a: { contains: x, b: y } } }";
    let text = format!("{GOOD}  - request: GET /state\n    {json}\n");
    refused(&run(text), 2, &["scenarios/a.yaml:8", "only key", "^"]);
}

#[test]
fn a_missing_file_and_an_empty_folder() {
    let folder = project();
    refused(&rehearse(folder.path(), &["run", "scenarios/none.yaml"]), 2, &["scenarios/none.yaml"]);
    refused(&rehearse(folder.path(), &["run"]), 2, &["scenarios"]);
    std::fs::create_dir(folder.path().join("scenarios")).unwrap();
    refused(&rehearse(folder.path(), &["run"]), 2, &["scenarios", "no scenario"]);
}

#[test]
fn two_scenarios_of_one_name_are_both_named() {
    let folder = project();
    folder.write("scenarios/a.yaml", GOOD);
    folder.write("scenarios/b.yaml", GOOD);
    let ran = rehearse(folder.path(), &["run"]);
    refused(&ran, 2, &["Hello", "scenarios/a.yaml", "scenarios/b.yaml"]);
}

#[test]
fn two_documents_in_a_file_and_tabs() {
    refused(&run(format!("{GOOD}---\n{GOOD}")), 2, &["scenarios/a.yaml", "document"]);
    refused(&run(GOOD.replace("    model", "\tmodel")), 2, &["scenarios/a.yaml", "tab"]);
}

#[test]
fn a_template_with_an_unknown_variable() {
    let text = GOOD.replace("reply: \"Hi!\"", "reply: \"Hi {{ nobody }}\"");
    refused(&run(text), 2, &["scenarios/a.yaml:6", "nobody"]);
}

#[test]
fn a_person_a_table_and_a_fixture_that_do_not_exist() {
    let from = GOOD.replace("    model", "    from: nobody\n    model");
    refused(&run(from), 2, &["scenarios/a.yaml:5", "nobody"]);
    let table = format!("{GOOD}  - expect: {{ tables: {{ Leeds: unchanged }} }}\n");
    refused(&run(table), 2, &["scenarios/a.yaml:7", "Leeds", "Leads"]);
    let given = GOOD.replace("steps:", "given: { tables: { Leeds: [] } }\nsteps:");
    refused(&run(given), 2, &["scenarios/a.yaml:3", "Leeds", "Leads"]);
    let fixture = GOOD.replace("steps:", "given: { fixtures: [owner-at-shoq] }\nsteps:");
    refused(&run(fixture), 2, &["scenarios/a.yaml:3", "owner-at-shoq"]);
}

#[test]
fn rows_that_break_the_key_schema() {
    for (row, says) in [
        ("{ lead_id: L1 }", "timestamp"),
        ("{ lead_id: L1, timestamp: soon }", "timestamp"),
        ("{ lead_id: 7, timestamp: 1 }", "lead_id"),
    ] {
        let text =
            GOOD.replace("steps:", &format!("given: {{ tables: {{ Leads: [{row}] }} }}\nsteps:"));
        refused(&run(text), 2, &["Leads", says]);
    }
    let folder = project();
    folder.write("fixtures/dynamodb/bad.yaml", "OwnerState:\n  - { state_id: 3 }\n");
    folder.write("scenarios/a.yaml", GOOD.replace("steps:", "given: { fixtures: [bad] }\nsteps:"));
    refused(&rehearse(folder.path(), &["run"]), 2, &["fixtures/dynamodb/bad.yaml:2", "state_id"]);
}

#[test]
fn filters_that_match_nothing() {
    let folder = project();
    folder.write("scenarios/a.yaml", GOOD);
    refused(&rehearse(folder.path(), &["run", "--name", "Helo"]), 2, &["Helo", "Hello"]);
    refused(&rehearse(folder.path(), &["run", "--tag", "nothing"]), 2, &["nothing"]);
}

#[test]
fn files_that_are_not_text_or_far_too_large() {
    refused(&run(b"name: \xff\n"), 2, &["scenarios/a.yaml", "UTF-8"]);
    let large = format!("{GOOD}# {}\n", "x".repeat(10 << 20));
    refused(&run(large), 2, &["scenarios/a.yaml", "split"]);
}

#[test]
fn an_unknown_resource_type_is_said_once_and_ignored() {
    let folder = project();
    folder.write("scenarios/a.yaml", GOOD);
    let template = std::fs::read_to_string(folder.path().join("template.yaml")).unwrap();
    let template =
        template.replace("\nResources:\n", "\nResources:\n  Bucket:\n    Type: AWS::S3::Bucket\n");
    let line = 1 + template.lines().position(|l| l == "  Bucket:").unwrap();
    folder.write("template.yaml", template);
    let place = format!("AWS::S3::Bucket (Bucket, line {line})");
    for (command, word) in [("run", "template.yaml: ignoring"), ("check", "not emulated:")] {
        let says = format!("note: {word} {place}");
        let ran = rehearse(folder.path(), &[command]);
        refused(&ran, 0, &[]);
        assert_eq!(ran.err.matches(&says).count(), 1, "{command}: {}", ran.err);
        assert!(!ran.out.contains("S3"), "{command}: {}", ran.out);
    }
}

#[test]
fn a_template_that_is_missing_or_wrong() {
    let folder = project();
    folder.write("scenarios/a.yaml", GOOD);
    folder.write("template.yaml", "Resources: {}\n");
    refused(&rehearse(folder.path(), &["run"]), 2, &["template.yaml", "no Resources"]);
    std::fs::remove_file(folder.path().join("template.yaml")).unwrap();
    refused(&rehearse(folder.path(), &["run"]), 2, &["template.yaml"]);
}

#[test]
fn wrong_words_on_the_command_line() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    refused(&rehearse(here, &["runn"]), 2, &["runn", "run"]);
    refused(&rehearse(here, &["run", "--nmae", "x"]), 2, &["--nmae", "--name"]);
    refused(&rehearse(here, &["run", "--report", "xml=a"]), 2, &["xml", "junit"]);
    refused(
        &rehearse(here, &["send", "hi", "--control", "http://127.0.0.1:1"]),
        3,
        &["rehearse-shop up"],
    );
}

#[test]
fn a_report_that_cannot_be_written_leaves_nothing_behind() {
    let folder = project();
    folder.write("scenarios/a.yaml", GOOD);
    folder.write("file", "not a folder");
    let ran = rehearse(folder.path(), &["run", "--report", "junit=file/report.xml"]);
    refused(&ran, 3, &["file/report.xml"]);
    assert_eq!(std::fs::read_to_string(folder.path().join("file")).unwrap(), "not a folder");
}

#[test]
fn a_broken_scenario_is_an_error_in_the_report() {
    let folder = project();
    folder.write("scenarios/a.yaml", "nmae: x\n");
    folder.write("report.xml", "the last one");
    refused(&rehearse(folder.path(), &["run", "--report", "junit=report.xml"]), 2, &["nmae"]);
    let report = std::fs::read_to_string(folder.path().join("report.xml")).unwrap();
    assert!(report.contains("errors=\"1\"") && report.contains("unknown key `nmae`"), "{report}");
}

/// Two people of whom the backend has said nothing yet, so that only the words could tell them apart.
#[test]
fn two_scripts_that_fit_one_request_are_both_named() {
    let step = |from: &str, say: &str| {
        format!(
            "      - customer: \"Same\"\n        from: {from}\n        model: [{{ say: \"{say}\" }}]\n"
        )
    };
    let head = GOOD.split("  - customer").next().unwrap();
    let together =
        format!("{head}  - together:\n{}{}", step("customer", "A"), step("customer2", "B"));
    refused(&run(together), 1, &["step 1.1", "step 1.2", "fit this request equally"]);
}
