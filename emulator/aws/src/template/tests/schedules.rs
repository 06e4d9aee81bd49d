//! What invokes a function besides an API, and what becomes of asynchronous invocations.

use jiff::Timestamp;

use super::*;

/// A template with the function `One` that has these lines below its `Properties`, and more
/// resources.
fn one(properties: &str, more: &str) -> Result<Template, YamlError> {
    read(&format!(
        "Resources:
  One:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: one-on-aws
{properties}{more}"
    ))
}

fn event(event: &str) -> Result<Template, YamlError> {
    one(&format!("      Events:\n        E: {event}\n"), "")
}

fn ignored(template: &Template) -> Vec<&str> {
    template.ignored.iter().map(|ignored| ignored.kind.as_str()).collect()
}

#[test]
fn schedules_are_read() {
    let template = event(
        "{ Type: ScheduleV2, Properties: { ScheduleExpression: 'cron(0 9 * * ? *)', \
         ScheduleExpressionTimezone: America/New_York, Name: morning, Input: '{\"a\":1}', \
         FlexibleTimeWindow: { Mode: 'OFF' } } }",
    )
    .unwrap();
    let schedule = &template.functions[0].schedules[0];
    assert_eq!((schedule.name.as_str(), schedule.enabled, schedule.line), ("morning", true, 7));
    assert_eq!(schedule.kind, ScheduleKind::Scheduler);
    assert_eq!(schedule.input.as_deref(), Some("{\"a\":1}"));
    let after: Timestamp = "2026-02-10T20:10:00Z".parse().unwrap();
    let next = schedule.next_after(after, after).unwrap();
    assert_eq!(next.to_string(), "2026-02-11T14:00:00Z");
    assert_eq!(ignored(&template), ["FlexibleTimeWindow of a ScheduleV2 event"]);
    for disabled in ["Enabled: false", "State: DISABLED"] {
        let template = event(&format!(
            "{{ Type: Schedule, Properties: {{ Schedule: rate(1 minute), {disabled} }} }}"
        ));
        assert!(!template.unwrap().functions[0].schedules[0].enabled, "{disabled}");
    }
}

#[test]
fn a_schedule_that_only_aws_knows_is_listed() {
    let template =
        event("{ Type: Schedule, Properties: { Schedule: !ImportValue Every } }").unwrap();
    assert!(template.functions[0].schedules.is_empty());
    assert_eq!(ignored(&template), ["Schedule event"]);
}

#[test]
fn a_wrong_schedule_is_an_error_at_its_place() {
    for (wrong, says) in [
        ("Schedule: rate(5 seconds)", "rate(5 seconds)"),
        ("Schedule: 'at(2026-02-10T09:00:00)'", "at(...) is for a ScheduleV2"),
        (
            "Schedule: rate(1 minute), Sate: DISABLED",
            "has no property `Sate`; did you mean `State`?",
        ),
        ("Schedule: rate(1 minute), State: OFF", "ENABLED or DISABLED"),
        ("Schedule: rate(1 minute), Input: '{'", "Input is not JSON"),
        ("Schedul: rate(1 minute)", "did you mean `Schedule`?"),
        ("Name: x", "needs Schedule"),
    ] {
        let read = event(&format!("{{ Type: Schedule, Properties: {{ {wrong} }} }}"));
        let YamlError::Shape { report, line } = read.unwrap_err() else { panic!("{wrong}") };
        assert!(report.contains(says) && report.contains('^') && line == 7, "{wrong}: {report}");
    }
    assert_error(event("{ Type: Schedule }"), 7, "needs Properties with Schedule");
}

