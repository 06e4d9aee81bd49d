//! Whole command lines, each in a folder of its own.

mod project;

use self::project::{PASSES, Project};
use super::*;
use rehearse_testutils::{SETTINGS, TEMPLATE, settings};

const FAILS: &str = "
name: A goodbye is answered
tags: [farewell]
steps:
  - customer: Bye
    reply: Goodbye
";

#[test]
fn the_command_line_is_well_formed() {
    use clap::CommandFactory as _;
    Cli::command().debug_assert();
}

#[test]
fn a_mistyped_command_is_told_what_was_meant() {
    let done = Project::new().rehearse(&["rum"]);
    assert_eq!(done.exit, Exit::Wrong);
    assert!(done.err.contains("a similar subcommand exists: 'run'"), "{}", done.err);
}

#[test]
fn help_shows_examples_and_exit_codes_and_passes() {
    let done = Project::new().rehearse(&["--help"]);
    assert_eq!(done.exit, Exit::Passed);
    for part in ["rehearse run", "Exit codes:", "130 interrupted"] {
        assert!(done.err.contains(part), "{part}: {}", done.err);
    }
}

#[test]
fn targets_that_are_not_there_are_refused_with_those_that_are() {
    let done = Project::new().rehearse(&["run", "--target", "lamda"]);
    assert_eq!(done.exit, Exit::Wrong);
    assert!(done.err.contains("did you mean `lambda`?"), "{}", done.err);
}

#[test]
fn completions_and_schema_go_to_the_output_alone() {
    let done = Project::new().rehearse(&["completions", "bash"]);
    assert_eq!((done.exit, done.err.as_str()), (Exit::Passed, ""));
    assert!(done.out.contains("complete -F _rehearse"), "{}", done.out);
    let done = Project::new().rehearse(&["schema"]);
    assert_eq!((done.exit, done.err.as_str()), (Exit::Passed, ""));
    let schema: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(schema["title"], "Scenario");
}

#[test]
fn without_a_world_every_client_says_how_to_start_one() {
    // Nothing listens on port 1: it is reserved, and binding it needs rights.
    for line in [vec!["send", "hi"], vec!["log"], vec!["reset"], vec!["ready"], vec!["env"]] {
        let line: Vec<&str> = line.into_iter().chain(["--control", "http://127.0.0.1:1"]).collect();
        let done = Project::new().rehearse(&line);
        assert_eq!(done.exit, Exit::Environment, "{line:?}");
        assert!(done.err.contains("no world is running at http://127.0.0.1:1"), "{}", done.err);
        assert!(done.err.contains("rehearse up"), "{}", done.err);
        assert_eq!(done.out, "");
    }
}

#[test]
fn a_control_url_that_is_none_is_wrong() {
    for url in ["foo", "127.0.0.1:4040", "http://127.0.0.1:99999", "ftp://127.0.0.1"] {
        let done = Project::new().rehearse(&["ready", "--control", url]);
        assert_eq!(done.exit, Exit::Wrong, "{url}");
        assert!(done.err.contains("a URL is such as http://127.0.0.1:4040"), "{}", done.err);
    }
}

#[test]
fn missing_and_empty_places_are_wrong_and_named() {
    let done = Project::new().rehearse(&["run"]);
    assert_eq!(done.exit, Exit::Wrong);
    assert!(done.err.contains("no rehearse.toml is here"), "{}", done.err);
    let (_, example) = done.err.split_once("such as\n").unwrap();
    // The example can be copied.
    settings(example);
    let done = Project::hello().rehearse(&["run", "nowhere"]);
    assert_eq!(done.exit, Exit::Wrong);
    assert!(done.err.contains("nowhere"), "{}", done.err);
    let project = Project::hello().file("empty/README.md", "nothing yet");
    let done = project.rehearse(&["check", "empty"]);
    assert_eq!(done.exit, Exit::Wrong);
    assert!(done.err.contains("no scenario"), "{}", done.err);
}

