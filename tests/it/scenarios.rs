//! The scenarios pass, and those that must fail, fail with exactly the report in the snapshot beside them.

use crate::process::rehearse;
use crate::suite;
use crate::support::{files, root};

#[test]
fn every_scenario_passes_offline() {
    let (_, ran) = suite::in_process();
    let count = files(&root().join("scenarios"), ".yaml").len();
    assert!(count >= 38, "only {count} scenarios");
    let passed = ran.out.lines().filter(|l| l.trim_start().starts_with("ok ")).count();
    assert!(passed >= count, "{passed} passed lines for {count} files:\n{}", ran.out);
}

/// `INSTA_UPDATE=always` writes the reports anew; read the difference before committing it.
#[test]
fn failing_scenarios_fail_with_the_report_beside_them() {
    let folder = root().join("tests/failing");
    let scenarios = files(&folder, ".yaml");
    assert!(scenarios.len() >= 10, "tests/failing has lost its scenarios");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // Times differ from run to run; the column before them closes up.
    settings.add_filter(r" +[0-9][0-9.]* (us|ms|s)\b", " TIME");
    for scenario in scenarios {
        let path = scenario.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        let ran = rehearse(&root(), &["run", &path]);
        assert_ne!(ran.code, 0, "{path} passed");
        let report = format!("exit {}\n{}{}", ran.code, ran.out, ran.err);
        let name = scenario.file_stem().unwrap().to_string_lossy();
        settings.bind(|| insta::assert_snapshot!(name.as_ref(), report));
    }
}
