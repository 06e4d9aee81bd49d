//! The values of `Ref` and `GetAtt`.

use crate::template::intrinsic::kind_of;
use rehearse_core::yaml::Location;
use rehearse_core::yaml::tree::Node;

use super::{Resolver, TemplateError};

const REGION: &str = "us-east-1";
const ACCOUNT: &str = "123456789012";
const STACK: &str = "rehearse";

/// APIs that SAM creates by itself.
const IMPLICIT: [&str; 2] = ["ServerlessHttpApi", "ServerlessRestApi"];

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
        if let Some(text) = pseudo_parameter(name) {
            return Ok(Some(Node::string(text, at)));
        }
        if let Some(parameter) = self.parameters.get(name) {
            return match parameter {
                Some(value) => Ok(Some(Node::new(value.clone(), at))),
                None => {
                    Err(TemplateError::only_on_aws(at, format!("parameter `{name}` has no value")))
                }
            };
        }
        let text = match self.types.get(name).copied() {
            Some("AWS::DynamoDB::Table" | "AWS::Serverless::SimpleTable") => {
                self.table_name(name, depth)?
            }
            Some("AWS::Serverless::HttpApi" | "AWS::Serverless::Api") => api_id(name),
            Some("AWS::Serverless::Function") => self.function_name(name, depth)?,
            Some(_) => name.to_owned(),
            // SAM creates these two by itself.
            None if IMPLICIT.contains(&name) => api_id(name),
            None => return Err(self.unknown(name, at)),
        };
        Ok(Some(Node::string(text, at)))
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

    /// The logical id of the API that an event names by the value of `Ref`, or by its logical id.
    pub(in crate::template) fn api(
        &self,
        reference: &str,
        rest: bool,
        at: Location,
    ) -> Result<String, TemplateError> {
        let kind = if rest { "AWS::Serverless::Api" } else { "AWS::Serverless::HttpApi" };
        let known = self.types.iter().filter(|(_, of)| **of == kind).map(|(id, _)| *id);
        let known: Vec<&str> = known.chain(IMPLICIT).collect();
        let found = known.iter().find(|id| api_id(id) == reference || **id == reference);
        found.map(|id| (*id).to_owned()).ok_or_else(|| {
            let message = format!(
                "`{reference}` is not an {kind} of this template; events of other APIs are not emulated"
            );
            TemplateError::invalid(at, message)
        })
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
        let implicit = match resource {
            "ServerlessHttpApi" => Some("AWS::Serverless::HttpApi"),
            "ServerlessRestApi" => Some("AWS::Serverless::Api"),
            _ => None,
        };
        let kind = self.types.get(resource).copied().or(implicit);
        match (kind.ok_or_else(|| self.unknown(resource, at))?, attribute) {
            ("AWS::DynamoDB::Table" | "AWS::Serverless::SimpleTable", "Arn") => {
                let table = self.table_name(resource, depth)?;
                Ok(format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"))
            }
            ("AWS::Serverless::Function", "Arn") => {
                let name = self.function_name(resource, depth)?;
                Ok(format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"))
            }
            ("AWS::Serverless::HttpApi", "ApiId") | ("AWS::Serverless::Api", "RestApiId") => {
                Ok(api_id(resource))
            }
            ("AWS::Serverless::HttpApi", "ApiEndpoint") => {
                Ok(format!("https://{}.execute-api.{REGION}.amazonaws.com", api_id(resource)))
            }
            _ => {
                let message = format!("`{attribute}` of {resource} is known only on AWS");
                Err(TemplateError::only_on_aws(at, message))
            }
        }
    }
}

fn pseudo_parameter(name: &str) -> Option<String> {
    Some(match name {
        "AWS::Region" => REGION.into(),
        "AWS::AccountId" => ACCOUNT.into(),
        "AWS::Partition" => "aws".into(),
        "AWS::URLSuffix" => "amazonaws.com".into(),
        "AWS::StackName" => STACK.into(),
        "AWS::StackId" => format!("arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/0"),
        _ => return None,
    })
}
