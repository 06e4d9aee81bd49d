//! What `Ref` and `GetAtt` give, secrets, and the functions of CloudFormation that are seldom used.

use super::*;

fn with(resources: &str, value: &str) -> Template {
    read(&format!(
        "Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      AutoPublishAlias: live
      Environment: {{ Variables: {{ V: {value} }} }}
      FunctionUrlConfig: {{ AuthType: NONE }}
      Events:
        Get: {{ Type: Api, Properties: {{ Path: /a, Method: get }} }}
        Call: {{ Type: HttpApi, Properties: {{ Path: /a, Method: get }} }}
        Work: {{ Type: SNS, Properties: {{ Topic: x, SqsSubscription: true }} }}
        Nightly: {{ Type: Schedule, Properties: {{ Schedule: rate(1 day) }} }}
{resources}"
    ))
    .unwrap_or_else(|error| panic!("{value}: {error}"))
}

/// The variable's value, and whether it is listed as made up.
fn of(resources: &str, value: &str) -> (String, bool) {
    let template = with(resources, value);
    let function = &template.functions[0];
    (function.env["V"].clone(), function.unresolved.iter().any(|u| u.variable == "V"))
}

#[test]
fn resources_that_sam_makes_can_be_referred_to() {
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:F";
    for (value, expected) in [
        ("!Ref FRole", "FRole"),
        ("!GetAtt FRole.Arn", "arn:aws:iam::123456789012:role/FRole"),
        ("!Ref F.Version", &format!("{arn}:1")),
        ("!Ref F.Alias", &format!("{arn}:live")),
        ("!Sub '${F.Alias}'", &format!("{arn}:live")),
        ("!Ref FAliaslive", &format!("{arn}:live")),
        ("!GetAtt FUrl.FunctionUrl", "https://furl.lambda-url.us-east-1.on.aws/"),
        ("!Ref ServerlessRestApi", "serverlessrestapi"),
        ("!Ref ServerlessRestApiProdStage", "Prod"),
        ("!Ref ServerlessHttpApiApiGatewayDefaultStage", "$default"),
        ("!GetAtt FWorkQueue.Arn", "arn:aws:sqs:us-east-1:123456789012:FWorkQueue"),
        ("!Ref FNightly", "FNightly"),
        ("!Ref FNightlyPermission", "rehearse-FNightlyPermission"),
        ("!Ref FGetPermissionProd", "rehearse-FGetPermissionProd"),
        (
            "!Sub 'https://${ServerlessHttpApi}.execute-api.${AWS::Region}.amazonaws.com/'",
            "https://serverlesshttpapi.execute-api.us-east-1.amazonaws.com/",
        ),
    ] {
        assert_eq!(of("", value), (expected.to_owned(), false), "{value}");
    }
    let deployment = of("", "!Ref ServerlessRestApiDeployment47fc2d5f9d").0;
    assert_eq!(deployment.len(), 12, "{deployment}");
    let typo = variable("!Ref FRoel", "").unwrap_err().to_string();
    assert!(typo.contains("there is no parameter or resource `FRoel`"), "{typo}");
}

