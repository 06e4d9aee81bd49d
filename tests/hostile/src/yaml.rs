//! Files that people write: scenarios, what must always hold, templates and settings.

use rehearse_aws::template::{Settings, Template};
use rehearse_core::yaml::Source;
use rehearse_scenario::{Scenario, invariants::Invariants};

/// A scenario or sentences that must always hold, or an error with words.
pub(crate) fn scenario(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    told(Scenario::parse(text));
    told(Invariants::parse(Source::new("always.yaml", text)));
}

/// A template, the schedule of a template, or settings, or an error with words.
pub(crate) fn template(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    told(Template::parse(&Source::new("template.yaml", text)));
    told(Settings::parse("rehearse.toml", text));
    let schedule = serde_json::json!({ "Resources": { "Night": {
        "Type": "AWS::Serverless::Function",
        "Properties": {
            "Handler": "bootstrap", "Runtime": "provided.al2023",
            "Events": { "Every": { "Type": "Schedule", "Properties": { "Schedule": text } } },
        },
    } } });
    told(Template::parse(&Source::new("template.yaml", schedule.to_string())));
}

fn told<T, E: std::fmt::Display>(read: Result<T, E>) {
    if let Err(error) = read {
        assert!(!error.to_string().trim().is_empty(), "an error without words");
    }
}
