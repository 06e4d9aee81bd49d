//! Routes of OpenAPI definitions, and plain CloudFormation as CDK synthesises it.

use super::*;

/// The routes of a template: API, key and function.
fn routes(template: &Template) -> Vec<(String, String, String)> {
    let functions = template.functions.iter();
    let routes = functions.flat_map(|f| f.routes.iter().map(|r| (&r.api, r.key(), &f.id)));
    routes.map(|(api, key, id)| (api.clone(), key, id.clone())).collect()
}

fn row(api: &str, key: &str, function: &str) -> (String, String, String) {
    (api.into(), key.into(), function.into())
}

const PATHS: &str = "paths:
  /sms:
    post:
      x-amazon-apigateway-integration:
        type: aws_proxy
        uri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations
  /state/{id}:
    x-amazon-apigateway-any-method:
      x-amazon-apigateway-integration:
        type: AWS_PROXY
        uri: { 'Fn::Join': ['', ['arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/', !GetAtt F.Arn, ':live/invocations']] }
  /mock:
    get:
      x-amazon-apigateway-integration: { type: mock }
  /plain:
    get: { x-amazon-apigateway-integration: { type: aws_proxy, uri: 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:F/invocations' } }
";

/// A template whose API has this property, and a file `api.yaml` beside it.
fn defined(api: &str, property: &str) -> Template {
    let folder = Folder::new();
    folder.write("api.yaml", PATHS.as_bytes());
    let text = format!(
        "Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Own: {{ Type: Api, Properties: {{ RestApiId: !Ref Web, Path: /event, Method: get }} }}
  Web:
    Type: {api}
    Properties:
      StageName: v1
      {property}
"
    );
    let path = folder.write("template.yaml", text.as_bytes());
    Template::read(&path).unwrap_or_else(|error| panic!("{property}: {error}"))
}

#[test]
fn routes_of_a_definition_in_the_template_or_beside_it() {
    let inline = PATHS.replace('\n', "\n        ");
    for property in [
        format!("DefinitionBody:\n        {inline}"),
        "DefinitionUri: api.yaml".to_owned(),
        "DefinitionBody: { 'Fn::Transform': { Name: AWS::Include, Parameters: { Location: api.yaml } } }"
            .to_owned(),
    ] {
        let template = defined("AWS::Serverless::Api", &property);
        assert_eq!(
            routes(&template),
            [
                row("Web", "POST /sms", "F"),
                row("Web", "ANY /state/{id}", "F"),
                row("Web", "GET /plain", "F"),
            ],
            "{property}"
        );
        assert_eq!(template.functions[0].routes[0].payload, Payload::Rest);
        assert_eq!(template.ignored.len(), 1, "{:?}", template.ignored);
        assert_eq!(template.ignored[0].kind, "MOCK integration of a route");
    }
    // SAM adds events to a definition only where it is told to merge.
    let merged = format!("MergeDefinitions: true\n      DefinitionBody:\n        {inline}");
    let template = defined("AWS::Serverless::Api", &merged);
    assert_eq!(routes(&template)[0], row("Web", "GET /event", "F"));
    assert_eq!(routes(&template).len(), 4);
}

#[test]
fn a_definition_that_cannot_be_read_takes_no_routes_away() {
    let include = "DefinitionBody: { 'Fn::Transform': { Name: AWS::Include, Parameters: { Location: 's3://bucket/api.yaml' } } }";
    for (property, says) in [
        ("DefinitionUri: s3://bucket/api.yaml", "DefinitionUri that is no file of this project"),
        (include, "DefinitionBody (`s3://bucket/api.yaml` is no file of this project)"),
    ] {
        let template = defined("AWS::Serverless::Api", property);
        assert_eq!(routes(&template), [row("Web", "GET /event", "F")], "{property}");
        assert_eq!(template.ignored[0].kind, says);
    }
}

/// What of a template is not emulated: type and logical id.
fn ignored(template: &Template) -> Vec<(String, String)> {
    template.ignored.iter().map(|one| (one.kind.clone(), one.id.clone())).collect()
}

#[test]
fn what_guards_a_route_is_not_emulated_and_said() {
    let text = "Resources:
  F: { Type: AWS::Lambda::Function, Properties: { Code: { ZipFile: x }, Handler: a.b, Runtime: python3.13, Role: r } }
  Rest: { Type: AWS::ApiGateway::RestApi }
  Guarded: { Type: AWS::ApiGateway::Method, Properties: { HttpMethod: GET, ResourceId: !GetAtt Rest.RootResourceId, RestApiId: !Ref Rest,
    AuthorizationType: AWS_IAM, ApiKeyRequired: true, Integration: { Type: AWS_PROXY, Uri: !GetAtt F.Arn } } }
  Open: { Type: AWS::ApiGateway::Method, Properties: { HttpMethod: PUT, ResourceId: !GetAtt Rest.RootResourceId, RestApiId: !Ref Rest,
    AuthorizationType: NONE, ApiKeyRequired: false, Integration: { Type: AWS_PROXY, Uri: !GetAtt F.Arn } } }
  Http: { Type: AWS::ApiGatewayV2::Api, Properties: { ProtocolType: HTTP } }
  Int: { Type: AWS::ApiGatewayV2::Integration, Properties: { ApiId: !Ref Http, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt F.Arn } }
  Jwt: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Http, RouteKey: GET /a, AuthorizationType: JWT, Target: !Sub 'integrations/${Int}' } }
  Defined:
    Type: AWS::ApiGateway::RestApi
    Properties:
      Body:
        paths:
          /a:
            get: { security: [{ key: [] }], x-amazon-apigateway-integration: { type: aws_proxy, uri: !GetAtt F.Arn } }
            put: { security: [], x-amazon-apigateway-integration: { type: aws_proxy, uri: !GetAtt F.Arn } }
            post: { security: [{}], x-amazon-apigateway-integration: { type: aws_proxy, uri: !GetAtt F.Arn } }
";
    let template = read(text).unwrap();
    assert_eq!(template.functions[0].routes.len(), 6);
    let expected = [
        ("AuthorizationType AWS_IAM of a route", "Guarded"),
        ("ApiKeyRequired of a route", "Guarded"),
        ("AuthorizationType JWT of a route", "Jwt"),
        ("security of a route", "Defined"),
    ];
    assert_eq!(ignored(&template), expected.map(|(kind, id)| (kind.to_owned(), id.to_owned())));
}

