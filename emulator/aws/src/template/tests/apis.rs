//! APIs, their stages, domains, CORS and throttles, and the functions behind them.

use super::*;

/// A template with these resources and a function `F` with these events and properties.
fn with(resources: &str, events: &str, more: &str) -> Result<Template, YamlError> {
    read(&format!(
        "Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        E: {events}
{resources}
{more}"
    ))
}

const ROUTE: &str =
    "{ Type: HttpApi, Properties: { ApiId: !Ref Web, Method: GET, Path: '/pets/{id}' } }";

fn http(properties: &str) -> Result<Template, YamlError> {
    with(&format!("  Web: {{ Type: AWS::Serverless::HttpApi, {properties} }}"), ROUTE, "")
}

fn web(properties: &str) -> Api {
    http(properties).unwrap_or_else(|e| panic!("{properties}: {e}")).apis.remove(0)
}

#[test]
fn events_without_an_api_get_those_that_sam_makes() {
    let template = with("", "{ Type: HttpApi }", "").unwrap();
    assert_eq!(template.apis, [Api::http("ServerlessHttpApi")]);
    assert_eq!(template.functions[0].routes[0].key(), "$default");
    let rest = "{ Type: Api, Properties: { Path: /a, Method: post } }";
    let template =
        with("", rest, "Globals: { Api: { BinaryMediaTypes: ['image~1png'] } }").unwrap();
    let api = &template.apis[0];
    assert_eq!((api.kind, api.stage_path().as_str()), (ApiKind::Rest, "/Prod"));
    assert_eq!(api.binary_types, ["image/png"]);
    let route = &template.functions[0].routes[0];
    assert_eq!((route.payload, route.key().as_str()), (Payload::Rest, "POST /a"));
    assert_eq!(template.api_of("/a"), Some(api));
    assert_eq!(template.ignored, []);
}

#[test]
fn a_stage_its_variables_and_a_domain_with_its_paths() {
    let api = web("Properties: { StageName: prod, StageVariables: { table: Leads },
          Domain: { DomainName: !Sub 'SMS.${AWS::Region}.example', BasePath: [/, /v1/, a/b] } }");
    assert_eq!((api.stage.as_str(), api.stage_path().as_str()), ("prod", "/prod"));
    assert_eq!(api.variables["table"], "Leads");
    let domain = api.domain.unwrap();
    assert_eq!(domain.name, "sms.us-east-1.example");
    assert_eq!(domain.base_paths, ["", "v1", "a/b"]);
}

#[test]
fn a_domain_that_only_aws_knows_is_listed_with_its_line() {
    let template = http("Properties: { Domain: { DomainName: !ImportValue Shop } }").unwrap();
    assert_eq!(template.apis[0].domain, None);
    let ignored = &template.ignored[0];
    assert_eq!((ignored.id.as_str(), ignored.line), ("Web", 7));
    assert!(ignored.kind.contains("`ImportValue` is known only on AWS"), "{}", ignored.kind);
}

#[test]
fn cors_in_all_its_forms() {
    assert_eq!(web("Properties: { CorsConfiguration: false }").cors, None);
    let any = web("Properties: { CorsConfiguration: true }").cors.unwrap();
    assert_eq!(any.origins.allowed("https://a.example").as_deref(), Some("*"));
    let cors =
        web("Properties: { CorsConfiguration: { AllowOrigins: ['https://a.example', 'http://*'],
          AllowMethods: [GET, POST], AllowHeaders: [authorization], ExposeHeaders: [x-id],
          AllowCredentials: true, MaxAge: 300 } }");
    let cors = cors.cors.unwrap();
    assert_eq!(cors.origins.allowed("https://a.example").as_deref(), Some("https://a.example"));
    assert_eq!(cors.origins.allowed("http://b.example").as_deref(), Some("http://b.example"));
    assert_eq!(cors.origins.allowed("https://b.example"), None);
    assert_eq!(cors.methods.as_deref(), Some("GET,POST"));
    assert_eq!(
        (cors.headers.as_deref(), cors.expose.as_deref()),
        (Some("authorization"), Some("x-id"))
    );
    assert_eq!((cors.credentials, cors.max_age), (true, Some(300)));

    let rest = "  Web: { Type: AWS::Serverless::Api, Properties: { StageName: v1,
      Cors: { AllowOrigin: \"'https://a.example'\", AllowMethods: \"'GET,POST'\", MaxAge: \"'60'\" } } }";
    let event = "{ Type: Api, Properties: { RestApiId: !Ref Web, Method: GET, Path: /a } }";
    let cors = with(rest, event, "").unwrap().apis.remove(0).cors.unwrap();
    assert_eq!(cors.origins.allowed("https://a.example").as_deref(), Some("https://a.example"));
    assert_eq!((cors.methods.as_deref(), cors.max_age), (Some("GET,POST"), Some(60)));
}

