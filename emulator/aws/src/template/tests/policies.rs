//! What a role may do, and what of it nobody can compare.

use super::*;

/// A function with these statements.
fn statements(text: &str) -> Function {
    let template = read(&format!(
        "Parameters: {{ Mode: {{ Type: String, Default: dev }} }}
Conditions: {{ IsProd: !Equals [!Ref Mode, prod] }}
Resources:
  Queue: {{ Type: AWS::SQS::Queue }}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Policies:
        - Statement:
{text}"
    ));
    template.unwrap_or_else(|e| panic!("{e}")).functions.remove(0)
}

fn unchecked_policies(function: &Function) -> Vec<(String, u64)> {
    let told = |u: &UncheckedPolicy| {
        (format!("{}: {}", u.what, u.why.as_deref().unwrap_or("elsewhere")), u.line)
    };
    function.unchecked_policies.iter().map(told).collect()
}

#[test]
fn what_is_valid_and_cannot_be_judged_is_unread_and_no_error() {
    for (statement, says) in [
        ("Effect: Deny, Action: 'dynamodb:*', Resource: '*'", "it denies"),
        ("Effect: Allow, NotAction: 'iam:*', Resource: '*'", "NotAction"),
        ("Effect: Allow, Action: 'dynamodb:*', NotResource: 'arn:x'", "NotResource"),
        ("Effect: Allow, Action: 'dynamodb:*'", "no Resource"),
        ("Effect: Allow, Resource: '*'", "no Action"),
        ("Effect: Allow, Action: 'a:B', Resource: '*', Condition: { Bool: { x: y } }", "Condition"),
    ] {
        let good = "Effect: Allow, Action: 'a:Good', Resource: '*'";
        let function =
            statements(&format!("            - {{ {statement} }}\n            - {{ {good} }}\n"));
        let unchecked_policies = unchecked_policies(&function);
        assert_eq!(unchecked_policies.len(), 1, "{statement}: {unchecked_policies:?}");
        assert!(
            unchecked_policies[0].0.contains(says) && unchecked_policies[0].1 == 10,
            "{statement}: {unchecked_policies:?}"
        );
        assert_eq!(function.grants.len(), 1, "{statement}");
        let any = function.unchecked_policies[0].actions == ["*"];
        assert_eq!(any, statement.contains("NotAction"), "{statement}");
        assert_eq!(
            function.unchecked_policies[0].grants,
            !statement.contains("Deny"),
            "{statement}"
        );
    }
}

#[test]
fn a_resource_that_only_aws_knows_hides_nothing_beside_it() {
    let function = statements(
        "            - Effect: Allow
              Action: [sqs:SendMessage, sqs:ReceiveMessage]
              Resource: [!GetAtt Queue.Nope, 'arn:known']
            - { Effect: Allow, Action: a:Good, Resource: '*' }
            - !If [IsProd, { Effect: Allow, Action: a:Prod, Resource: '*' }, !Ref AWS::NoValue]
            - { Effect: Allow, Action: [!If [IsProd, a:Prod, a:Dev]], Resource: !Sub 'x-${Mode}' }
",
    );
    let granted: Vec<_> = function.grants.iter().map(|g| (&*g.action, &*g.resource)).collect();
    assert_eq!(
        granted,
        [
            ("sqs:SendMessage", "arn:known"),
            ("sqs:ReceiveMessage", "arn:known"),
            ("a:Good", "*"),
            ("a:Dev", "x-dev"),
        ]
    );
    assert_eq!(
        unchecked_policies(&function),
        [("a Resource: `Nope` of Queue is known only on AWS".into(), 12)]
    );
    assert_eq!(function.unchecked_policies[0].actions, ["sqs:SendMessage", "sqs:ReceiveMessage"]);
}