#[test]
fn ref_and_getatt_give_what_aws_gives_by_type() {
    for (kind, value, expected) in [
        ("SQS::Queue", "!Ref X", "https://sqs.us-east-1.amazonaws.com/123456789012/X"),
        ("SQS::Queue", "!GetAtt X.QueueName", "X"),
        ("SNS::Topic", "!Ref X", "arn:aws:sns:us-east-1:123456789012:X"),
        (
            "SecretsManager::Secret",
            "!Ref X",
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:X-AbCdEf",
        ),
        (
            "StepFunctions::StateMachine",
            "!Ref X",
            "arn:aws:states:us-east-1:123456789012:stateMachine:X",
        ),
        ("S3::Bucket", "!Ref X", "rehearse-x"),
        ("S3::Bucket", "!GetAtt X.Arn", "arn:aws:s3:::rehearse-x"),
        ("Kinesis::Stream", "!GetAtt X.Arn", "arn:aws:kinesis:us-east-1:123456789012:stream/X"),
        ("Logs::LogGroup", "!GetAtt X.Arn", "arn:aws:logs:us-east-1:123456789012:log-group:X:*"),
        ("Events::EventBus", "!Ref X", "X"),
        (
            "Lambda::Version, Properties: { FunctionName: !Ref F }",
            "!Ref X",
            "arn:aws:lambda:us-east-1:123456789012:function:F:1",
        ),
        ("SSM::Parameter, Properties: { Value: a, Type: String }", "!GetAtt X.Value", "a"),
        (
            "SQS::Queue, Properties: { QueueName: q }",
            "!GetAtt X.Arn",
            "arn:aws:sqs:us-east-1:123456789012:q",
        ),
    ] {
        let resource = format!("  X: {{ Type: AWS::{kind} }}\n");
        assert_eq!(of(&resource, value), (expected.to_owned(), false), "{kind} {value}");
    }
    let (pool, _) = of("  X: { Type: AWS::Cognito::UserPool }\n", "!Ref X");
    assert_eq!(pool, of("  X: { Type: AWS::Cognito::UserPool }\n", "!GetAtt X.UserPoolId").0);
    assert!(pool.starts_with("us-east-1_"), "{pool}");
}

#[test]
fn what_the_table_does_not_have_is_made_up_and_said() {
    for (value, expected) in [
        ("!GetAtt X.Token", "X.Token"),
        ("!Ref X", "X"),
        ("!Sub 'a-${X.Token}'", "a-X.Token"),
        ("!ImportValue Shop", "Shop"),
    ] {
        let made_up = of("  X: { Type: Custom::Thing }\n", value);
        assert_eq!(made_up, (expected.to_owned(), true), "{value}");
    }
    // Elsewhere a parameter without a value stands for itself.
    let text = "Parameters: { Stage: { Type: String }, Size: { Type: Number } }
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: { FunctionName: !Sub 'f-${Stage}', MemorySize: !Ref Size }
";
    let template = read(text).unwrap();
    assert_eq!((template.functions[0].name.as_str(), template.functions[0].memory), ("f-Stage", 1));
    let said: Vec<_> = template.placeholders.iter().map(|p| (&*p.value, p.line)).collect();
    assert_eq!(said, [("1", 5), ("Stage", 5)]);
}