#[test]
fn a_rule_invokes_the_functions_among_its_targets() {
    let rule = "  Every:
    Type: AWS::Events::Rule
    Properties:
      ScheduleExpression: rate(1 minute)
      Targets:
        - { Id: a, Arn: !GetAtt One.Arn, Input: '{}' }
        - { Id: b, Arn: !GetAtt Queue.Arn }
  Queue: { Type: AWS::SQS::Queue }
  Other: { Type: AWS::Events::Rule, Properties: { EventPattern: { source: [a] } } }
";
    let template = one("", rule).unwrap();
    let schedule = &template.functions[0].schedules[0];
    assert_eq!((schedule.name.as_str(), schedule.input.as_deref()), ("Every", Some("{}")));
    assert_eq!(ignored(&template), ["target of a rule", "AWS::SQS::Queue", "AWS::Events::Rule"]);
}

#[test]
fn asynchronous_invocations_are_configured_on_the_function_or_beside_it() {
    let lambdas_own = one("", "").unwrap().functions[0].asynchronous.clone();
    assert_eq!((lambdas_own.retries, lambdas_own.max_age.as_secs()), (2, 21_600));
    let own = one(
        "      EventInvokeConfig:
        MaximumRetryAttempts: 1
        MaximumEventAgeInSeconds: 180
        DestinationConfig:
          OnFailure: { Type: SQS, Destination: !GetAtt Queue.Arn }
          OnSuccess: { Type: SQS }
",
        "  Queue: { Type: AWS::SQS::Queue }\n",
    )
    .unwrap();
    let read = &own.functions[0].asynchronous;
    assert_eq!((read.retries, read.max_age.as_secs()), (1, 180));
    let queue = "arn:aws:sqs:us-east-1:123456789012:Queue";
    assert_eq!(read.on_failure.as_deref(), Some(queue));
    assert_eq!(ignored(&own), ["OnSuccess destination", "AWS::SQS::Queue"]);
    let beside = one(
        "",
        "  Config:
    Type: AWS::Lambda::EventInvokeConfig
    Properties:
      FunctionName: !Ref One
      Qualifier: $LATEST
      MaximumRetryAttempts: 0
      DestinationConfig: { OnFailure: { Destination: !GetAtt One.Arn } }
",
    )
    .unwrap();
    let read = &beside.functions[0].asynchronous;
    assert_eq!(read.retries, 0);
    assert_eq!(read.on_failure.as_deref(), Some(beside.functions[0].arn().as_str()));
}

#[test]
fn wrong_configurations_are_errors_at_their_place() {
    for (wrong, says) in [
        ("MaximumRetryAttempts: 3", "from 0 to 2"),
        ("MaximumEventAgeInSeconds: 59", "from 60 to 21600"),
        ("MaximumRetryAttempt: 1", "did you mean `MaximumRetryAttempts`?"),
        ("DestinationConfig: { OnFailur: {} }", "did you mean `OnFailure`?"),
        ("DestinationConfig: { OnFailure: { Type: Lambda } }", "needs a Destination"),
        ("DestinationConfig: { OnFailure: { Type: SQ } }", "Type is one of"),
    ] {
        let read = one(&format!("      EventInvokeConfig: {{ {wrong} }}\n"), "");
        assert_error(read, 6, says);
    }
    let unknown =
        "  C:\n    Type: AWS::Lambda::EventInvokeConfig\n    Properties: { FunctionName: x }\n";
    assert_error(one("", unknown), 6, "has no function `x`");
}

#[test]
fn a_functions_names_are_those_that_lambda_takes() {
    let template = variable("!Join [' ', [!Ref F, !GetAtt F.Arn]]", "").unwrap();
    let function = &template.functions[0];
    for name in function.env["V"].split(' ') {
        assert!(function.is_named(name), "{name}");
    }
    let template = one("", "").unwrap();
    let one = &template.functions[0];
    for name in ["One", "one-on-aws", "one-on-aws:$LATEST", "123456789012:function:one-on-aws"] {
        assert!(one.is_named(name), "{name}");
    }
    for name in ["one", "", ":$LATEST", "arn:aws:lambda:eu-west-1:123456789012:function:one-on-aws"]
    {
        assert!(!one.is_named(name), "{name}");
    }
}