#[test]
fn policies_that_stand_elsewhere_are_named() {
    let template = read(
        "Resources:
  P: { Type: AWS::IAM::ManagedPolicy }
  F:
    Type: AWS::Serverless::Function
    Properties:
      Policies:
        - DynamoDBCrudPolicy: { TableName: !ImportValue x }
        - AWSLambdaBasicExecutionRole
        - !GetAtt P.PolicyArn
",
    );
    assert_eq!(
        unchecked_policies(&template.unwrap().functions[0]),
        [
            ("DynamoDBCrudPolicy: elsewhere".into(), 7),
            ("AWSLambdaBasicExecutionRole: elsewhere".into(), 8),
            ("arn:aws:iam::123456789012:policy/P: elsewhere".into(), 9),
        ]
    );
}

#[test]
fn an_effect_that_is_neither_is_pointed_at() {
    let text = |effect: &str| {
        format!(
            "Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Policies: [{{ Statement: [{{ {effect} Action: a:B, Resource: '*' }}] }}]
"
        )
    };
    assert_error(read(&text("Effect: Alow,")), 5, "Effect is Allow or Deny");
    assert_error(read(&text("")), 5, "a statement needs Effect");
}

/// A plain function with the role `Own` and these resources.
fn role(properties: &str, resources: &str) -> Function {
    let template = read(&format!(
        "Parameters: {{ Mode: {{ Type: String, Default: dev }} }}
Conditions: {{ IsProd: !Equals [!Ref Mode, prod] }}
Resources:
  F: {{ Type: AWS::Lambda::Function, Properties: {{ Code: {{ ZipFile: x }}, Role: !GetAtt Own.Arn }} }}
  Own: {{ Type: AWS::IAM::Role, Properties: {{ {properties} }} }}
  Other: {{ Type: AWS::IAM::Role }}
{resources}"
    ));
    template.unwrap_or_else(|e| panic!("{e}")).functions.remove(0)
}

/// A policy's document that grants one action.
fn document(action: &str) -> String {
    format!(
        "PolicyDocument: {{ Statement: [{{ Effect: Allow, Action: {action}, Resource: '*' }}] }}"
    )
}

fn granted(function: &Function) -> Vec<&str> {
    function.grants.iter().map(|grant| grant.action.as_str()).collect()
}

#[test]
fn policies_of_a_role_are_those_that_conditions_choose() {
    let (prod, dev, all) = (document("a:Prod"), document("a:Dev"), document("a:All"));
    let function =
        role(&format!("Policies: [!If [IsProd, {{ {prod} }}, {{ {dev} }}], {{ {all} }}]"), "");
    assert_eq!(granted(&function), ["a:Dev", "a:All"]);
    let function = role(
        &format!("Policies: !If [IsProd, [{{ {prod} }}], [{{ {dev} }}]]"),
        &format!(
            "  P: {{ Type: AWS::IAM::Policy, Condition: IsProd, Properties: {{ Roles: [!Ref Own], {prod} }} }}\n"
        ),
    );
    assert_eq!(granted(&function), ["a:Dev"]);
    assert!(unchecked_policies(&function).is_empty());
    let function = role("Policies: !ImportValue Shop", "");
    assert_eq!(
        unchecked_policies(&function),
        [("a policy: the value of `ImportValue` is known only on AWS".into(), 5)]
    );
}

#[test]
fn policies_attached_to_a_role_in_every_way_are_read() {
    let resource = |id: &str, kind: &str, roles: &str| {
        let document = document(&format!("a:{id}"));
        format!("  {id}: {{ Type: AWS::IAM::{kind}, Properties: {{ {roles}, {document} }} }}\n")
    };
    let resources = [
        resource("Inline", "Policy", "Roles: [!Ref Other, !Ref Own]"),
        resource("Managed", "ManagedPolicy", "Roles: [!If [IsProd, !Ref Other, !Ref Own]]"),
        resource("One", "RolePolicy", "RoleName: !Ref Own"),
        resource("Text", "RolePolicy", "RoleName: the-role"),
        resource("NotOwn", "ManagedPolicy", "Roles: [!Ref Other]"),
        resource("NobodyKnows", "Policy", "Roles: [!ImportValue Shop]"),
    ];
    let function = role("RoleName: the-role", &resources.concat());
    assert_eq!(granted(&function), ["a:Inline", "a:Managed", "a:One", "a:Text"]);
    assert_eq!(unchecked_policies(&function), [("NobodyKnows: elsewhere".into(), 12)]);
}