/// The variable's value with these secrets, or why it has none.
fn secret(value: &str, parameter: &str) -> Result<String, String> {
    let folder = Folder::new();
    let text = format!(
        "Parameters: {{ Key: {{ Type: {parameter}, Default: /shop/key }} }}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {{ Environment: {{ Variables: {{ V: {value} }} }} }}
  Kept: {{ Type: AWS::SecretsManager::Secret, Properties: {{ Name: shop }} }}
"
    );
    let path = folder.write("template.yaml", text.as_bytes());
    let secrets = BTreeMap::from([
        ("/shop/key".to_owned(), "sk-1".to_owned()),
        ("shop".to_owned(), r#"{"token":"t-1","port":1}"#.to_owned()),
    ]);
    let template =
        Template::read_with(&path, &BTreeMap::new(), &secrets).map_err(|e| e.to_string())?;
    let function = &template.functions[0];
    function.env.get("V").cloned().ok_or_else(|| function.unresolved[0].reason.clone())
}

#[test]
fn secrets_come_from_the_settings_and_a_missing_one_says_which_line_to_add() {
    for (value, expected) in [
        ("'{{resolve:ssm:/shop/key}}'", "sk-1"),
        ("'{{resolve:ssm:/shop/key:3}}'", "sk-1"),
        ("'{{resolve:ssm-secure:/shop/key:1}}'", "sk-1"),
        ("'Bearer {{resolve:secretsmanager:shop:SecretString:token::}}!'", "Bearer t-1!"),
        ("'{{resolve:secretsmanager:shop:SecretString:port}}'", "1"),
        ("!Sub '{{resolve:secretsmanager:${Kept}:SecretString:token}}'", "t-1"),
        ("!Join ['', ['{{resolve:ssm:', !Ref Key, '}}']]", "sk-1"),
    ] {
        assert_eq!(secret(value, "String").unwrap(), expected, "{value}");
    }
    assert_eq!(secret("!Ref Key", "AWS::SSM::Parameter::Value<String>").unwrap(), "sk-1");
    let missing = secret("'{{resolve:ssm:/shop/other}}'", "String").unwrap_err();
    assert!(missing.contains("`\"/shop/other\" = \"...\"` under [secrets]"), "{missing}");
    let missing = secret("'{{resolve:secretsmanager:shop:SecretString:no}}'", "String");
    assert!(missing.unwrap_err().contains("has no `no`"));
    let wrong = secret("'{{resolve:vault:x}}'", "String").unwrap_err();
    assert!(wrong.contains("ssm, ssm-secure or secretsmanager, not vault"), "{wrong}");
}

#[test]
fn the_other_functions_of_cloudformation() {
    let more = "Mappings: { Sizes: { dev: { Big: 42 } } }";
    for (text, expected) in [
        ("!FindInMap [Sizes, nope, Big, { DefaultValue: 7 }]", "7"),
        ("!FindInMap [Sizes, dev, Big, { DefaultValue: 7 }]", "42"),
        ("{ Fn::Length: !Ref Zones }", "3"),
        ("{ Fn::ToJsonString: { a: [1, !Ref Stage], b: true } }", r#"{"a":[1,"dev"],"b":true}"#),
        ("!Select [1, !GetAZs '']", "us-east-1b"),
        ("!Select [1, !GetAZs { Ref: 'AWS::Region' }]", "us-east-1b"),
        ("!Select [1, !Cidr [10.0.0.0/16, 2, 8]]", "10.0.1.0/24"),
    ] {
        assert_eq!(value(text, more), expected, "{text}");
    }
    assert_error(variable("!Cidr [10.0.0.0/24, 9, 8]", more), 7, "has no room for 9 blocks");
}

#[test]
fn loops_are_written_out_before_anything_is_read() {
    let text = "Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Parameters: { Names: { Type: CommaDelimitedList, Default: 'Users,Old-Leads' } }
Resources:
  Fn::ForEach::Tables:
    - Name
    - !Ref Names
    - 'Table&{Name}':
        Type: AWS::Serverless::SimpleTable
        Properties: { TableName: !Sub 'my-${Name}' }
  F:
    Type: AWS::Serverless::Function
    Properties:
      Environment:
        Variables:
          Fn::ForEach::Variables:
            - Kind
            - [A, B]
            - '${Kind}_NAME': !Ref Kind
      Events:
        Fn::ForEach::Outer:
          - Method
          - [get, post]
          - Fn::ForEach::Inner:
              - Path
              - [x, y]
              - '${Method}${Path}': { Type: HttpApi, Properties: { Method: !Ref Method, Path: !Sub '/${Path}' } }
";
    let template = read(text).unwrap();
    let tables: Vec<_> = template.tables.iter().map(|t| (&*t.id, &*t.name)).collect();
    assert_eq!(tables, [("TableUsers", "my-Users"), ("TableOldLeads", "my-Old-Leads")]);
    let function = &template.functions[0];
    assert_eq!((&*function.env["A_NAME"], &*function.env["B_NAME"]), ("A", "B"));
    let routes: Vec<_> = function.routes.iter().map(Route::key).collect();
    assert_eq!(routes, ["GET /x", "GET /y", "POST /x", "POST /y"]);
    let numbers = (0..200).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let endless = format!(
        "Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::A: [A, [{numbers}], {{ 'Fn::ForEach::B': [B, [{numbers}], {{}}] }}]
"
    );
    assert_error(read(&endless), 3, "the template's loops make more than 10000 entries");
    let wrong = "Transform: AWS::LanguageExtensions\nResources:\n  Fn::ForEach::X: [a]\n";
    assert_error(read(wrong), 3, "ForEach takes a name, a list");
}
