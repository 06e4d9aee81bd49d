//! What a template means, and what is wrong with one.

use super::*;

#[test]
fn functions_of_cloudformation_in_both_forms() {
    for (short, long) in [
        ("!Ref Stage", "{ Ref: Stage }"),
        ("!Ref Table", "{ Ref: Table }"),
        ("!Sub 'x-${Stage}-${!Stage}'", "{ Fn::Sub: 'x-${Stage}-${!Stage}' }"),
        ("!Sub ['${A}/${Table}', { A: !Ref Stage }]", "{ Fn::Sub: ['${A}/${Table}', { A: dev }] }"),
        ("!Base64 dev", "{ Fn::Base64: !Ref Stage }"),
        ("!GetAtt Table.Arn", "{ Fn::GetAtt: [Table, Arn] }"),
        ("!Join ['-', [a, !Ref Stage]]", "{ Fn::Join: ['-', [a, { Ref: Stage }]] }"),
        ("!Select [1, !Ref Zones]", "{ Fn::Select: ['1', { Ref: Zones }] }"),
        ("!Select [1, !Split ['.', a.b.c]]", "{ Fn::Select: [1, { Fn::Split: ['.', a.b.c] }] }"),
        ("!If [IsDev, yes-dev, no]", "{ Fn::If: [IsDev, yes-dev, no] }"),
        ("!FindInMap [Sizes, !Ref Stage, Big]", "{ Fn::FindInMap: [Sizes, dev, Big] }"),
    ] {
        let more = "Conditions: { IsDev: !Equals [!Ref Stage, dev] }\nMappings: { Sizes: { dev: { Big: 42 } } }";
        assert_eq!(value(short, more), value(long, more), "{short}");
    }
}

#[test]
fn what_they_evaluate_to() {
    let more = "Conditions:
  IsDev: !Equals [!Ref Stage, dev]
  IsProd: !Not [!Condition IsDev]
  Both: !And [!Condition IsDev, !Equals [a, a]]
  Neither: !Or [!Condition IsProd, !Equals [a, b]]
Mappings: { Sizes: { dev: { Big: 42 }, 404: { 1: one } } }";
    for (text, expected) in [
        ("!FindInMap [Sizes, 404, 1]", "one"),
        ("!Ref Table", "my-dev"),
        ("!Base64 dev", "ZGV2"),
        ("!Sub '${Table.Arn}/index'", "arn:aws:dynamodb:us-east-1:123456789012:table/my-dev/index"),
        ("!Sub '${!Stage}'", "${Stage}"),
        ("!Sub '${AWS::Region}.${AWS::AccountId}'", "us-east-1.123456789012"),
        ("!Select [2, !Ref Zones]", "c"),
        ("!Join [',', !Ref Zones]", "a,b,c"),
        ("!FindInMap [Sizes, !Ref Stage, Big]", "42"),
        ("!If [IsProd, a, !If [Both, b, c]]", "b"),
        ("!If [Neither, a, !Ref AWS::NoValue]", "(none)"),
        ("0123", "0123"),
        ("12000", "12000"),
        ("true", "true"),
        ("yes", "yes"),
    ] {
        assert_eq!(value(text, more), expected, "{text}");
    }
}

#[test]
fn parameters_given_go_before_defaults_and_unknown_ones_are_refused() {
    let path = root().join("template.yaml");
    let given = BTreeMap::from([("OpenAiModel".to_owned(), "other".to_owned())]);
    let template = Template::read_with(&path, &given, &BTreeMap::new()).unwrap();
    assert_eq!(template.functions[0].env["OPENAI_MODEL"], "other");
    let given = BTreeMap::from([("OpenAiModle".to_owned(), "other".to_owned())]);
    let error = Template::read_with(&path, &given, &BTreeMap::new()).unwrap_err().to_string();
    assert!(error.contains("no parameter `OpenAiModle`; did you mean `OpenAiModel`?"), "{error}");
}