#[test]
fn parts_of_an_api_that_is_none_of_the_plain_ones_are_said() {
    let text = "Parameters: { Known: { Type: String } }
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: { Events: { Get: { Type: HttpApi, Properties: { Path: /a, ApiId: !Ref Web } } } }
  Web: { Type: AWS::Serverless::HttpApi }
  Int: { Type: AWS::ApiGatewayV2::Integration, Properties: { ApiId: !Ref Web, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt F.Arn } }
  Route: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Web, RouteKey: GET /b, Target: !Sub 'integrations/${Int}' } }
  Imported: { Type: AWS::ApiGateway::Method, Properties: { HttpMethod: GET, ResourceId: x, RestApiId: !ImportValue Shop } }
  Given: { Type: AWS::ApiGateway::Method, Properties: { HttpMethod: GET, ResourceId: x, RestApiId: !Ref Known } }
  Plain: { Type: AWS::ApiGatewayV2::Api, Properties: { ProtocolType: HTTP } }
  Stage: { Type: AWS::ApiGatewayV2::Stage, Properties: { ApiId: !Ref Plain, StageName: $default } }
";
    let template = read(text).unwrap();
    let expected = [
        ("AWS::ApiGatewayV2::Integration", "Int"),
        ("AWS::ApiGatewayV2::Route", "Route"),
        ("AWS::ApiGateway::Method", "Imported"),
        ("AWS::ApiGateway::Method", "Given"),
    ];
    assert_eq!(ignored(&template), expected.map(|(kind, id)| (kind.to_owned(), id.to_owned())));
}

#[test]
fn a_definition_of_an_http_api_says_the_format_of_its_events() {
    let text = "Resources:
  F: { Type: AWS::Lambda::Function, Properties: { Code: { ZipFile: x }, Handler: a.b, Runtime: python3.13, Role: r } }
  Web:
    Type: AWS::ApiGatewayV2::Api
    Properties:
      Body:
        paths:
          /$default:
            x-amazon-apigateway-any-method:
              x-amazon-apigateway-integration: { $ref: '#/components/x-amazon-apigateway-integrations/f' }
          /old: { get: { x-amazon-apigateway-integration: { type: aws_proxy, uri: !GetAtt F.Arn } } }
        components:
          x-amazon-apigateway-integrations:
            f: { type: AWS_PROXY, uri: !GetAtt F.Arn, payloadFormatVersion: '2.0' }
";
    let template = read(text).unwrap();
    assert_eq!(routes(&template), [row("Web", "$default", "F"), row("Web", "GET /old", "F")]);
    let payloads: Vec<_> = template.functions[0].routes.iter().map(|r| r.payload).collect();
    assert_eq!(payloads, [Payload::V2, Payload::V1]);
}