#[test]
fn check_counts_what_is_right() {
    let done = Project::hello().rehearse(&["check"]);
    assert_eq!((done.exit, done.err.as_str()), (Exit::Passed, ""));
    assert_eq!(
        done.out,
        "POST  /sms  Hello  ServerlessHttpApi (HTTP API)\n\
         ok 1 scenario, 0 fixtures, 1 function, 1 table\n"
    );
}

#[test]
fn check_tells_made_up_values_without_what_stands_around_them() {
    let variable = "Properties:
      Environment: { Variables: { DB: !Sub '${Key}@${Db.Host}' } }
      Events:";
    let more = "  Db: { Type: Custom::Db }
Parameters: { Key: { Type: String, NoEcho: true, Default: hush } }
";
    let template = TEMPLATE.replace("Properties:\n      Events:", variable) + more;
    let done = Project::hello().file("template.yaml", &template).rehearse(&["check"]);
    assert_eq!(done.exit, Exit::Passed, "{}", done.err);
    assert!(done.err.contains("DB of Hello has the made-up `Db.Host`"), "{}", done.err);
    assert!(!done.err.contains("hush"), "{}", done.err);
}

#[test]
fn check_tells_all_that_is_wrong_at_once() {
    let done = Project::hello()
        .file("scenarios/a.yaml", "name: a\nstpes: []\n")
        .file("scenarios/b.yaml", "name: b\nsteps: 3\n")
        .file("fixtures/dynamodb/rows.yaml", "Nowhere: [{ id: x }]\n")
        .rehearse(&["check"]);
    assert_eq!(done.exit, Exit::Wrong);
    for part in ["a.yaml:2:1", "b.yaml:2:8", "Nowhere"] {
        assert!(done.err.contains(part), "{part}: {}", done.err);
    }
    assert!(done.err.ends_with("\n\n3 errors found\n"), "{}", done.err);
    assert_eq!(done.err.matches("\n\nerror: ").count(), 2, "an empty line between: {}", done.err);
}