#[test]
fn what_only_aws_knows_is_listed_with_its_line() {
    for text in ["!Ref Secret", "!ImportValue x", "'{{resolve:ssm:/a}}'", "!GetAtt Table.StreamArn"]
    {
        let template = variable(text, "").unwrap();
        let unresolved = &template.functions[0].unresolved;
        assert_eq!(unresolved.len(), 1, "{text}");
        assert_eq!((unresolved[0].variable.as_str(), unresolved[0].line), ("V", 7), "{text}");
    }
}

#[test]
fn an_environment_that_a_condition_chooses_is_that_one() {
    let of = |environment: &str| {
        let template = read(&format!(
            "Parameters: {{ Secret: {{ Type: String }} }}
Conditions: {{ No: !Equals [a, b], Nobody: !Equals [!Ref Secret, b] }}
Resources:
  T: {{ Type: AWS::Serverless::SimpleTable }}
  F: {{ Type: AWS::Serverless::Function, Properties: {{ Environment: {environment} }} }}
"
        ));
        template.map(|mut template| template.functions.remove(0))
    };
    for environment in [
        "!If [No, { Variables: { A: '1' } }, { Variables: { A: '2', B: !GetAtt T.StreamArn } }]",
        "{ Variables: !If [No, { A: '1' }, { A: '2', B: !GetAtt T.StreamArn }] }",
        "{ Variables: !If [No, {}, !If [No, {}, { A: '2', B: !GetAtt T.StreamArn }]] }",
    ] {
        let function = of(environment).unwrap();
        assert_eq!(function.env["A"], "2", "{environment}");
        let unresolved: Vec<_> = function.unresolved.iter().map(|u| &*u.variable).collect();
        assert_eq!(unresolved, ["B"], "{environment}");
    }
    assert_eq!(of("!If [No, { Variables: { A: '1' } }, !Ref AWS::NoValue]").unwrap().env.len(), 0);
    let function = of("{ Variables: !If [Nobody, { A: '1' }, { A: '2' }] }").unwrap();
    assert_eq!(function.unresolved[0].variable, "Variables");
    assert_error(of("[a]").map(|_| Template::default()), 5, "Environment is a map, not a list");
}

#[test]
fn what_is_wrong_is_pointed_at() {
    for (text, message) in [
        ("!Ref Stge", "there is no parameter or resource `Stge`; did you mean `Stage`?"),
        ("!Sub 'x${Tabel}'", "`Tabel`; did you mean `Table`?"),
        ("!Sub '${Stage'", "`${` without `}`"),
        ("!GetAtt Nope.Arn", "no parameter or resource `Nope`"),
        ("!If [IsDev, a, b]", "there is no condition `IsDev`"),
        ("!FindInMap [Sizes, dev, Big]", "there is no Mappings.Sizes"),
        ("!Select [9, !Ref Zones]", "no item 9 in a list of 3"),
        ("!Join [a]", "Join takes a separator and a list"),
        ("!Sbu x", "the function `Sbu` is not emulated; did you mean `Sub`?"),
        ("[a, b]", "V must be text, not a list"),
    ] {
        assert_error(variable(text, ""), 7, message);
    }
}

#[test]
fn a_condition_or_name_that_refers_to_itself_ends() {
    let cycle = "Conditions: { A: !Condition B, B: !Not [!Condition A] }";
    assert!(variable("!If [A, a, b]", cycle).unwrap_err().to_string().contains("refers to itself"));
    let name = "Resources:
  F: { Type: AWS::Serverless::Function, Properties: {} }
  T:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !Sub '${T}x'
      AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
      KeySchema: [{ AttributeName: id, KeyType: HASH }]
";
    assert!(read(name).unwrap_err().to_string().contains("refers to itself"));
}

const TWO_FUNCTIONS: &str = "Globals:
  Function:
    Timeout: 7
    Environment: { Variables: { A: global, B: global } }
