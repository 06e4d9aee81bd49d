//! A project whose one function greets everybody who texts it.

use axum::{Router, http::header, routing::post};
use rehearse_aws::{
    Function,
    template::{Settings, Template},
};
use rehearse_core::yaml::Source;

/// `rehearse.toml` of the greeting project.
pub const SETTINGS: &str = r#"
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
pub const TEMPLATE: &str = "
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
pub fn hello() -> Function {
    Function::new("Hello", |_| {
        let hello = || async {
            let twiml = "<Response><Message>Hello</Message></Response>";
            ([(header::CONTENT_TYPE, "text/xml")], twiml)
        };
        Ok(Router::new().route("/sms", post(hello)))
    })
}

/// A template from its text.
pub fn template(text: &str) -> Template {
    Template::parse(&Source::new("template.yaml", text)).unwrap()
}

/// Settings from their text.
pub fn settings(text: &str) -> Settings {
    Settings::parse("rehearse.toml", text).unwrap()
}