#[test]
fn throttles_by_route_before_those_of_the_stage() {
    let api = web(
        "Properties: { DefaultRouteSettings: { ThrottlingBurstLimit: 20, ThrottlingRateLimit: 10.5 },
          RouteSettings: { 'GET /pets/{id}': { ThrottlingBurstLimit: 2 } } }",
    );
    let of = |method, path| api.throttling.of_route(&Route::new(method, path));
    assert_eq!(of("GET", "/pets/{id}"), Some(Throttle { burst: 2, rate: 10_000.0 }));
    assert_eq!(of("POST", "/pets"), Some(Throttle { burst: 20, rate: 10.5 }));
    assert_eq!(
        web("Properties: { StageName: a }").throttling.of_route(&Route::new("GET", "/a")),
        None
    );

    let rest = "  Web: { Type: AWS::Serverless::Api, Properties: { StageName: v1, MethodSettings: [
      { ResourcePath: '/*', HttpMethod: '*', ThrottlingRateLimit: 5 },
      { ResourcePath: '/~1a~1{id}', HttpMethod: GET, ThrottlingRateLimit: 1 } ] } }";
    let event = "{ Type: Api, Properties: { RestApiId: !Ref Web, Method: GET, Path: '/a/{id}' } }";
    let api = with(rest, event, "").unwrap().apis.remove(0);
    let rate = |method| api.throttling.of_route(&Route::new(method, "/a/{id}")).unwrap().rate;
    assert_eq!((rate("GET"), rate("PUT")), (1.0, 5.0));

    let event =
        "{ Type: HttpApi, Properties: { Path: /a, RouteSettings: { ThrottlingBurstLimit: 3 } } }";
    let template = with("", event, "").unwrap();
    let route = &template.functions[0].routes[0];
    let mut api = template.apis[0].clone();
    assert_eq!(api.throttling.of_route(route).unwrap().burst, 3);
    api.remove_throttling();
    assert_eq!(api.throttling.of_route(route), None);
}

#[test]
fn globals_of_an_api_are_merged_with_its_own() {
    let globals = "Globals: { HttpApi: { CorsConfiguration: { AllowOrigins: [a], MaxAge: 5 } } }";
    let own = "  Web: { Type: AWS::Serverless::HttpApi, Properties: { CorsConfiguration: { AllowOrigins: [b], AllowMethods: [GET] } } }";
    let cors = with(own, ROUTE, globals).unwrap().apis.remove(0).cors.unwrap();
    assert_eq!(cors.origins.0, ["a", "b"]);
    assert_eq!((cors.methods.as_deref(), cors.max_age), (Some("GET"), Some(5)));
}

#[test]
fn two_apis_may_have_the_same_route_and_one_may_not() {
    let text = |api: &str| {
        format!(
            "Resources:
  A: {{ Type: AWS::Serverless::HttpApi }}
  B: {{ Type: AWS::Serverless::HttpApi }}
  One:
    Type: AWS::Serverless::Function
    Properties: {{ Events: {{ E: {{ Type: HttpApi, Properties: {{ ApiId: !Ref A, Path: /x }} }} }} }}
  Two:
    Type: AWS::Serverless::Function
    Properties: {{ Events: {{ E: {{ Type: HttpApi, Properties: {{ ApiId: {api}, Path: /x }} }} }} }}
"
        )
    };
    let template = read(&text("!Ref B")).unwrap();
    let apis: Vec<_> = template.functions.iter().map(|f| f.routes[0].api.as_str()).collect();
    assert_eq!(apis, ["A", "B"]);
    assert_error(read(&text("!Ref A")), 9, "ANY /x of Two already leads to One (line 6)");
    assert_error(read(&text("!Ref Two")), 9, "`Two` is not an AWS::Serverless::HttpApi");
}

#[test]
fn what_is_wrong_with_an_api_is_pointed_at() {
    for (properties, message) in [
        ("{ CorsConfiguration: [a] }", "CORS is true, an origin or a map"),
        ("{ CorsConfiguration: { AllowOrigns: [a] } }", "did you mean `AllowOrigins`?"),
        ("{ CorsConfiguration: { AllowOrigins: ['*'], AllowCredentials: true } }", "with `*` AWS"),
        ("{ CorsConfiguration: { MaxAge: soon } }", "MaxAge is a number of seconds"),
        ("{ DefaultRouteSettings: { ThrottlingRateLimit: -1 } }", "is a number of requests"),
        ("{ RouteSettings: { 'GET /pet/{id}': {} } }", "did you mean `GET /pets/{id}`?"),
        ("{ Domain: { BasePath: [v1] } }", "Domain needs a DomainName"),
        ("{ StageName: [a] }", "StageName must be a string"),
    ] {
        assert_error(http(&format!("Properties: {properties}")), 7, message);
    }
    let rest = "  Web: { Type: AWS::Serverless::Api }";
    assert_error(with(rest, "{ Type: SQS }", ""), 7, "has no StageName");
    let event = "{ Type: HttpApi, Properties: { Path: /a, TimeoutInMillis: 31000 } }";
    assert_error(with("", event, ""), 6, "TimeoutInMillis is between 50 and 30000");
    assert_error(with("", "{ Type: Api }", ""), 6, "an Api event with a Method needs a Path");
    assert_error(
        with("", "{ Type: HttpApi, Properties: { Path: /, ApiId: zq3 } }", ""),
        6,
        "`zq3` is no",
    );
}