Resources:
  One:
    Type: AWS::Serverless::Function
    Properties:
      Environment: { Variables: { B: own } }
      Events:
        Get: { Type: HttpApi, Properties: { Method: get, Path: '/pets/{id}', PayloadFormatVersion: '1.0' } }
        All: { Type: HttpApi }
        Nightly: { Type: Schedule, Properties: { Schedule: rate(1 day) } }
  Two:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 3
      Events:
        Get: { Type: HttpApi, Properties: { Method: METHOD, Path: PATH } }
  Queue: { Type: AWS::SQS::Queue }
";

fn two(method: &str, path: &str) -> Result<Template, YamlError> {
    read(&TWO_FUNCTIONS.replace("METHOD", method).replace("PATH", &format!("'{path}'")))
}

#[test]
fn globals_events_and_what_is_ignored() {
    let template = two("any", "/{proxy+}").unwrap();
    let one = template.function("One").unwrap();
    assert_eq!(one.timeout, Duration::from_secs(7));
    assert_eq!(one.memory, 128);
    assert_eq!((one.env["A"].as_str(), one.env["B"].as_str()), ("global", "own"));
    let v1 = Route { payload: Payload::V1, line: 11, ..Route::new("GET", "/pets/{id}") };
    assert_eq!(one.routes, [v1, Route { line: 12, ..Route::new("ANY", "$default") }]);
    let two = template.function("Two").unwrap();
    assert_eq!(two.timeout, Duration::from_secs(3));
    assert_eq!(two.routes[0].method, "ANY");
    let ignored: Vec<_> =
        template.ignored.iter().map(|i| (i.kind.as_str(), i.id.as_str(), i.line)).collect();
    assert_eq!(ignored, [("AWS::SQS::Queue", "Queue", 20)]);
    assert_eq!(one.schedules[0].name, "OneNightly");
}

#[test]
fn routes_that_cannot_be_are_pointed_at() {
    assert_error(two("GET", "/pets/{id}"), 19, "of Two already leads to One (line 11)");
    assert_error(two("GTE", "/x"), 19, "`GTE` is not an HTTP method");
    assert_error(two("GET", "x"), 19, "must begin with `/`");
    assert_error(two("GET", "/{a+}/b"), 19, "`{a+}` in the path");
    assert_error(two("GET", "/x{a}"), 19, "`x{a}` in the path");
}

#[test]
fn templates_that_cannot_be_are_pointed_at() {
    assert_error(read("Resources: { Q: { Type: AWS::SQS::Queue } }"), 1, "has no function");
    assert_error(read("A: 1\nResources: [a]"), 2, "Resources is a map, not a list");
    assert_error(read("A: 1"), 1, "has no Resources");
    assert_error(read("Resources:\n  F: {}"), 2, "the resource `F` has no Type");
    assert_error(read("Resources:\n\tF: {}"), 2, "");
    assert_error(read("A: 1\nA: 2"), 2, "duplicate");
}

fn table(properties: &str) -> Result<Template, YamlError> {
    read(&format!(
        "Resources:
  F: {{ Type: AWS::Serverless::Function, Properties: {{}} }}
  T:
    Type: AWS::DynamoDB::Table
    Properties: {properties}
"
    ))
}

#[test]
fn tables_that_cannot_be_are_pointed_at() {
    let attributes = "AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]";
    let key = "KeySchema: [{ AttributeName: id, KeyType: HASH }]";
    assert_error(table(&format!("{{ TableName: Tab, {attributes} }}")), 3, "T has no KeySchema");
    assert_error(table(&format!("{{ TableName: Tab, {key} }}")), 3, "no AttributeDefinitions");
    assert_error(table(&format!("{{ TableName: T, {attributes}, {key} }}")), 5, "`T` cannot be");
    let key = "KeySchema: [{ AttributeName: di, KeyType: HASH }]";
    let result = table(&format!("{{ TableName: Tab, {attributes}, {key} }}"));
    assert_error(result, 5, "`di` is not among AttributeDefinitions");
    let key = "KeySchema: [{ AttributeName: id, KeyType: RANGE }]";
    let result = table(&format!("{{ TableName: Tab, {attributes}, {key} }}"));
    assert_error(result, 5, "a key needs a HASH attribute");
}

