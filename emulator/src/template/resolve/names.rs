//! What `Ref` and `GetAtt` stand for.

use serde_saphyr::Location;

use super::{Reason, Scope};
use crate::template::node::Node;

const REGION: &str = "us-east-1";
const ACCOUNT: &str = "123456789012";
const STACK: &str = "rehearse";

impl Scope<'_> {
    /// `Ref`: a parameter, a pseudo parameter, or what a resource is called.
    pub(super) fn reference(
        &self,
        name: &str,
        at: Location,
        depth: usize,
    ) -> Result<Option<Node>, Reason> {
        if name == "AWS::NoValue" {
            return Ok(None);
        }
        if let Some(text) = pseudo_parameter(name) {
            return Ok(Some(Node::string(text, at)));
        }
        if let Some(parameter) = self.parameters.get(name) {
            return match parameter {
                Some(value) => Ok(Some(Node::new(value.clone(), at))),
                None => Err(Reason::only_on_aws(at, format!("parameter `{name}` has no value"))),
            };
        }
        let text = match self.types.get(name).copied() {
            Some("AWS::DynamoDB::Table" | "AWS::Serverless::SimpleTable") => {
                self.table_name(name, depth)?
            }
            Some("AWS::Serverless::HttpApi") => STACK.to_owned(),
            Some(_) => name.to_owned(),
            // SAM creates these two by itself.
            None if matches!(name, "ServerlessHttpApi" | "ServerlessRestApi") => STACK.to_owned(),
            None => return Err(self.unknown(name, at)),
        };
        Ok(Some(Node::string(text, at)))
    }

    /// A table's `TableName`; CloudFormation makes one up when it is left out.
    pub(in crate::template) fn table_name(&self, id: &str, depth: usize) -> Result<String, Reason> {
        let table = self.root.get("Resources").and_then(|resources| resources.get(id));
        let Some(name) = table.and_then(|t| t.get("Properties")?.get("TableName")) else {
            return Ok(id.to_owned());
        };
        let resolved = self.at_depth(name, depth + 1)?;
        let text = resolved.map(|node| {
            node.scalar().ok_or_else(|| {
                Reason::invalid(name.at, format!("TableName must be a string, not {}", node.kind()))
            })
        });
        text.unwrap_or_else(|| Ok(id.to_owned()))
    }

    pub(super) fn attribute(
        &self,
        argument: &Node,
        at: Location,
        depth: usize,
    ) -> Result<String, Reason> {
        let parts = argument.as_list().unwrap_or_default();
        let [resource, attribute] = parts else {
            return Err(Reason::invalid(at, "GetAtt names a resource and an attribute"));
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
    ) -> Result<String, Reason> {
        let kind = self.types.get(resource).ok_or_else(|| self.unknown(resource, at))?;
        match (*kind, attribute) {
            ("AWS::DynamoDB::Table" | "AWS::Serverless::SimpleTable", "Arn") => {
                let table = self.table_name(resource, depth)?;
                Ok(format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"))
            }
            ("AWS::Serverless::Function", "Arn") => {
                Ok(format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{resource}"))
            }
            _ => {
                let message = format!("`{attribute}` of {resource} is known only on AWS");
                Err(Reason::only_on_aws(at, message))
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
