mod apis;
mod definitions;
mod loops;
mod made_up;
mod names;
mod policies;
mod project;
mod reading;
mod schedules;
mod settings;

use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

use super::*;
use rehearse_core::table::AttributeKind;
use rehearse_core::yaml::Source;
use rehearse_dynamodb::fixture;
use rehearse_testutils::Folder;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(text: &str) -> Result<Template, YamlError> {
    Template::parse(&Source::new("template.yaml", text))
}

/// A template with one function whose variable `V` is `value`, and these other sections.
fn variable(value: &str, more: &str) -> Result<Template, YamlError> {
    read(&format!(
        "Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Environment:
        Variables:
          V: {value}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !Sub my-${{Stage}}
      AttributeDefinitions: [{{ AttributeName: id, AttributeType: S }}]
      KeySchema: [{{ AttributeName: id, KeyType: HASH }}]
Parameters:
  Stage: {{ Type: String, Default: dev }}
  Zones: {{ Type: CommaDelimitedList, Default: \"a, b,c\" }}
  Secret: {{ Type: String }}
{more}"
    ))
}

fn value(value: &str, more: &str) -> String {
    let template = variable(value, more).unwrap_or_else(|e| panic!("{value}: {e}"));
    template.functions[0].env.get("V").cloned().unwrap_or_else(|| "(none)".into())
}

#[track_caller]
fn assert_error(result: Result<Template, YamlError>, line: u64, message: &str) {
    let error = result.unwrap_err();
    let YamlError::Shape { report, line: found } = &error else { panic!("{error}") };
    assert!(report.contains(message), "{report}");
    assert!(report.contains(&format!("template.yaml:{line}:")), "{report}");
    assert!(report.contains('^'), "no caret: {report}");
    assert_eq!(*found, line, "{report}");
}
