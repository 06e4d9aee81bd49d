//! Resources that SAM makes of another one, which a template may refer to as well: `FRole`, `FAliaslive`, `F.Version`,
//! `ApiProdStage`.

use super::Resolver;
use rehearse_core::yaml::tree::{Node, Value};

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
                let made = self.made_for_function(owner, rest);
                made.or_else(|| self.of_event(owner, rest).map(|kind| (kind, "")))
            }
            "AWS::Serverless::StateMachine" if rest == "Role" => Some(("AWS::IAM::Role", "")),
            "AWS::Serverless::StateMachine" => self.of_event(owner, rest).map(|kind| (kind, "")),
            "AWS::Serverless::Api" => self.of_rest_api(owner, rest),
            "AWS::Serverless::HttpApi" => self.of_http_api(owner, rest),
            "AWS::Serverless::LayerVersion" => {
                is_hash(rest).then_some(("AWS::Serverless::LayerVersion", ""))
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

    fn made_for_function<'n>(&self, owner: &str, rest: &'n str) -> Option<(&'static str, &'n str)> {
        let has = |name: &str| self.of_owner(owner, "Function", name).is_some();
        match rest {
            "Role" if self.has_own_role(owner) => None,
            "Role" => Some(("AWS::IAM::Role", "")),
            ".Version" if has(ALIAS) => Some(("AWS::Lambda::Version", "")),
            ".Alias" if has(ALIAS) => Some(("AWS::Lambda::Alias", "")),
            "Url" if has("FunctionUrlConfig") => Some(("AWS::Lambda::Url", "")),
            "UrlPublicPermissions"
            | "URLInvokeDirectPermissions"
            | "UrlInvokeDirectPermissions" => Some(("AWS::Lambda::Permission", "")),
            "DeploymentGroup" => Some(("AWS::CodeDeploy::DeploymentGroup", "")),
            "EventInvokeConfig" => Some(("AWS::Lambda::EventInvokeConfig", "")),
            ".DestinationQueue"
            | "EventInvokeConfigOnSuccessQueue"
            | "EventInvokeConfigOnFailureQueue" => Some(("AWS::SQS::Queue", "")),
            ".DestinationTopic"
            | "EventInvokeConfigOnSuccessTopic"
            | "EventInvokeConfigOnFailureTopic" => Some(("AWS::SNS::Topic", "")),
            _ => {
                if let Some(hash) = rest.strip_prefix("Version") {
                    // The hash may be the template's own, of any letters.
                    let made = is_hash(hash) || has("AutoPublishCodeSha256");
                    return made.then_some(("AWS::Lambda::Version", ""));
                }
                let word = rest.strip_prefix("Alias")?;
                self.is_alias(owner, word).then_some(("AWS::Lambda::Alias", word))
            }
        }
    }

    /// Whether the alias that a function publishes may be called so in a logical id.
    fn is_alias(&self, owner: &str, word: &str) -> bool {
        match self.of_owner(owner, "Function", ALIAS).map(Node::scalar) {
            None => false,
            // SAM writes what no logical id may have in letters.
            Some(Some(alias)) => word == alias || word == alias.replace('-', "D").replace('_', "U"),
            // A parameter's value, or that of a function.
            Some(None) => !word.is_empty(),
        }
    }

    /// Whether a function surely has a role that SAM does not make; `If` may choose that it has none.
    fn has_own_role(&self, owner: &str) -> bool {
        let Some(role) = self.of_owner(owner, "Function", "Role") else { return false };
        match &role.value {
            Value::String(_) => true,
            Value::Tagged(word, name) if word == "Ref" => name.as_str() != Some("AWS::NoValue"),
            Value::Tagged(word, _) => matches!(word.as_str(), "GetAtt" | "Sub" | "ImportValue"),
            _ => false,
        }
    }

    fn of_rest_api<'n>(&self, owner: &str, rest: &'n str) -> Option<(&'static str, &'n str)> {
        match rest {
            ".Stage" => Some(("AWS::ApiGateway::Stage", "")),
            ".Deployment" => Some(("AWS::ApiGateway::Deployment", "")),
            "BasePathMapping" | ".BasePathMapping" => {
                Some(("AWS::ApiGateway::BasePathMapping", ""))
            }
            ".DomainName" => Some(("AWS::ApiGateway::DomainName", "")),
            "UsagePlan" | ".UsagePlan" => Some(("AWS::ApiGateway::UsagePlan", "")),
            "ApiKey" | ".ApiKey" => Some(("AWS::ApiGateway::ApiKey", "")),
            _ => {
                if let Some(hash) = rest.strip_prefix("Deployment").filter(|hash| is_hash(hash)) {
                    return Some(("AWS::ApiGateway::Deployment", &hash[..0]));
                }
                let word = self.stage(owner, "Api", &["Prod", "Stage"], rest)?;
                Some(("AWS::ApiGateway::Stage", word))
            }
        }
    }

    fn of_http_api<'n>(&self, owner: &str, rest: &'n str) -> Option<(&'static str, &'n str)> {
        match rest {
            "ApiGatewayDefaultStage" => Some(("AWS::ApiGatewayV2::Stage", "$default")),
            ".Stage" => Some(("AWS::ApiGatewayV2::Stage", "")),
            ".DomainName" => Some(("AWS::ApiGatewayV2::DomainName", "")),
            _ => Some(("AWS::ApiGatewayV2::Stage", self.stage(owner, "HttpApi", &[], rest)?)),
        }
    }

    /// The stage whose logical id has `rest` behind that of its API: its name and `Stage`, or `Stage` and a hash where
    /// the name is not text, or is no part of a logical id.
    fn stage<'n>(
        &self,
        owner: &str,
        section: &str,
        defaults: &[&str],
        rest: &'n str,
    ) -> Option<&'n str> {
        if let Some(hash) = rest.strip_prefix("Stage").filter(|hash| is_hash(hash)) {
            return Some(&hash[..0]);
        }
        let word = rest.strip_suffix("Stage").filter(|word| !word.is_empty())?;
        let is_stage = match self.of_owner(owner, section, "StageName").map(Node::scalar) {
            Some(Some(stage)) => word == stage,
            Some(None) => true,
            None => defaults.contains(&word),
        };
        is_stage.then_some(word)
    }

    /// A property of the resource that another one is made of, its own or that of `Globals`.
    fn of_owner(&self, owner: &str, section: &str, name: &str) -> Option<&'a Node> {
        let resource = self.root.get("Resources").and_then(|resources| resources.get(owner));
        let own = resource.and_then(|resource| resource.get("Properties")?.get(name));
        own.or_else(|| self.global(section, name))
    }
}

/// The property with the alias that SAM publishes at each deployment.
const ALIAS: &str = "AutoPublishAlias";

/// Whether a text is ten hexadecimal digits, as SAM puts them behind logical ids.
fn is_hash(text: &str) -> bool {
    text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
