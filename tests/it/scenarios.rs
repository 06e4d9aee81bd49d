//! The scenarios pass, and those that must fail, fail with exactly the report beside them.

use crate::process::rehearse;
use crate::support::{files, root};

#[test]
fn every_scenario_passes_offline() {
    let ran = rehearse(&root(), &["run"]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    let count = files(&root().join("scenarios"), ".yaml").len();
    assert!(count >= 38, "only {count} scenarios");
    let passed = ran.out.lines().filter(|l| l.trim_start().starts_with("ok ")).count();
    assert!(passed >= count, "{passed} passed lines for {count} files:\n{}", ran.out);
}

/// `REHEARSE_UPDATE=1` writes the reports anew; read the difference before committing it.
#[test]
fn failing_scenarios_fail_with_the_report_beside_them() {
    let folder = root().join("tests/failing");
    let scenarios = files(&folder, ".yaml");
    assert!(scenarios.len() >= 10, "tests/failing has lost its scenarios");
    let mut wrong = Vec::new();
    for scenario in scenarios {
        let name = scenario.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        let ran = rehearse(&root(), &["run", &name]);
        let report = without_times(&format!("exit {}\n{}{}", ran.code, ran.out, ran.err));
        let beside = scenario.with_extension("txt");
        if std::env::var_os("REHEARSE_UPDATE").is_some() {
            std::fs::write(&beside, &report).unwrap();
        }
        let expected = std::fs::read_to_string(&beside).unwrap_or_default();
        if report != expected || ran.code == 0 {
            wrong.push(format!("--- {name}: expected\n{expected}\n--- got\n{report}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Times differ from run to run: `12 ms` and `1.2 s` become `TIME`, and the column before them closes up.
fn without_times(report: &str) -> String {
    let mut out = String::new();
    for line in report.lines() {
        let mut words: Vec<&str> = line.split(' ').collect();
        let is_number =
            |w: &str| !w.is_empty() && w.chars().all(|c| c.is_ascii_digit() || c == '.');
        let mut at = 0;
        while at + 1 < words.len() {
            let unit = words[at + 1].trim_end_matches([')', ',', ']']);
            if is_number(words[at].trim_start_matches(['(', '[']))
                && ["ms", "s", "us"].contains(&unit)
            {
                words[at] = "TIME";
                words.remove(at + 1);
                while at > 0 && words[at - 1].is_empty() {
                    words.remove(at - 1);
                    at -= 1;
                }
            }
            at += 1;
        }
        out.push_str(words.join(" ").trim_end());
        out.push('\n');
    }
    out
}
