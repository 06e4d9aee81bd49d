//! What stands for values that only AWS knows, and what is told of it.

use super::*;

#[test]
fn of_a_variable_only_the_made_up_part_is_told() {
    let folder = Folder::new();
    let text = "Parameters: { Key: { Type: String, NoEcho: true, Default: hush-key } }
Resources:
  Db: { Type: Custom::Db }
  F:
    Type: AWS::Serverless::Function
    Properties:
      Environment:
        Variables:
          V: !Sub 'postgres://u:{{resolve:secretsmanager:db:SecretString:pw}}@${Db.Host}/${Key}'
";
    let path = folder.write("template.yaml", text.as_bytes());
    let secrets = BTreeMap::from([("db".to_owned(), r#"{"pw":"hush-pw"}"#.to_owned())]);
    let template = Template::read_with(&path, &BTreeMap::new(), &secrets).unwrap();
    let function = &template.functions[0];
    assert_eq!(function.env["V"], "postgres://u:hush-pw@Db.Host/hush-key");
    assert_eq!(function.unresolved[0].placeholder.as_deref(), Some("Db.Host"));
    let told = format!("{:?} {:?}", function.unresolved, template.placeholders);
    assert!(!told.contains("hush"), "{told}");
}

/// The variable's value beside a custom resource `X`, and whether it is listed as made up.
fn of(value: &str) -> (String, bool) {
    let text = format!(
        "Resources:
  X: {{ Type: Custom::Thing }}
  F:
    Type: AWS::Serverless::Function
    Properties: {{ Environment: {{ Variables: {{ V: {value} }} }} }}
"
    );
    let template = read(&text).unwrap_or_else(|error| panic!("{value}: {error}"));
    let function = &template.functions[0];
    (function.env["V"].clone(), !function.unresolved.is_empty())
}

#[test]
fn parts_of_the_stacks_arn_are_there() {
    let parts = "!Select [4, !Split ['-', !Select [2, !Split ['/', !Ref 'AWS::StackId']]]]";
    assert_eq!(of(parts), ("000000000000".to_owned(), false));
    assert_eq!(of("!Join [',', !Ref 'AWS::NotificationARNs']"), (String::new(), false));
}

#[test]
fn a_part_of_a_made_up_value_is_made_up_as_well() {
    for (value, expected) in [
        ("!Select [5, !Split [':', !ImportValue RoleArn]]", "item-5"),
        ("!Select [1, !Split ['://', !GetAtt X.Endpoint]]", "item-1"),
        ("!Select [0, !Split ['.', !GetAtt X.Endpoint]]", "X"),
        ("!Select [1, !GetAtt X.NameServers]", "item-1"),
        ("!Join [',', !GetAtt X.NameServers]", "X.NameServers"),
    ] {
        assert_eq!(of(value), (expected.to_owned(), true), "{value}");
    }
    assert_error(variable("!Select [5, !Split [':', 'a:b']]", ""), 7, "no item 5 in a list of 2");
    // The same value, made up twice: the second time it is listed already.
    let text = "Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: { FunctionName: !Select [5, !Split [':', !ImportValue Arn]] }
  G:
    Type: AWS::Serverless::Function
    Properties: { Handler: !Ref F, Environment: { Variables: { F: !Ref F } } }
";
    let template = read(text).unwrap();
    assert_eq!(template.functions[0].name, "item-5");
    assert_eq!(template.functions[1].handler.as_deref(), Some("item-5"));
    assert_eq!(template.functions[1].env["F"], "item-5");
}

/// A template with a function `F` and an API `Web`, whose variable is `value`.
fn named(function: &str, value: &str) -> Result<Template, YamlError> {
    read(&format!(
        "Transform: AWS::Serverless-2016-10-31
Parameters: {{ Stage: {{ Type: String, Default: v1 }} }}
Conditions: {{ No: !Equals [a, b] }}
Resources:
  F: {{ Type: AWS::Serverless::Function, Properties: {{ {function} }} }}
  G:
    Type: AWS::Serverless::Function
    Properties: {{ Environment: {{ Variables: {{ V: {value} }} }} }}
  Web: {{ Type: AWS::Serverless::Api, Properties: {{ StageName: v1 }} }}
  Other: {{ Type: AWS::Serverless::Api, Properties: {{ StageName: !Ref Stage }} }}
"
    ))
}

#[test]
fn what_sam_does_not_make_cannot_be_referred_to() {
    for (function, value) in [
        ("", "!Ref WebDeploymentBucket"),
        ("", "!Ref Webv2Stage"),
        ("", "!Ref FVersionLabel"),
        ("", "!Ref FAliasName"),
        ("", "!Ref FAliaslive"),
        ("", "!Ref F.Version"),
        ("", "!GetAtt FUrl.FunctionUrl"),
        ("AutoPublishAlias: live", "!Ref FAliasliev"),
        ("Role: 'arn:aws:iam::1:role/x'", "!GetAtt FRole.Arn"),
    ] {
        let error = named(function, value).err();
        let error = error.unwrap_or_else(|| panic!("{value} is taken")).to_string();
        assert!(error.contains("there is no parameter or resource"), "{value}: {error}");
    }
    for (function, value) in [
        ("", "!Ref WebDeployment0123456789"),
        ("", "!Ref Webv1Stage"),
        ("", "!Ref Otherv1Stage"),
        ("", "!Ref OtherStage0123456789"),
        ("", "!Ref FVersion0123456789"),
        ("", "!GetAtt FRole.Arn"),
        ("AutoPublishAlias: !Ref Stage", "!Ref FAliasv1"),
        ("AutoPublishAlias: a-b", "!Ref FAliasaDb"),
        ("Role: !If [No, x, !Ref AWS::NoValue]", "!GetAtt FRole.Arn"),
        ("FunctionUrlConfig: { AuthType: NONE }", "!GetAtt FUrl.FunctionUrl"),
    ] {
        let read = named(function, value);
        assert!(read.is_ok(), "{value}: {}", read.unwrap_err());
    }
}
