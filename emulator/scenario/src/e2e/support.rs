//! A folder with a template, settings, fixtures and scenarios, and what came of running them.

use std::{path::PathBuf, time::Duration};

use super::backend;
use crate::{Options, Runner, Scenario, ScenarioResult, Status, read};
use rehearse_aws::template::Settings;
use rehearse_testutils::{self as testing, Folder};
use rehearse_world::Backend;

pub(super) const TEMPLATE: &str = "
Transform: AWS::Serverless-2016-10-31
Resources:
  Notebook:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 5
      Environment: { Variables: { GREETING: hello } }
      Events:
        Sms: { Type: HttpApi, Properties: { Method: POST, Path: /sms } }
        Read: { Type: HttpApi, Properties: { Method: GET, Path: /notes } }
        Write: { Type: HttpApi, Properties: { Method: POST, Path: /notes } }
  Notes:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: notes
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
      KeySchema: [{ AttributeName: id, KeyType: HASH }]
";

pub(super) const SETTINGS: &str = r##"
[twilio]
number = "+15552340000"
account_sid = "AC00000000000000000000000000000000"
auth_token = "token"
[webhook]
route = "/sms"
overrides = "#rc=1&rp=ct,5xx"
fallback = "/sms"
[people]
customer = "+15552340001"
other = "+15552340002"
owner = "+15552340009"
[paths]
fixtures = "rows"
[environment]
OPENAI_BASE_URL = "{openai}/v1"
OPENAI_API_KEY = "{api_key}"
TWILIO_URL = "{twilio}"
TWILIO_ACCOUNT_SID = "{account_sid}"
TWILIO_AUTH_TOKEN = "{auth_token}"
NUMBER = "{number}"
OWNER = "+15552340009"
PUBLIC_URL = "{gateway}{webhook}"
DYNAMODB_URL = "{dynamodb}/fn/{function}"
"##;

/// A project of its own, gone when dropped.
pub(super) struct Project {
    folder: Folder,
    runner: Runner,
}

impl Project {
    pub(super) fn new() -> Self {
        let folder = Folder::new();
        folder.write("rows/shelf.yaml", "Notes:\n  - { id: old, value: from a file, at: 1 }\n");
        let (template, settings) = (testing::template(TEMPLATE), testing::settings(SETTINGS));
        let functions = vec![backend::function()];
        let backend = Backend::new(functions, template, settings, folder.path())
            .unwrap()
            .with_databases(testing::databases());
        Self { runner: Runner::new(backend, Options::default()), folder }
    }

    pub(super) fn runner(&self) -> &Runner {
        &self.runner
    }

    /// A runner whose settings lack a variable.
    pub(super) fn without(&self, variable: &str) -> Runner {
        let mut settings = self.runner.backend().settings().clone();
        settings.environment.remove(variable);
        let template = self.runner.backend().template().clone();
        let backend =
            Backend::new(vec![backend::function()], template, settings, self.folder.path());
        Runner::new(backend.unwrap(), Options::default())
    }

    /// A runner with other settings.
    pub(super) fn with(&self, change: impl FnOnce(&mut Settings)) -> Runner {
        let mut settings = self.runner.backend().settings().clone();
        change(&mut settings);
        let template = self.runner.backend().template().clone();
        let functions = vec![backend::function()];
        let backend = Backend::new(functions, template, settings, self.folder.path()).unwrap();
        Runner::new(backend.with_databases(testing::databases()), Options::default())
    }

    /// A runner that stops a scenario after so long.
    pub(super) fn limited(&self, limit: Duration) -> Runner {
        let options = Options { limit, ..Options::default() };
        Runner::new(self.runner.backend().clone(), options)
    }

    pub(super) fn write(&self, path: &str, text: &str) -> PathBuf {
        self.folder.write(path, text)
    }

    /// The scenarios of a text, checked.
    pub(super) fn scenarios(&self, text: &str) -> Vec<Scenario> {
        let scenarios = self.parsed(text);
        let errors = self.runner.check(&scenarios);
        assert!(errors.is_empty(), "{}", errors[0]);
        scenarios
    }

    /// What the check has against a text.
    pub(super) fn wrong(&self, text: &str) -> Vec<String> {
        let errors = self.runner.check(&self.parsed(text));
        errors.iter().map(ToString::to_string).collect()
    }

    pub(super) fn parsed(&self, text: &str) -> Vec<Scenario> {
        match read(&[self.write("scenario.yaml", text)]) {
            Ok(scenarios) => scenarios,
            Err(errors) => panic!("{}", errors[0]),
        }
    }
}

/// Runs steps; `name` and the head are added.
pub(super) async fn run(steps: &str) -> ScenarioResult {
    run_file(&format!("name: test\nsteps:\n{steps}")).await
}

/// Runs the first scenario of a text.
pub(super) async fn run_file(text: &str) -> ScenarioResult {
    let project = Project::new();
    let scenarios = project.scenarios(text);
    project.runner().run(&scenarios[0]).await
}

/// Fails the test unless these steps pass.
pub(super) async fn passes(steps: &str) {
    assert_passed(&run(steps).await);
}

pub(super) fn assert_passed(report: &ScenarioResult) {
    assert!(report.passed(), "{:#?}\n{}", report.problems, journal(report));
}

/// The failure of steps that must fail.
pub(super) async fn fails(steps: &str) -> ScenarioResult {
    failed(run(steps).await)
}

pub(super) fn failed(result: ScenarioResult) -> ScenarioResult {
    assert_eq!(result.status, Status::Failed, "{:#?}\n{}", result.problems, journal(&result));
    result
}

/// The message of an environment failure.
pub(super) fn environment_failure(result: &ScenarioResult) -> &str {
    assert_eq!(result.status, Status::EnvironmentFailed, "{:#?}", result.problems);
    &result.problems[0].summary
}

/// What crossed, for a test that went wrong.
fn journal(report: &ScenarioResult) -> String {
    let line = |e: &rehearse_core::journal::Exchange| {
        format!("{} {:?} -> {:?}", e.name, e.detail, e.outcome)
    };
    report.journal.iter().map(line).collect::<Vec<_>>().join("\n")
}
