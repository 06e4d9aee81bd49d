//! Scenarios in Rust tests, without files and without a runner.

use super::support::Project;
use crate::{Scenario, Status};

#[tokio::test]
async fn a_text_is_parsed_run_and_asserted() {
    let project = Project::new();
    let scenario = Scenario::parse("name: a\nsteps: [{ customer: Hi, reply: 'You said: Hi' }]");
    let result = scenario.unwrap().run(project.runner().backend()).await.unwrap();
    result.assert_passed();
}

#[tokio::test]
async fn the_assertion_panics_with_the_report() {
    let project = Project::new();
    let scenario = Scenario::parse("name: a\nsteps: [{ customer: Hi, reply: Hello }]").unwrap();
    let result = scenario.run(project.runner().backend()).await.unwrap();
    assert_eq!(result.status, Status::Failed);
    let panic = std::panic::catch_unwind(|| result.assert_passed()).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    for part in ["FAIL  a", "scenario:2", "expected  Hello", "came  You said: Hi"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[tokio::test]
async fn unknown_names_are_errors_before_anything_runs() {
    let project = Project::new();
    let scenario = Scenario::parse("name: a\nsteps: [{ customer: Hi, from: ann }]").unwrap();
    let errors = scenario.run(project.runner().backend()).await.unwrap_err();
    assert!(errors.to_string().contains("unknown person 'ann'"), "{errors}");
}

#[test]
fn a_file_is_one_scenario_or_one_for_each_entry() {
    let project = Project::new();
    let one = project.write("one.yaml", "name: a\nsteps: [{ customer: Hi }]");
    assert_eq!(Scenario::load(&one).unwrap().name(), "a");
    let text = "name: a\neach: [{ n: 1 }, { n: 2 }]\nsteps: [{ customer: Hi }]";
    let two = project.write("two.yaml", text);
    assert_eq!(Scenario::load_each(&two).unwrap().len(), 2);
    let error = Scenario::load(&two).unwrap_err().to_string();
    assert!(error.contains("'each' makes several scenarios"), "{error}");
    assert!(Scenario::load(two.with_file_name("none.yaml")).is_err());
    let error = Scenario::parse("name: a\nsteps: []").unwrap_err().to_string();
    assert!(error.contains("at least one step"), "{error}");
}