#[test]
fn a_table_without_a_name_has_one_that_can_be() {
    let text = "Resources:
  F: { Type: AWS::Serverless::Function, Properties: { Environment: { Variables: { T: !Ref T } } } }
  T: { Type: AWS::Serverless::SimpleTable }
  Users: { Type: AWS::Serverless::SimpleTable }
";
    let template = read(text).unwrap();
    let names: Vec<_> = template.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["rehearse-T", "Users"]);
    assert_eq!(template.functions[0].env["T"], "rehearse-T");
}

#[test]
fn a_resource_whose_condition_does_not_hold_is_not_there() {
    let text = "Parameters: { Create: { Type: String, Default: no } }
Conditions: { Create: !Equals [!Ref Create, yes] }
Resources:
  F: { Type: AWS::Serverless::Function, Properties: {} }
  T: { Type: AWS::Serverless::SimpleTable, Condition: Create }
  Users: { Type: AWS::Serverless::SimpleTable, Properties: { PrimaryKey: { Name: email, Type: String } } }
";
    let template = read(text).unwrap();
    let ids: Vec<_> = template.tables.iter().map(|t| t.id.as_str()).collect();
    assert_eq!(ids, ["Users"]);
    assert_eq!(template.tables[0].key.hash.name, "email");
}

#[test]
fn files_that_are_missing_or_not_text_or_huge_are_said_so() {
    let folder = Folder::new();
    let missing = Template::read(&folder.path().join("none.yaml")).unwrap_err();
    assert!(missing.to_string().contains("none.yaml"), "{missing}");
    let path = folder.write("latin1.yaml", b"Resources: {}\n# caf\xe9\n");
    let error = Template::read(&path).unwrap_err().to_string();
    assert!(error.contains("not UTF-8") && error.contains("latin1.yaml:2"), "{error}");
    let path = folder.write("huge.yaml", vec![b'#'; 2 << 20]);
    assert!(matches!(Template::read(&path), Err(YamlError::TooLarge { .. })));
}

#[test]
fn nesting_without_end_is_an_error_not_a_crash() {
    let deep = format!("Resources: {}", "[".repeat(100_000));
    assert!(read(&deep).is_err());
}

#[test]
fn a_misspelt_type_is_no_resource_that_is_not_emulated() {
    let of = |kind: &str| {
        let text = format!(
            "Resources:\n  F: {{ Type: AWS::Serverless::Function }}\n  X: {{ Type: {kind} }}\n"
        );
        Template::parse(&Source::new("template.yaml", text))
    };
    for (wrong, meant) in [
        ("AWS::DynamoDB::Tabel", "AWS::DynamoDB::Table"),
        ("AWS::DynamDB::Table", "AWS::DynamoDB::Table"),
        ("AWS::Serverless::Fuction", "AWS::Serverless::Function"),
        ("AWS::Serverless::HTTPApi", "AWS::Serverless::HttpApi"),
    ] {
        let error = of(wrong).unwrap_err().to_string();
        assert!(error.contains(&format!("`{wrong}`; did you mean `{meant}`?")), "{error}");
        assert!(error.contains("template.yaml:3"), "{error}");
    }
    for other in ["AWS::DynamoDB::GlobalTable", "AWS::Glue::Table", "AWS::Lambda::Function"] {
        let error = of(other).err().map(|error| error.to_string());
        assert!(error.is_none_or(|error| !error.contains("did you mean")), "{other}");
    }
}
