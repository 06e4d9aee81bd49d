//! A turn is a tree on both targets: every call of a function leads back to the text, request or event that
//! caused it, also when several are worked on at once.

use std::path::Path;

use serde_json::Value;

use crate::suite;

#[test]
fn in_process_every_call_leads_back_to_what_caused_it() {
    assert_trees(&suite::in_process().0);
}

#[test]
fn of_processes_every_call_leads_back_to_what_caused_it() {
    assert_trees(&suite::in_processes().0);
}

fn assert_trees(report: &Path) {
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let (mut wrong, mut calls, mut named) = (Vec::new(), 0, 0);
    for scenario in report["scenarios"].as_array().unwrap() {
        let journal = scenario["journal"].as_array().unwrap();
        let mut tell = |what: &str, entry: &Value| {
            wrong.push(format!("{}: {what}: {entry}", scenario["name"]));
        };
        for entry in journal {
            let kind = entry["crossing"]["kind"].as_str().unwrap();
            let is_of_function = match kind {
                "database" => !entry["crossing"]["function"].is_null(),
                "model" | "twilio" | "invoke" => true,
                _ => false,
            };
            if !is_of_function {
                continue;
            }
            calls += 1;
            let Some(root) = root(journal, entry) else {
                tell("nothing is known of its cause", entry);
                continue;
            };
            if entry["turn"] != root["seq"] {
                tell("its turn is not the root", entry);
            }
            // The row of a turn has the text's own id.
            let row = entry["crossing"]["request"]["Key"]["item_id"]["S"].as_str();
            let sid = row.and_then(|row| row.strip_prefix("turn#"));
            if let Some(sid) = sid
                && root["crossing"]["kind"] == "sms_received"
            {
                named += 1;
                if root["crossing"]["sid"] != sid {
                    tell("it is of another text", entry);
                }
            }
        }
    }
    wrong.truncate(20);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(calls > 10_000 && named > 1_000, "only {calls} calls, {named} of them with a sid");
}

/// The exchange that a call leads back to.
fn root<'j>(journal: &'j [Value], entry: &'j Value) -> Option<&'j Value> {
    let mut at = entry;
    let mut is_caused = false;
    while let Some(seq) = at["caused_by"].as_u64() {
        is_caused = true;
        at = journal.iter().find(|cause| cause["seq"] == seq)?;
        assert!(at["seq"].as_u64() < entry["seq"].as_u64(), "a cause comes first: {entry}");
    }
    is_caused.then_some(at)
}
