//! Resources that SAM makes of another one, which a template may refer to as well: `FRole`, `FAliaslive`, `F.Version`,
//! `ApiProdStage`.

use super::Resolver;
use rehearse_core::yaml::tree::Node;

/// A resource that SAM makes.
pub(super) struct Generated<'a> {
    /// The resource that it is made of.
    pub(super) owner: &'a str,
    /// Its type.
    pub(super) kind: &'static str,
    /// What its logical id says besides: the stage of `ApiProdStage`, the alias of `FAliaslive`.
    pub(super) word: String,
}

/// APIs that SAM creates by itself.
pub(super) const IMPLICIT: [(&str, &str); 2] = [
    ("ServerlessHttpApi", "AWS::Serverless::HttpApi"),
    ("ServerlessRestApi", "AWS::Serverless::Api"),
];

/// The resource of each event with a name of its own, by the event's type.
const OF_EVENTS: [(&str, &str); 12] = [
    ("Schedule", "AWS::Events::Rule"),
    ("ScheduleV2", "AWS::Scheduler::Schedule"),
    ("EventBridgeRule", "AWS::Events::Rule"),
    ("CloudWatchEvent", "AWS::Events::Rule"),
    ("SQS", "AWS::Lambda::EventSourceMapping"),
    ("Kinesis", "AWS::Lambda::EventSourceMapping"),
    ("DynamoDB", "AWS::Lambda::EventSourceMapping"),
    ("MSK", "AWS::Lambda::EventSourceMapping"),
    ("MQ", "AWS::Lambda::EventSourceMapping"),
    ("SelfManagedKafka", "AWS::Lambda::EventSourceMapping"),
    ("DocumentDB", "AWS::Lambda::EventSourceMapping"),
    ("SNS", "AWS::SNS::Subscription"),
];

impl<'a> Resolver<'a> {
    /// The resource of this logical id, or of this property of one (`F.Version`), if SAM makes it.
    pub(super) fn generated(&self, name: &str) -> Option<Generated<'a>> {
        let shared = |owner, kind| Some(Generated { owner, kind, word: String::new() });
        match name {
            "ServerlessDeploymentApplication" => return shared("", "AWS::CodeDeploy::Application"),
            "CodeDeployServiceRole" => return shared("", "AWS::IAM::Role"),
            "ServerlessUsagePlan" => return shared("", "AWS::ApiGateway::UsagePlan"),
            "ServerlessApiKey" => return shared("", "AWS::ApiGateway::ApiKey"),
            _ => {}
        }
        let owners = self.types.iter().map(|(id, kind)| (*id, *kind)).chain(IMPLICIT);
        let mut made: Vec<Generated<'a>> = owners
            .filter_map(|(owner, of)| {
                let rest = name.strip_prefix(owner).filter(|rest| !rest.is_empty())?;
                let (kind, word) = self.made_of(owner, of, rest)?;
                Some(Generated { owner, kind, word: word.to_owned() })
            })
            .collect();
        made.sort_by_key(|generated| generated.owner.len());
        made.pop()
    }

    /// The type of what SAM makes of `owner` and calls by its name with `rest` behind.
    fn made_of<'n>(&self, owner: &str, of: &str, rest: &'n str) -> Option<(&'static str, &'n str)> {
        match of {
            "AWS::Serverless::Function" => {
                of_function(rest).or_else(|| self.of_event(owner, rest).map(|kind| (kind, "")))
            }
            "AWS::Serverless::StateMachine" if rest == "Role" => Some(("AWS::IAM::Role", "")),
            "AWS::Serverless::StateMachine" => self.of_event(owner, rest).map(|kind| (kind, "")),
            "AWS::Serverless::Api" => of_rest_api(rest),
            "AWS::Serverless::HttpApi" => of_http_api(rest),
            // Ten hexadecimal digits of a hash.
            "AWS::Serverless::LayerVersion" => {
                let hash = rest.len() == 10 && rest.bytes().all(|b| b.is_ascii_hexdigit());
                hash.then_some(("AWS::Serverless::LayerVersion", ""))
            }
            _ => None,
        }
    }

    /// The type of a resource that an event makes.
    fn of_event(&self, owner: &str, rest: &str) -> Option<&'static str> {
        let properties = self.root.get("Resources")?.get(owner)?.get("Properties")?;
        let events = properties.get("Events")?.as_map()?;
        let event = events.iter().filter(|event| rest.starts_with(&event.key));
        let event = event.max_by_key(|event| event.key.len())?;
        let of_event = event.value.get("Type").and_then(Node::as_str)?;
        match rest.get(event.key.len()..)? {
            "Queue" => Some("AWS::SQS::Queue"),
            "QueuePolicy" => Some("AWS::SQS::QueuePolicy"),
            "Role" => Some("AWS::IAM::Role"),
            "EventSourceMapping" => Some("AWS::Lambda::EventSourceMapping"),
            rest if rest.starts_with("Permission") => Some("AWS::Lambda::Permission"),
            "" => OF_EVENTS.iter().find(|(kind, _)| *kind == of_event).map(|(_, kind)| *kind),
            _ => None,
        }
    }
}