const CDK: &str = r#"{ "Resources": {
  "Role1": { "Type": "AWS::IAM::Role", "Properties": { "ManagedPolicyArns": ["arn:aws:iam::aws:policy/Managed"] } },
  "Policy1": { "Type": "AWS::IAM::Policy", "Properties": { "Roles": [{ "Ref": "Role1" }], "PolicyDocument": {
    "Statement": [{ "Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": { "Fn::GetAtt": ["Table1", "Arn"] } }] } } },
  "Table1": { "Type": "AWS::DynamoDB::GlobalTable", "Properties": {
    "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
    "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }] } },
  "Fn1": { "Type": "AWS::Lambda::Function",
    "Properties": { "Code": { "S3Bucket": "assets", "S3Key": "abc123.zip" }, "Handler": "index.handler",
      "Runtime": "nodejs22.x", "Role": { "Fn::GetAtt": ["Role1", "Arn"] }, "Timeout": 9,
      "Environment": { "Variables": { "TABLE": { "Ref": "Table1" } } } },
    "Metadata": { "aws:asset:path": "asset.abc123" } },
  "Alias1": { "Type": "AWS::Lambda::Alias", "Properties": { "Name": "live", "FunctionName": { "Ref": "Fn1" } } },
  "Url1": { "Type": "AWS::Lambda::Url", "Properties": { "AuthType": "NONE", "TargetFunctionArn": { "Fn::GetAtt": ["Fn1", "Arn"] } } },
  "Api1": { "Type": "AWS::ApiGateway::RestApi", "Properties": { "Name": "a" } },
  "Pets": { "Type": "AWS::ApiGateway::Resource", "Properties": { "ParentId": { "Fn::GetAtt": ["Api1", "RootResourceId"] }, "PathPart": "pets", "RestApiId": { "Ref": "Api1" } } },
  "Pet": { "Type": "AWS::ApiGateway::Resource", "Properties": { "ParentId": { "Ref": "Pets" }, "PathPart": "{id}", "RestApiId": { "Ref": "Api1" } } },
  "GetPet": { "Type": "AWS::ApiGateway::Method", "Properties": { "HttpMethod": "GET", "ResourceId": { "Ref": "Pet" }, "RestApiId": { "Ref": "Api1" },
    "Integration": { "Type": "AWS_PROXY", "Uri": { "Fn::Join": ["", ["arn:", { "Ref": "AWS::Partition" }, ":apigateway:us-east-1:lambda:path/2015-03-31/functions/", { "Ref": "Alias1" }, "/invocations"]] } } } },
  "Root": { "Type": "AWS::ApiGateway::Method", "Properties": { "HttpMethod": "ANY", "ResourceId": { "Fn::GetAtt": ["Api1", "RootResourceId"] }, "RestApiId": { "Ref": "Api1" },
    "Integration": { "Type": "MOCK" } } },
  "Stage1": { "Type": "AWS::ApiGateway::Stage", "Properties": { "RestApiId": { "Ref": "Api1" }, "StageName": "prod", "DeploymentId": { "Ref": "Deploy1" } } },
  "Deploy1": { "Type": "AWS::ApiGateway::Deployment", "Properties": { "RestApiId": { "Ref": "Api1" } } },
  "Api2": { "Type": "AWS::ApiGatewayV2::Api", "Properties": { "Name": "b", "ProtocolType": "HTTP" } },
  "Int2": { "Type": "AWS::ApiGatewayV2::Integration", "Properties": { "ApiId": { "Ref": "Api2" }, "IntegrationType": "AWS_PROXY", "IntegrationUri": { "Fn::GetAtt": ["Fn1", "Arn"] }, "PayloadFormatVersion": "2.0" } },
  "Route2": { "Type": "AWS::ApiGatewayV2::Route", "Properties": { "ApiId": { "Ref": "Api2" }, "RouteKey": "POST /sms", "Target": { "Fn::Join": ["", ["integrations/", { "Ref": "Int2" }]] } } },
  "Stage2": { "Type": "AWS::ApiGatewayV2::Stage", "Properties": { "ApiId": { "Ref": "Api2" }, "StageName": "$default", "AutoDeploy": true } },
  "Socket": { "Type": "AWS::ApiGatewayV2::Api", "Properties": { "ProtocolType": "WEBSOCKET" } }
} }"#;

#[test]
fn what_cdk_synthesises_is_read() {
    let folder = Folder::new();
    folder.write("asset.abc123/index.js", b"");
    let path = folder.write("S.template.json", CDK.as_bytes());
    let template = Template::read(&path).unwrap();
    assert_eq!(
        routes(&template),
        [
            row("Api1", "GET /pets/{id}", "Fn1"),
            row("Api2", "POST /sms", "Fn1"),
            row("Url1", "$default", "Fn1"),
        ]
    );
    let function = &template.functions[0];
    assert_eq!(function.code, CodePlace::Folder("asset.abc123".into()));
    assert_eq!(function.timeout, Duration::from_secs(9));
    assert_eq!(function.env["TABLE"], "Table1");
    assert_eq!(function.grants[0].action, "dynamodb:PutItem");
    assert_eq!(function.unchecked_policies[0].what, "Managed");
    let stages: Vec<_> = template.apis.iter().map(|api| (&*api.id, &*api.stage)).collect();
    assert_eq!(stages, [("Api1", "prod"), ("Api2", "$default"), ("Url1", "$default")]);
    assert_eq!(template.tables[0].id, "Table1");
    let ignored: Vec<_> = template.ignored.iter().map(|i| (&*i.kind, &*i.id)).collect();
    let (role, policy) = (("AWS::IAM::Role", "Role1"), ("AWS::IAM::Policy", "Policy1"));
    let mock = ("MOCK integration of a route", "Root");
    assert_eq!(
        ignored,
        [role, policy, ("AWS::ApiGatewayV2::Api", "Socket"), mock, ("WEBSOCKET API", "Socket")]
    );
}