#[test]
fn more_routes_than_aws_takes_unasked_are_noted() {
    let events = |count: usize, event: &dyn Fn(usize) -> String| {
        let events: String = (0..count).map(event).collect();
        let template = read(&format!(
            "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      Events:\n{events}"
        ));
        let template = template.unwrap();
        assert_eq!(template.functions[0].routes.len(), count);
        template.ignored.into_iter().map(|ignored| ignored.kind).collect::<Vec<_>>()
    };
    let http =
        |n: usize| format!("        E{n}: {{ Type: HttpApi, Properties: {{ Path: /{n} }} }}\n");
    assert_eq!(events(300, &http), [""; 0]);
    assert_eq!(events(301, &http), ["AWS's quota of 300 routes of an API"]);
    // Of a REST API it is the resources that count: the methods of one are as many as there are.
    let rest = |n: usize| {
        let (path, method) = (n / 2, ["get", "put"][n % 2]);
        format!(
            "        E{n}: {{ Type: Api, Properties: {{ Path: /a/{path}, Method: {method} }} }}\n"
        )
    };
    assert_eq!(events(598, &rest), [""; 0]);
    assert_eq!(events(600, &rest), ["AWS's quota of 300 resources of an API"]);
}

#[test]
fn properties_of_an_api_that_are_not_emulated_are_listed() {
    let template = http("Properties: { Auth: { DefaultAuthorizer: AWS_IAM } }").unwrap();
    let ignored: Vec<_> = template.ignored.iter().map(|i| (i.kind.as_str(), i.line)).collect();
    assert_eq!(ignored, [("Auth", 7)]);
}

#[test]
fn what_a_function_is_and_may() {
    let text = "Globals: { Function: { Runtime: provided.al2023, Architectures: [arm64] } }
Resources:
  Tab: { Type: AWS::Serverless::SimpleTable }
  F:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub '${AWS::StackName}-f'
      Handler: bootstrap
      ReservedConcurrentExecutions: 0
      Policies:
        - DynamoDBCrudPolicy: { TableName: !Ref Tab }
        - Statement: [{ Effect: Allow, Action: 'a:B', Resource: [!GetAtt Tab.Arn, !GetAtt Tab.StreamArn] }]
  G:
    Type: AWS::Serverless::Function
    Properties: { Environment: { Variables: { F: !Ref F, ARN: !GetAtt F.Arn } } }
";
    let template = read(text).unwrap();
    let f = template.function("F").unwrap();
    assert_eq!((f.name.as_str(), f.handler.as_deref()), ("rehearse-f", Some("bootstrap")));
    assert_eq!((f.runtime.as_deref(), f.reserved_concurrency), (Some("provided.al2023"), Some(0)));
    assert_eq!(f.architectures, ["arm64"]);
    let unchecked_policies: Vec<_> = f
        .unchecked_policies
        .iter()
        .map(|unchecked_policies| unchecked_policies.what.as_str())
        .collect();
    assert_eq!(unchecked_policies, ["DynamoDBCrudPolicy", "a Resource"]);
    assert!(
        f.unchecked_policies[1].why.as_ref().unwrap().contains("StreamArn"),
        "{:?}",
        f.unchecked_policies
    );
    assert_eq!(f.grants.len(), 1);
    let g = template.function("G").unwrap();
    assert_eq!((g.name.as_str(), g.env["F"].as_str()), ("G", "rehearse-f"));
    assert_eq!(g.env["ARN"], "arn:aws:lambda:us-east-1:123456789012:function:rehearse-f");
    assert!(g.grants.is_empty() && g.unchecked_policies.is_empty());
}

#[test]
fn a_template_is_built_in_code_as_it_is_read() {
    let read = with("", "{ Type: HttpApi, Properties: { Method: POST, Path: /sms } }", "").unwrap();
    let built = Template::default().with_routes("F", &[("POST", "/sms")]);
    assert_eq!(built.apis, read.apis);
    let keys = |template: &Template| -> Vec<String> {
        template.functions.iter().flat_map(|f| &f.routes).map(Route::key).collect()
    };
    assert_eq!(keys(&built), keys(&read));
    let built = built.with_routes("F", &[("GET", "/state")]);
    assert_eq!((built.functions.len(), built.apis.len()), (1, 1));
    assert_eq!(keys(&built), ["POST /sms", "GET /state"]);
    let any = Template::default().with_function("F");
    assert_eq!(keys(&any), ["ANY /", "ANY /{proxy+}"]);
}