fn of_function(rest: &str) -> Option<(&'static str, &str)> {
    match rest {
        "Role" => Some(("AWS::IAM::Role", "")),
        ".Version" => Some(("AWS::Lambda::Version", "")),
        ".Alias" => Some(("AWS::Lambda::Alias", "")),
        "Url" => Some(("AWS::Lambda::Url", "")),
        "UrlPublicPermissions" | "URLInvokeDirectPermissions" | "UrlInvokeDirectPermissions" => {
            Some(("AWS::Lambda::Permission", ""))
        }
        "DeploymentGroup" => Some(("AWS::CodeDeploy::DeploymentGroup", "")),
        "EventInvokeConfig" => Some(("AWS::Lambda::EventInvokeConfig", "")),
        ".DestinationQueue"
        | "EventInvokeConfigOnSuccessQueue"
        | "EventInvokeConfigOnFailureQueue" => Some(("AWS::SQS::Queue", "")),
        ".DestinationTopic"
        | "EventInvokeConfigOnSuccessTopic"
        | "EventInvokeConfigOnFailureTopic" => Some(("AWS::SNS::Topic", "")),
        _ => {
            let alias = rest.strip_prefix("Alias").filter(|word| !word.is_empty());
            let version = rest.strip_prefix("Version").filter(|word| !word.is_empty());
            alias
                .map(|word| ("AWS::Lambda::Alias", word))
                .or_else(|| version.map(|_| ("AWS::Lambda::Version", "")))
        }
    }
}

fn of_rest_api(rest: &str) -> Option<(&'static str, &str)> {
    match rest {
        ".Stage" => Some(("AWS::ApiGateway::Stage", "")),
        ".Deployment" => Some(("AWS::ApiGateway::Deployment", "")),
        "BasePathMapping" | ".BasePathMapping" => Some(("AWS::ApiGateway::BasePathMapping", "")),
        ".DomainName" => Some(("AWS::ApiGateway::DomainName", "")),
        "UsagePlan" | ".UsagePlan" => Some(("AWS::ApiGateway::UsagePlan", "")),
        "ApiKey" | ".ApiKey" => Some(("AWS::ApiGateway::ApiKey", "")),
        _ => {
            let stage = rest.strip_suffix("Stage").filter(|word| !word.is_empty());
            stage.map(|word| ("AWS::ApiGateway::Stage", word)).or_else(|| {
                rest.starts_with("Deployment").then_some(("AWS::ApiGateway::Deployment", ""))
            })
        }
    }
}

fn of_http_api(rest: &str) -> Option<(&'static str, &str)> {
    match rest {
        "ApiGatewayDefaultStage" => Some(("AWS::ApiGatewayV2::Stage", "$default")),
        ".Stage" => Some(("AWS::ApiGatewayV2::Stage", "")),
        ".DomainName" => Some(("AWS::ApiGatewayV2::DomainName", "")),
        _ => {
            let stage = rest.strip_suffix("Stage").filter(|word| !word.is_empty())?;
            Some(("AWS::ApiGatewayV2::Stage", stage))
        }
    }
}
