//! The values of `Ref` and `GetAtt`.

use crate::template::intrinsic::kind_of;
use rehearse_core::yaml::Location;
use rehearse_core::yaml::tree::{Node, Value};

use super::{Resolver, TemplateError, Unknowns, generated::IMPLICIT, kinds};

const TABLE: &str = "AWS::DynamoDB::Table";
const GLOBAL_TABLE: &str = "AWS::DynamoDB::GlobalTable";
const SIMPLE_TABLE: &str = "AWS::Serverless::SimpleTable";
const FUNCTION: &str = "AWS::Serverless::Function";
const PLAIN_FUNCTION: &str = "AWS::Lambda::Function";

pub(super) const REGION: &str = "us-east-1";
const ACCOUNT: &str = "123456789012";
const STACK: &str = "rehearse";
/// The end of the stack's ARN: templates take its parts for names that no other stack has.
const STACK_UUID: &str = "00000000-0000-4000-8000-000000000000";

/// The value of `Ref` for an API: on AWS ten arbitrary letters and digits.
pub(in crate::template) fn api_id(logical: &str) -> String {
    logical.to_ascii_lowercase()
}

impl Resolver<'_> {
    /// `Ref`: the value of a parameter or a pseudo parameter, or the name of a resource.
    pub(super) fn reference(
        &self,
        name: &str,
        at: Location,
        depth: usize,
    ) -> Result<Option<Node>, TemplateError> {
        if name == "AWS::NoValue" {
            return Ok(None);
        }
        // The stack notifies nobody.
        if name == "AWS::NotificationARNs" {
            return Ok(Some(Node::new(Value::List(Vec::new()), at)));
        }
        if let Some(text) = pseudo_parameter(name) {
            return Ok(Some(Node::string(text, at)));
        }
        if let Some(parameter) = self.parameters.get(name) {
            let value = match parameter {
                Some(value) => value.clone(),
                None => self.without_value(name, at)?,
            };
            return self.of_parameter(name, value, at).map(Some);
        }
        let text = match self.types.get(name).copied() {
            Some(kind) => self.named(name, kind, None, at, depth)?,
            None => self.of_generated(name, None, at, depth)?,
        };
        Ok(Some(Node::string(text, at)))
    }

    /// What stands for a parameter without a value.
    fn without_value(&self, name: &str, at: Location) -> Result<Value, TemplateError> {
        let message = format!("parameter `{name}` has no value");
        let error = TemplateError::only_on_aws(at, message);
        if self.unknowns.get() != Unknowns::All {
            return Err(error);
        }
        let parameter = self.root.get("Parameters").and_then(|all| all.get(name));
        let part = |key: &str| parameter.and_then(|parameter| parameter.get(key));
        let allowed = part("AllowedValues").and_then(Node::as_list).and_then(<[Node]>::first);
        let made_up = match (allowed.and_then(Node::scalar), part("Type").and_then(Node::as_str)) {
            (Some(allowed), _) => allowed,
            (None, Some("Number")) => {
                part("MinValue").and_then(Node::scalar).unwrap_or_else(|| "1".into())
            }
            (None, _) => name.to_owned(),
        };
        self.note(&error, &made_up);
        let kind = part("Type").and_then(Node::as_str).unwrap_or("String");
        Ok(super::parameter(kind, made_up, at))
    }

    /// A parameter's value; one of the type `AWS::SSM::Parameter::Value<...>` names where it is kept.
    fn of_parameter(&self, name: &str, value: Value, at: Location) -> Result<Node, TemplateError> {
        let parameter = self.root.get("Parameters").and_then(|all| all.get(name));
        let kind = parameter.and_then(|parameter| parameter.get("Type")).and_then(Node::as_str);
        let kept = kind.and_then(|kind| kind.strip_prefix("AWS::SSM::Parameter::Value<"));
        match (kept, &value) {
            (Some(kind), Value::String(place)) => {
                let value = self.secret(place, at)?;
                Ok(Node::new(super::parameter(kind.trim_end_matches('>'), value, at), at))
            }
            _ => Ok(Node::new(value, at)),
        }
    }

    /// The value of `Ref`, or of `GetAtt`, for a resource that SAM makes.
    fn of_generated(
        &self,
        name: &str,
        attribute: Option<&str>,
        at: Location,
        depth: usize,
    ) -> Result<String, TemplateError> {
        if let Some((_, kind)) = IMPLICIT.iter().find(|(id, _)| *id == name) {
            return self.named(name, kind, attribute, at, depth);
        }
        let generated = self.generated(name).ok_or_else(|| self.unknown(name, at))?;
        let (owner, word) = (generated.owner, generated.word);
        let function = || self.function_arn(owner, depth);
        let text = match (generated.kind, attribute) {
            ("AWS::Lambda::Version", Some("Version")) => "1".into(),
            ("AWS::Lambda::Version", _) => format!("{}:1", function()?),
            // SAM writes `-` as D and `_` as U.
            ("AWS::Lambda::Alias", _) if word.is_empty() || word.contains(['D', 'U']) => {
                let own = self.name(owner, "AutoPublishAlias", depth)?;
                let of_all = self.global("Function", "AutoPublishAlias");
                let alias = match (own, of_all) {
                    (Some(own), _) => own,
                    (None, Some(node)) => self.text("AutoPublishAlias", node, depth)?,
                    (None, None) => "live".into(),
                };
                format!("{}:{alias}", function()?)
            }
            ("AWS::Lambda::Alias", _) => format!("{}:{word}", function()?),
            ("AWS::Lambda::Url", Some("FunctionUrl")) => function_url(name),
            ("AWS::Lambda::Url", _) => function()?,
            ("AWS::ApiGateway::Stage" | "AWS::ApiGatewayV2::Stage", None) => {
                let stage = self.name(owner, "StageName", depth)?;
                let word = if word.is_empty() { "$default".to_owned() } else { word };
                stage.unwrap_or(word)
            }
            (kind, attribute) => self.named(name, kind, attribute, at, depth)?,
        };
        Ok(text)
    }

    /// The value of `Ref`, or of `GetAtt`, for a resource by its type.
    fn named(
        &self,
        id: &str,
        kind: &str,
        attribute: Option<&str>,
        at: Location,
        depth: usize,
    ) -> Result<String, TemplateError> {
        let text = match (kind, attribute) {
            (TABLE | GLOBAL_TABLE | SIMPLE_TABLE, None) => self.table_name(id, depth)?,
            (TABLE | GLOBAL_TABLE | SIMPLE_TABLE, Some("Arn")) => {
                format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{}", self.table_name(id, depth)?)
            }
            (FUNCTION | PLAIN_FUNCTION, None) => self.function_name(id, depth)?,
            (FUNCTION | PLAIN_FUNCTION, Some("Arn")) => self.function_arn(id, depth)?,
            ("AWS::Lambda::Version", Some("Version")) => "1".into(),
            ("AWS::Lambda::Version", _) => format!("{}:1", self.of_function(id, depth)?),
            ("AWS::Lambda::Alias", _) => {
                let alias = self.name(id, "Name", depth)?.unwrap_or_else(|| id.to_owned());
                format!("{}:{alias}", self.of_function(id, depth)?)
            }
            ("AWS::Lambda::Url", Some("FunctionUrl")) => function_url(id),
            ("AWS::Lambda::Url", _) => self.of_function(id, depth)?,
            ("AWS::Serverless::HttpApi" | "AWS::ApiGatewayV2::Api", None | Some("ApiId"))
            | ("AWS::Serverless::Api" | "AWS::ApiGateway::RestApi", None | Some("RestApiId")) => {
                api_id(id)
            }
            ("AWS::Serverless::Api" | "AWS::ApiGateway::RestApi", Some("RootResourceId")) => {
                format!("{}/root", api_id(id))
            }
            ("AWS::Serverless::HttpApi" | "AWS::ApiGatewayV2::Api", Some("ApiEndpoint")) => {
                format!("https://{}.execute-api.{REGION}.amazonaws.com", api_id(id))
            }
            ("AWS::SSM::Parameter", Some("Value")) => {
                self.name(id, "Value", depth)?.unwrap_or_default()
            }
            ("AWS::SSM::Parameter", Some("Type")) => {
                self.name(id, "Type", depth)?.unwrap_or_else(|| "String".into())
            }
            _ => return self.of_kind(id, kind, attribute, at, depth),
        };
        Ok(text)
    }

    /// The value of `Ref`, or of `GetAtt`, by the table of types.
    fn of_kind(
        &self,
        id: &str,
        kind: &str,
        attribute: Option<&str>,
        at: Location,
        depth: usize,
    ) -> Result<String, TemplateError> {
        let row = kinds::kind(kind);
        let pattern = match attribute {
            None => row.map(|row| row.reference),
            Some(attribute) => row.and_then(|row| {
                let found = row.attributes.iter().find(|(name, _)| *name == attribute)?;
                Some(found.1)
            }),
        };
        let Some(pattern) = pattern else {
            let (message, value) = match attribute {
                None => {
                    (format!("what Ref of {id} ({kind}) gives is known only on AWS"), id.to_owned())
                }
                Some(attribute) => (
                    format!("`{attribute}` of {id} is known only on AWS"),
                    format!("{id}.{attribute}"),
                ),
            };
            return self.placeholder(TemplateError::only_on_aws(at, message), value);
        };
        let property = row.map(|row| row.name).filter(|property| !property.is_empty());
        let own = match property {
            Some(property) => self.name(id, property, depth)?,
            None => None,
        };
        // A bucket's name has no capitals.
        let made_up = || match kind {
            "AWS::S3::Bucket" => format!("{STACK}-{}", id.to_ascii_lowercase()),
            _ => id.to_owned(),
        };
        let name = own.unwrap_or_else(made_up);
        let id = id.to_ascii_lowercase();
        Ok(pattern
            .replace("{name}", &name)
            .replace("{digits}", &kinds::digits(&id))
            .replace("{id}", &id))
    }

    fn function_arn(&self, id: &str, depth: usize) -> Result<String, TemplateError> {
        let name = self.function_name(id, depth)?;
        Ok(format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"))
    }

    /// The ARN of the function that a version, an alias or a URL is of.
    fn of_function(&self, id: &str, depth: usize) -> Result<String, TemplateError> {
        let of = match self.name(id, "FunctionName", depth)? {
            Some(name) => name,
            None => self.name(id, "TargetFunctionArn", depth)?.unwrap_or_default(),
        };
        let is_arn = of.starts_with("arn:");
        Ok(if is_arn { of } else { format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{of}") })
    }

    /// A table's `TableName`, or a name derived from its id if it is left out.
    pub(in crate::template) fn table_name(
        &self,
        id: &str,
        depth: usize,
    ) -> Result<String, TemplateError> {
        let name = self.name(id, "TableName", depth)?;
        // AWS takes no name of less than three characters.
        let made_up = || if id.len() < 3 { format!("{STACK}-{id}") } else { id.to_owned() };
        Ok(name.unwrap_or_else(made_up))
    }

    /// A function's `FunctionName`, or its id if it is left out.
    pub(in crate::template) fn function_name(
        &self,
        id: &str,
        depth: usize,
    ) -> Result<String, TemplateError> {
        Ok(self.name(id, "FunctionName", depth)?.unwrap_or_else(|| id.to_owned()))
    }

    fn name(
        &self,
        id: &str,
        property: &str,
        depth: usize,
    ) -> Result<Option<String>, TemplateError> {
        let resource = self.root.get("Resources").and_then(|resources| resources.get(id));
        let Some(name) = resource.and_then(|r| r.get("Properties")?.get(property)) else {
            return Ok(None);
        };
        let resolved = self.at_depth(name, depth + 1)?;
        let text = resolved.map(|node| {
            node.scalar().ok_or_else(|| {
                let message = format!("{property} must be a string, not {}", kind_of(&node));
                TemplateError::invalid(name.at, message)
            })
        });
        text.transpose()
    }

    /// The logical id of the API that an event names by the value of `Ref`, or by its logical id; `None` if it is none
    /// that SAM manages here.
    pub(in crate::template) fn api(&self, reference: &str, rest: bool) -> Option<String> {
        let kind = if rest { "AWS::Serverless::Api" } else { "AWS::Serverless::HttpApi" };
        let own = self.types.iter().map(|(id, kind)| (*id, *kind)).chain(IMPLICIT);
        let mut own = own.filter(|(_, of)| *of == kind).map(|(id, _)| id);
        own.find(|id| api_id(id) == reference || *id == reference).map(str::to_owned)
    }

    pub(super) fn attribute(
        &self,
        argument: &Node,
        at: Location,
        depth: usize,
    ) -> Result<String, TemplateError> {
        let parts = argument.as_list().unwrap_or_default();
        let [resource, attribute] = parts else {
            return Err(TemplateError::invalid(at, "GetAtt names a resource and an attribute"));
        };
        let resource = self.word("GetAtt", resource)?;
        let attribute = self.text("GetAtt", attribute, depth)?;
        self.attribute_of(&resource, &attribute, at, depth)
    }

    pub(super) fn attribute_of(
        &self,
        resource: &str,
        attribute: &str,
        at: Location,
        depth: usize,
    ) -> Result<String, TemplateError> {
        match self.types.get(resource).copied() {
            Some(kind) => self.named(resource, kind, Some(attribute), at, depth),
            None => self.of_generated(resource, Some(attribute), at, depth),
        }
    }
}

fn function_url(id: &str) -> String {
    format!("https://{}.lambda-url.{REGION}.on.aws/", id.to_ascii_lowercase())
}

fn pseudo_parameter(name: &str) -> Option<String> {
    Some(match name {
        "AWS::Region" => REGION.into(),
        "AWS::AccountId" => ACCOUNT.into(),
        "AWS::Partition" => "aws".into(),
        "AWS::URLSuffix" => "amazonaws.com".into(),
        "AWS::StackName" => STACK.into(),
        "AWS::StackId" => {
            format!("arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/{STACK_UUID}")
        }
        _ => return None,
    })
}