#[test]
fn a_run_that_passes() {
    let done = Project::hello().rehearse(&["run"]);
    assert_eq!((done.exit, done.err.as_str()), (Exit::Passed, ""));
    let text = done.out;
    assert!(text.contains("greeting  A greeting is answered\n"), "{text}");
    assert!(text.contains("1 scenario: 1 passed"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colour in a pipe: {text}");
}

#[test]
fn a_failure_is_shown_in_full_and_remembered() {
    let project = Project::hello().file("scenarios/bye.yaml", FAILS);
    let done = project.rehearse(&["run"]);
    assert_eq!(done.exit, Exit::Failed);
    for part in ["FAIL  A goodbye is answered", "customer →  Bye", "Goodbye", "replay:"] {
        assert!(done.out.contains(part), "{part}: {}", done.out);
    }
    let done = project.rehearse(&["run", "--last-failed"]);
    assert_eq!(done.exit, Exit::Failed);
    assert!(done.out.contains("1 scenario:"), "{}", done.out);

    let outside = project.file("elsewhere/bye.yaml", &FAILS.replace("A goodbye", "Another"));
    assert_eq!(outside.rehearse(&["run", "elsewhere"]).exit, Exit::Failed);
    let done = outside.rehearse(&["run", "--last-failed", "--list"]);
    assert!(done.out.contains("elsewhere/bye.yaml"), "wherever it stands: {}", done.out);
    std::fs::remove_dir_all(outside.0.path().join("elsewhere")).unwrap();

    let mended = outside.file("scenarios/bye.yaml", &FAILS.replace("Goodbye", "Hello"));
    assert_eq!(mended.rehearse(&["run", "--last-failed"]).exit, Exit::Passed);
    let done = mended.rehearse(&["run", "--last-failed"]);
    assert_eq!(done.exit, Exit::Wrong);
    assert!(done.err.contains("nothing failed in the last run"), "{}", done.err);
}

#[test]
fn without_an_earlier_run_there_is_no_last_failure() {
    let done = Project::hello().rehearse(&["run", "--last-failed"]);
    assert_eq!(done.exit, Exit::Wrong);
    assert!(done.err.contains("no earlier run"), "{}", done.err);
}

#[test]
fn filters_choose_and_list_shows_the_choice() {
    let project = Project::hello().file("scenarios/bye.yaml", FAILS);
    let done = project.rehearse(&["run", "--tag", "greeting", "--list"]);
    assert_eq!(done.exit, Exit::Passed);
    assert!(done.out.contains("scenarios/greeting/hello.yaml  A greeting is answered  greeting"));
    assert!(!done.out.contains("goodbye"), "{}", done.out);
    let done = project.rehearse(&["run", "--name", "GREETING"]);
    assert_eq!(done.exit, Exit::Passed);
    let done = project.rehearse(&["run", "--tag", "greetin"]);
    assert_eq!(done.exit, Exit::Wrong);
    assert!(done.err.contains("similar tags: greeting"), "{}", done.err);
}

#[test]
fn repetitions_count_and_seeds_are_taken() {
    let done = Project::hello().rehearse(&["run", "--repeat", "3", "--seed", "7", "-j", "1"]);
    assert_eq!(done.exit, Exit::Passed);
    for part in ["answered #1", "answered #2", "answered #3", "3 scenarios: 3 passed"] {
        assert!(done.out.contains(part), "{part}: {}", done.out);
    }
}

#[test]
fn fail_fast_leaves_the_rest_and_says_so() {
    let project = Project::hello()
        .file("scenarios/a.yaml", FAILS)
        .file("scenarios/b.yaml", &PASSES.replace("A greeting", "Another"));
    let done = project.rehearse(&["run", "--fail-fast", "--jobs", "1"]);
    assert_eq!(done.exit, Exit::Failed);
    assert!(done.out.contains("1 failed, 2 not run"), "{}", done.out);
}

#[test]
fn reports_are_written_whole_and_the_screen_stays() {
    let project = Project::hello().file("scenarios/bye.yaml", FAILS);
    let line = ["run", "--report", "junit=out/junit.xml", "--report", "json=out/run.json"];
    let done = project.rehearse(&line);
    assert_eq!(done.exit, Exit::Failed);
    assert!(done.out.contains("2 scenarios: 1 passed, 1 failed"), "{}", done.out);
    let junit = project.read("out/junit.xml");
    assert!(junit.contains(r#"tests="2" skipped="0" failures="1" errors="0""#), "{junit}");
    let json: serde_json::Value = serde_json::from_str(&project.read("out/run.json")).unwrap();
    assert_eq!(json["counts"]["failed"], 1);
    assert_eq!(std::fs::read_dir(project.0.path().join("out")).unwrap().count(), 2, "no drafts");
}

#[test]
fn a_report_on_the_output_is_alone_there() {
    let done = Project::hello().rehearse(&["run", "--report", "json"]);
    assert_eq!(done.exit, Exit::Passed);
    let json: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(json["outcome"], "passed");
    assert!(done.err.contains("1 scenario: 1 passed"), "{}", done.err);
}

#[test]
fn a_report_that_cannot_be_written_fails_the_run() {
    let project = Project::hello().file("file", "");
    let done = project.rehearse(&["run", "--report", "junit=file/report.xml"]);
    assert_eq!(done.exit, Exit::Environment);
    assert!(done.err.contains("failed to write the report to file/report.xml"), "{}", done.err);
}

#[test]
fn a_function_without_code_is_the_projects_fault() {
    let project = Project::hello().file("template.yaml", &TEMPLATE.replace("Hello", "Greeter"));
    let done = project.rehearse(&["run", "--target", "in-process"]);
    assert_eq!(done.exit, Exit::Wrong);
    assert!(done.err.contains("Greeter"), "{}", done.err);
}

/// A template of another project: the functions that are linked in are none of its own.
#[test]
fn another_projects_functions_run_as_processes_by_default() {
    let project = Project::hello().file("template.yaml", &TEMPLATE.replace("Hello", "Greeter"));
    let done = project.rehearse(&["run"]);
    assert_eq!(done.exit, Exit::Environment);
    assert!(done.err.contains("nothing says what runs the function Greeter"), "{}", done.err);
}

#[test]
fn check_needs_no_code() {
    let template = TEMPLATE.replace("Hello", "Greeter").replace("Leads", "L");
    let done = Project::hello().file("template.yaml", &template).rehearse(&["check"]);
    assert_eq!((done.exit, done.err.as_str()), (Exit::Passed, ""));
    assert!(done.out.contains("1 function, 1 table"), "{}", done.out);
}

#[test]
fn a_project_without_a_webhook_is_for_a_backend_at_a_url() {
    let settings = SETTINGS.replace("[webhook]\nroute = \"/sms\"\n", "");
    let project = Project::hello().file("rehearse.toml", &settings);
    let done = project.rehearse(&["run"]);
    assert_eq!(done.exit, Exit::Wrong);
    assert!(done.err.contains("no [webhook] with the `route`"), "{}", done.err);
    let done = project.rehearse(&["check"]);
    assert_eq!((done.exit, done.err.as_str()), (Exit::Passed, ""));
    let done = project.rehearse(&["env", "--target", "http://127.0.0.1:3000/sms"]);
    assert_eq!((done.exit, done.err.as_str()), (Exit::Passed, ""));
}

#[test]
fn a_variable_that_has_no_value_is_named_with_its_line() {
    let variables = "    Properties:
      Environment:
        Variables:
          GIVEN: !GetAtt Leads.StreamArn
          STREAM: !GetAtt Leads.StreamArn
          SECRET: '{{resolve:ssm:/x}}'
          PARAMETER: !Ref Nothing
";
    let template = format!("Parameters: {{ Nothing: {{ Type: String }} }}{TEMPLATE}").replacen(
        "    Properties:\n",
        variables,
        1,
    );
    let line = |name: &str| 1 + template.lines().position(|line| line.contains(name)).unwrap();
    let own = "[environment]\nGIVEN = \"x\"\n";
    let project = Project::hello()
        .file("template.yaml", &template)
        .file("rehearse.toml", &format!("{SETTINGS}{own}"));
    for command in [&["run"][..], &["check"], &["exec", "--", "true"]] {
        let done = project.rehearse(command);
        assert!(matches!(done.exit, Exit::Passed | Exit::Command(0)), "{}", done.err);
        let kept = "rehearse.toml gives it a value by the line `\"/x\" = \"...\"` under [secrets]";
        for (name, what, why) in [
            (
                "STREAM",
                "STREAM of Hello has the made-up ",
                "`StreamArn` of Leads is known only on AWS",
            ),
            ("SECRET", "no SECRET for Hello: ", kept),
            ("PARAMETER", "no PARAMETER for Hello: ", "parameter `Nothing` has no value"),
        ] {
            let at = format!("template.yaml:{}: {what}", line(name));
            let told = done.err.lines().find(|line| line.contains(&at));
            assert!(told.is_some_and(|told| told.ends_with(why)), "{command:?}: {}", done.err);
        }
        assert!(!done.err.contains("GIVEN"), "{}", done.err);
        assert_eq!(done.err.matches("under [environment]").count(), 1, "{}", done.err);
    }
    let own = format!("parameters = {{ Nothing = \"n\" }}\n{SETTINGS}{own}");
    let done = project.file("rehearse.toml", &own).rehearse(&["check"]);
    assert!(done.err.contains("STREAM") && !done.err.contains("PARAMETER"), "{}", done.err);
}

#[test]
fn a_chat_in_a_pipe_prints_the_replies_alone() {
    let done = Project::hello().rehearse_typing(&["chat"], "hi\n\nstill there?\n");
    assert_eq!((done.exit, done.out.as_str()), (Exit::Passed, "Hello\nHello\n"));
    let done = Project::hello().rehearse_typing(&["chat", "--from", "cusomer"], "hi\n");
    assert_eq!(done.exit, Exit::Wrong);
    assert!(done.err.contains("people there: customer, owner"), "{}", done.err);
}

#[test]
fn a_busy_port_names_its_part_its_holder_and_the_flag_that_moves_it() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for part in ["control", "openai"] {
        let flag = format!("--{part}-port");
        let mut line = vec!["up"];
        for other in [
            "--gateway-port",
            "--twilio-port",
            "--openai-port",
            "--dynamodb-port",
            "--control-port",
        ] {
            line.extend([other, if other == flag { &port } else { "0" }]);
        }
        let done = Project::hello().rehearse(&line);
        assert_eq!(done.exit, Exit::Environment, "{}", done.err);
        let wanted = format!("port {port}, for {part}, is taken");
        assert!(done.err.contains(&wanted) && done.err.contains(&flag), "{}", done.err);
        #[cfg(target_os = "linux")]
        assert!(done.err.contains(&format!("process {}", std::process::id())), "{}", done.err);
    }
}

#[test]
fn what_cannot_be_read_stands_in_the_reports() {
    let project = Project::hello().file("scenarios/a.yaml", "name: a\nstpes: []\n");
    let line =
        ["run", "--report", "junit=j.xml", "--report", "json=r.json", "--report", "html=h.html"];
    let done = project.rehearse(&line);
    assert_eq!(done.exit, Exit::Wrong);
    assert_eq!(done.err.matches("did you mean `steps`?").count(), 1, "{}", done.err);
    let json: serde_json::Value = serde_json::from_str(&project.read("r.json")).unwrap();
    assert_eq!((&json["outcome"], &json["exit_code"]), (&"broken".into(), &2.into()));
    assert!(json["errors"][0].as_str().unwrap().contains("a.yaml:2:1"), "{json}");
    let junit = project.read("j.xml");
    assert!(junit.contains(r#"errors="1""#) && junit.contains("a.yaml:2:1"), "{junit}");
    assert!(project.read("h.html").contains("did you mean `steps`?"));

    // The same of a project that is wrong.
    let project = Project::hello().file("rehearse.toml", "x = 1");
    assert_eq!(project.rehearse(&line).exit, Exit::Wrong);
    assert!(project.read("j.xml").contains("rehearse.toml"));
}

#[test]
fn every_run_can_be_a_page_and_tap() {
    let project = Project::hello().file("scenarios/bye.yaml", FAILS);
    let done = project.rehearse(&["run", "--report", "html=out.html", "--report", "tap"]);
    assert_eq!(done.exit, Exit::Failed);
    let lines: Vec<&str> = done.out.lines().collect();
    assert_eq!(lines[..2], ["TAP version 14", "1..2"]);
    assert!(lines.contains(&"not ok 1 - A goodbye is answered"), "{}", done.out);
    let page = project.read("out.html");
    for part in ["A goodbye is answered", "A greeting is answered", "webhook.sms", "bubble person"]
    {
        assert!(page.contains(part), "{part}");
    }
    let done = project.rehearse(&["run", "--sweep", "--report", "tap"]);
    assert!(done.err.contains("a sweep has no tap report"), "{}", done.err);
}

#[test]
fn the_parts_of_a_run_are_all_of_it() {
    let mut project = Project::hello();
    for i in 0..20 {
        let text = PASSES.replace("A greeting is", &format!("Greeting {i} is"));
        project = project.file(&format!("scenarios/{i}.yaml"), &text);
    }
    let list = |arguments: &[&str]| -> Vec<String> {
        let done = project.rehearse(&[&["run", "--list"], arguments].concat());
        assert_eq!(done.exit, Exit::Passed, "{}", done.err);
        done.out.lines().map(str::to_owned).collect()
    };
    let mut parts: Vec<String> =
        ["1/3", "2/3", "3/3"].iter().flat_map(|part| list(&["--shard", part])).collect();
    let mut all = list(&[]);
    parts.sort();
    all.sort();
    assert_eq!(parts, all);
    let done = project.rehearse(&["run", "--shard", "4/3"]);
    assert!(done.err.contains("a part is such as 1/3"), "{}", done.err);
}

#[test]
fn a_chat_takes_commands_and_says_why_it_is_silent() {
    let typed = "/as owner\nhi\n/clok\n/clock +2h\n/fail webhook.smss 503\n/help\n";
    let done = Project::hello().rehearse_typing(&["chat"], typed);
    assert_eq!(done.out, "Hello\n", "{}", done.err);
    for part in ["you text as owner", "did you mean /clock?", "it is ", "'webhook.sms'", "/reset"] {
        assert!(done.err.contains(part), "{part}: {}", done.err);
    }
    assert_eq!(done.exit, Exit::Failed, "a script with a wrong command has failed");
    let done = Project::hello().rehearse_typing(&["chat"], "STOP\nhi\n/reset\nhi\n");
    assert!(done.err.contains("customer has opted out"), "{}", done.err);
    assert_eq!(done.exit, Exit::Passed, "{}", done.err);
}

#[test]
fn the_shape_of_the_json_report_can_be_printed() {
    let done = Project::new().rehearse(&["schema", "--report"]);
    let schema: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(schema["properties"]["version"]["const"], 1);
}

#[test]
fn a_picture_that_is_no_url_is_refused() {
    let done = Project::new().rehearse(&["send", "Hi", "--media", "notaurl"]);
    assert_eq!(done.exit, Exit::Wrong);
    assert!(done.err.contains("https://example.com/screen.jpg"), "{}", done.err);
}

#[test]
fn what_the_system_refuses_is_told_in_words_with_path_and_remedy() {
    let project = Project::hello();
    for line in [
        &["run", "nowhere.yaml"][..],
        &["check", "nowhere.yaml"],
        &["coverage", "--report", "nowhere.json"],
        &["run", "--report", "junit=template.yaml/x.xml"],
    ] {
        let done = project.rehearse(line);
        assert!(done.exit == Exit::Wrong || done.exit == Exit::Environment, "{line:?}");
        assert!(!done.err.contains("os error"), "{}", done.err);
        assert!(
            done.err.contains("check the path") || done.err.contains("another"),
            "{}",
            done.err
        );
    }
}

#[test]
fn the_schema_of_a_project_has_its_names() {
    let project = Project::hello().file("fixtures/dynamodb/rows.yaml", "Leads: [{ id: x }]\n");
    let done = project.rehearse(&["schema", "--project"]);
    assert_eq!(done.exit, Exit::Passed, "{}", done.err);
    let schema: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    for (pointer, name) in [
        ("/$defs/Given/properties/fixtures/items/enum", "rows"),
        ("/$defs/Given/properties/tables/propertyNames/enum", "Leads"),
        ("/$defs/Expect/properties/tables/propertyNames/enum", "Leads"),
        ("/$defs/CrashRequest/properties/function/enum", "Hello"),
        ("/$defs/Customer/properties/from/examples", "owner"),
        ("/$defs/RequestLine/examples", "POST /sms"),
        ("/$defs/FaultEntry/properties/on/examples", "dynamodb.PutItem"),
    ] {
        let names = schema.pointer(pointer).and_then(serde_json::Value::as_array);
        assert!(names.is_some_and(|names| names.contains(&name.into())), "{pointer}: {names:?}");
    }
}
