//! What tests of several rooms need: folders that go away, and a project whose
//! one function greets whoever writes.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use axum::{Router, http::header, routing::post};

use crate::{
    Function,
    dynamodb::{Choice, Service, ServiceOptions},
    template::{Settings, Template},
    yaml::Source,
};

/// `rehearse.toml` of the greeting project.
pub(crate) const SETTINGS: &str = r#"
[twilio]
number = "+19045550100"
account_sid = "AC00000000000000000000000000000000"
auth_token = "00000000000000000000000000000000"
[webhook]
route = "/sms"
[people]
customer = "+19042520927"
owner = "+19045550199"
"#;

/// `template.yaml` of the greeting project.
pub(crate) const TEMPLATE: &str = "
Transform: AWS::Serverless-2016-10-31
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Sms: { Type: HttpApi, Properties: { Path: /sms, Method: POST } }
  Leads:
    Type: AWS::Serverless::SimpleTable
    Properties: { PrimaryKey: { Name: id, Type: String } }
";

/// The function of the greeting project: it says hello to every text.
pub(crate) fn hello() -> Function {
    Function::new("Hello", |_| {
        let hello = || async {
            let twiml = "<Response><Message>Hello</Message></Response>";
            ([(header::CONTENT_TYPE, "text/xml")], twiml)
        };
        Ok(Router::new().route("/sms", post(hello)))
    })
}

/// A template from its text.
pub(crate) fn template(text: &str) -> Template {
    Template::parse(&source("template.yaml", text)).unwrap()
}

/// Settings from their text.
pub(crate) fn settings(text: &str) -> Settings {
    Settings::parse("rehearse.toml", text).unwrap()
}

/// A file that is nowhere.
pub(crate) fn source(name: &str, text: &str) -> Source {
    Source { name: name.into(), text: text.into() }
}

/// A folder that goes with the test.
#[derive(Debug)]
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).unwrap();
        }
        std::fs::write(&path, text).unwrap();
        path
    }
}

/// What keeps the tables, as REHEARSE_DYNAMODB says: one service for all tests of this process.
pub(crate) fn databases() -> Service {
    static SERVICE: OnceLock<Service> = OnceLock::new();
    let start = || {
        let choice = std::env::var("REHEARSE_DYNAMODB").unwrap_or_else(|_| "embedded".into());
        let choice: Choice = choice.parse().unwrap();
        if choice == Choice::Docker {
            remove_containers_in_the_end();
        }
        Service::start(ServiceOptions { choice, ..ServiceOptions::default() }).unwrap()
    };
    SERVICE.get_or_init(start).clone()
}

/// Nothing of a test process runs at its end, so another one waits for it.
fn remove_containers_in_the_end() {
    let own = format!("label=rehearse.process={}", std::process::id());
    let script = format!("cat >/dev/null; docker ps -aq --filter {own} | xargs -r docker rm -f -v");
    let null = std::process::Stdio::null;
    let waits = std::process::Command::new("sh")
        .args(["-c", &script])
        .stdin(std::process::Stdio::piped())
        .stdout(null())
        .stderr(null())
        .spawn();
    // Its input ends when this process does.
    std::mem::forget(waits.unwrap());
}
