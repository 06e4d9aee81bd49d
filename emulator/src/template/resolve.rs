//! What the template's functions evaluate to.

use std::collections::BTreeMap;

use serde_saphyr::Location;

use super::{
    node::{Entry, Node, Yaml},
    text::hint,
};

/// Deeper than this, something refers to itself.
const MAX_DEPTH: usize = 48;

const REGION: &str = "us-east-1";
const ACCOUNT: &str = "123456789012";
const STACK: &str = "rehearse";

/// A complaint, and where.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reason {
    pub(super) at: Location,
    pub(super) message: String,
    /// Nothing is wrong, but only AWS knows the value.
    pub(super) only_on_aws: bool,
}

impl Reason {
    pub(super) fn invalid(at: Location, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), only_on_aws: false }
    }

    fn only_on_aws(at: Location, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), only_on_aws: true }
    }
}

/// What names mean in a template.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    root: &'a Node,
    parameters: BTreeMap<&'a str, Option<Yaml>>,
    types: BTreeMap<&'a str, &'a str>,
}

/// A resource that is to be created.
#[derive(Debug)]
pub(super) struct Resource<'a> {
    pub(super) id: &'a str,
    pub(super) kind: &'a str,
    pub(super) at: Location,
    pub(super) line: u64,
    node: &'a Node,
}

impl<'a> Resource<'a> {
    pub(super) fn property(&self, name: &str) -> Option<&'a Node> {
        self.node.get("Properties")?.get(name)
    }
}

impl<'a> Scope<'a> {
    pub(super) fn new(root: &'a Node, given: &BTreeMap<String, String>) -> Result<Self, Reason> {
        let Some(_) = root.as_map() else {
            return Err(Reason::invalid(root.at, "a template is a map with `Resources`"));
        };
        let mut parameters = BTreeMap::new();
        for entry in section(root, "Parameters")? {
            let value = match given.get(&entry.key) {
                Some(value) => Some(value.clone()),
                None => entry.value.get("Default").and_then(Node::scalar),
            };
            let kind = entry.value.get("Type").and_then(Node::as_str).unwrap_or("String");
            parameters.insert(entry.key.as_str(), value.map(|v| parameter(kind, v, entry.at)));
        }
        if let Some(name) = given.keys().find(|name| !parameters.contains_key(name.as_str())) {
            let hint = hint(name, parameters.keys().copied());
            let message = format!("the template has no parameter `{name}`{hint}");
            return Err(Reason::invalid(root.at, message));
        }
        let mut types = BTreeMap::new();
        for entry in section(root, "Resources")? {
            let Some(kind) = entry.value.get("Type").and_then(Node::as_str) else {
                let message = format!("the resource `{}` has no Type", entry.key);
                return Err(Reason::invalid(entry.at, message));
            };
            types.insert(entry.key.as_str(), kind);
        }
        if types.is_empty() {
            return Err(Reason::invalid(root.at, "the template has no Resources"));
        }
        Ok(Self { root, parameters, types })
    }

    /// The resources whose condition holds, in the template's order.
    pub(super) fn resources(&self) -> Result<Vec<Resource<'a>>, Reason> {
        let mut resources = Vec::new();
        for Entry { key, at, value: node } in section(self.root, "Resources")? {
            let condition = node.get("Condition");
            if let Some(condition) = condition
                && !self.condition(condition, 0)?
            {
                continue;
            }
            let kind = node.get("Type").and_then(Node::as_str).unwrap_or_default();
            resources.push(Resource { id: key, kind, at: *at, line: at.line(), node });
        }
        Ok(resources)
    }

    /// `Globals.Function.<name>` and the like.
    pub(super) fn global(&self, kind: &str, name: &str) -> Option<&'a Node> {
        self.root.get("Globals")?.get(kind)?.get(name)
    }

    /// A node without functions in it; `None` is `AWS::NoValue`.
    pub(super) fn resolve(&self, node: &Node) -> Result<Option<Node>, Reason> {
        self.at_depth(node, 0)
    }

    /// Where a resource of this id stands.
    pub(super) fn place(&self, id: &str) -> Location {
        let resources = self.root.get("Resources").and_then(Node::as_map).unwrap_or_default();
        resources.iter().find(|entry| entry.key == id).map_or(self.root.at, |entry| entry.at)
    }

    fn at_depth(&self, node: &Node, depth: usize) -> Result<Option<Node>, Reason> {
        if depth > MAX_DEPTH {
            return Err(Reason::invalid(node.at, "this refers to itself, or nests too deeply"));
        }
        let value = match &node.value {
            Yaml::Call(function, argument) => {
                return self.call(function, argument, node.at, depth + 1);
            }
            Yaml::List(list) => {
                let mut resolved = Vec::with_capacity(list.len());
                for item in list {
                    resolved.extend(self.at_depth(item, depth + 1)?);
                }
                Yaml::List(resolved)
            }
            Yaml::Map(map) => {
                let mut resolved = Vec::with_capacity(map.len());
                for Entry { key, at, value } in map {
                    if let Some(value) = self.at_depth(value, depth + 1)? {
                        resolved.push(Entry { key: key.clone(), at: *at, value });
                    }
                }
                Yaml::Map(resolved)
            }
            Yaml::String(text) if text.contains("{{resolve:") => {
                let message = format!("`{text}` is read from AWS when the stack is created");
                return Err(Reason::only_on_aws(node.at, message));
            }
            scalar => scalar.clone(),
        };
        Ok(Some(Node::new(value, node.at)))
    }

    fn call(
        &self,
        function: &str,
        argument: &Node,
        at: Location,
        depth: usize,
    ) -> Result<Option<Node>, Reason> {
        let text = match function {
            "Ref" => return self.reference(&self.word(function, argument)?, at, depth),
            "If" => return self.choose(argument, at, depth),
            "GetAtt" => self.attribute(argument, at, depth)?,
            "Sub" => self.substitute(argument, depth)?,
            "Join" => self.join(argument, at, depth)?,
            "Select" => return self.select(argument, at, depth).map(Some),
            "Split" => return self.split(argument, at, depth).map(Some),
            "FindInMap" => return self.find_in_map(argument, at, depth),
            "Equals" | "And" | "Or" | "Not" | "Condition" => {
                let holds = self.condition(&call_again(function, argument, at), depth)?;
                return Ok(Some(Node::new(Yaml::Bool(holds), at)));
            }
            "ImportValue" | "Transform" | "GetAZs" | "Cidr" => {
                let message = format!("the value of `{function}` is known only on AWS");
                return Err(Reason::only_on_aws(at, message));
            }
            unknown => {
                let known = [
                    "Ref",
                    "If",
                    "GetAtt",
                    "Sub",
                    "Join",
                    "Select",
                    "Split",
                    "FindInMap",
                    "Equals",
                    "And",
                    "Or",
                    "Not",
                    "Condition",
                ];
                let message =
                    format!("the function `{unknown}` is not emulated{}", hint(unknown, known));
                return Err(Reason::invalid(at, message));
            }
        };
        Ok(Some(Node::string(text, at)))
    }

    /// `Ref`: a parameter, a pseudo parameter, or what a resource is called.
    fn reference(&self, name: &str, at: Location, depth: usize) -> Result<Option<Node>, Reason> {
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
    pub(super) fn table_name(&self, id: &str, depth: usize) -> Result<String, Reason> {
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

    fn attribute(&self, argument: &Node, at: Location, depth: usize) -> Result<String, Reason> {
        let parts = argument.as_list().unwrap_or_default();
        let [resource, attribute] = parts else {
            return Err(Reason::invalid(at, "GetAtt names a resource and an attribute"));
        };
        let resource = self.word("GetAtt", resource)?;
        let attribute = self.text("GetAtt", attribute, depth)?;
        self.attribute_of(&resource, &attribute, at, depth)
    }

    fn attribute_of(
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

    /// `Sub`: `${Name}`, `${Name.Attribute}`, `${!literally}`, and a map of more names.
    fn substitute(&self, argument: &Node, depth: usize) -> Result<String, Reason> {
        let (pattern, more) = match argument.as_list() {
            Some([pattern, more]) if more.as_map().is_some() => (pattern, more.as_map()),
            Some(_) => {
                let message = "Sub takes a string, or a list of a string and a map";
                return Err(Reason::invalid(argument.at, message));
            }
            None => (argument, None),
        };
        let at = pattern.at;
        let text = self.word("Sub", pattern)?;
        let mut rest = text.as_str();
        let mut result = String::new();
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}') else {
                return Err(Reason::invalid(at, "`${` without `}`"));
            };
            result.push_str(before);
            rest = after;
            let name = name.trim();
            if let Some(literal) = name.strip_prefix('!') {
                result.push_str(&format!("${{{literal}}}"));
            } else if let Some(entry) = more.into_iter().flatten().find(|e| e.key == name) {
                result.push_str(&self.text("Sub", &entry.value, depth)?);
            } else if let Some((resource, attribute)) = name.split_once('.') {
                result.push_str(&self.attribute_of(resource, attribute, at, depth)?);
            } else if let Some(node) = self.reference(name, at, depth)? {
                let message = || format!("`{name}` is {}, not text", node.kind());
                result.push_str(&node.scalar().ok_or_else(|| Reason::invalid(at, message()))?);
            }
        }
        result.push_str(rest);
        Ok(result)
    }

    fn join(&self, argument: &Node, at: Location, depth: usize) -> Result<String, Reason> {
        let Some([separator, list]) = argument.as_list() else {
            return Err(Reason::invalid(at, "Join takes a separator and a list"));
        };
        let separator = self.text("Join", separator, depth)?;
        let parts = self.list("Join", list, depth)?;
        let texts: Result<Vec<String>, Reason> =
            parts.iter().map(|part| self.text("Join", part, depth)).collect();
        Ok(texts?.join(&separator))
    }

    fn select(&self, argument: &Node, at: Location, depth: usize) -> Result<Node, Reason> {
        let Some([index, list]) = argument.as_list() else {
            return Err(Reason::invalid(at, "Select takes an index and a list"));
        };
        let index = self.text("Select", index, depth)?;
        let list = self.list("Select", list, depth)?;
        let picked = index.parse::<usize>().ok().and_then(|index| list.get(index).cloned());
        picked.ok_or_else(|| {
            Reason::invalid(at, format!("Select: no item {index} in a list of {}", list.len()))
        })
    }

    fn split(&self, argument: &Node, at: Location, depth: usize) -> Result<Node, Reason> {
        let Some([separator, text]) = argument.as_list() else {
            return Err(Reason::invalid(at, "Split takes a separator and a string"));
        };
        let separator = self.text("Split", separator, depth)?;
        let text = self.text("Split", text, depth)?;
        let parts = text.split(separator.as_str()).map(|part| Node::string(part, at)).collect();
        Ok(Node::new(Yaml::List(parts), at))
    }

    fn find_in_map(
        &self,
        argument: &Node,
        at: Location,
        depth: usize,
    ) -> Result<Option<Node>, Reason> {
        let Some([map, first, second]) = argument.as_list() else {
            return Err(Reason::invalid(at, "FindInMap takes a map, a key and a second key"));
        };
        let mut place = self.root.get("Mappings");
        let mut path = String::from("Mappings");
        for part in [map, first, second] {
            let key = self.text("FindInMap", part, depth)?;
            place = place.and_then(|node| node.get(&key));
            path = format!("{path}.{key}");
            if place.is_none() {
                return Err(Reason::invalid(part.at, format!("there is no {path}")));
            }
        }
        place.map_or(Ok(None), |node| self.at_depth(node, depth))
    }

    fn choose(&self, argument: &Node, at: Location, depth: usize) -> Result<Option<Node>, Reason> {
        let Some([condition, yes, no]) = argument.as_list() else {
            return Err(Reason::invalid(at, "If takes a condition and two values"));
        };
        let holds = self.condition(condition, depth)?;
        self.at_depth(if holds { yes } else { no }, depth)
    }

    /// A condition: its name, or a function that is one.
    fn condition(&self, node: &Node, depth: usize) -> Result<bool, Reason> {
        if depth > MAX_DEPTH {
            return Err(Reason::invalid(node.at, "this condition refers to itself"));
        }
        let depth = depth + 1;
        let (function, argument) = match &node.value {
            Yaml::String(name) => return self.named_condition(name, node.at, depth),
            Yaml::Call(function, argument) => (function.as_str(), argument.as_ref()),
            _ => {
                let message = format!("a condition is a name or a function, not {}", node.kind());
                return Err(Reason::invalid(node.at, message));
            }
        };
        let parts = argument.as_list().unwrap_or(std::slice::from_ref(argument));
        match (function, parts) {
            ("Condition", [name]) => self.condition(name, depth),
            ("Not", [part]) => Ok(!self.condition(part, depth)?),
            ("And", parts) => {
                parts.iter().try_fold(true, |all, part| Ok(self.condition(part, depth)? && all))
            }
            ("Or", parts) => {
                parts.iter().try_fold(false, |any, part| Ok(self.condition(part, depth)? || any))
            }
            ("Equals", [left, right]) => {
                Ok(self.text("Equals", left, depth)? == self.text("Equals", right, depth)?)
            }
            (function, _) => {
                Err(Reason::invalid(node.at, format!("`{function}` is not a condition")))
            }
        }
    }

    fn named_condition(&self, name: &str, at: Location, depth: usize) -> Result<bool, Reason> {
        let conditions = section(self.root, "Conditions")?;
        match conditions.iter().find(|entry| entry.key == name) {
            Some(entry) => self.condition(&entry.value, depth),
            None => {
                let hint = hint(name, conditions.iter().map(|entry| entry.key.as_str()));
                Err(Reason::invalid(at, format!("there is no condition `{name}`{hint}")))
            }
        }
    }

    /// A list, when resolved.
    fn list(&self, function: &str, node: &Node, depth: usize) -> Result<Vec<Node>, Reason> {
        match self.at_depth(node, depth)? {
            Some(Node { value: Yaml::List(list), .. }) => Ok(list),
            other => {
                let kind = other.as_ref().map_or("nothing", Node::kind);
                Err(Reason::invalid(node.at, format!("{function} needs a list, not {kind}")))
            }
        }
    }

    /// Text, when resolved.
    fn text(&self, function: &str, node: &Node, depth: usize) -> Result<String, Reason> {
        let resolved = self.at_depth(node, depth)?;
        resolved.as_ref().and_then(Node::scalar).ok_or_else(|| {
            let kind = resolved.as_ref().map_or("nothing", Node::kind);
            Reason::invalid(node.at, format!("{function} needs text, not {kind}"))
        })
    }

    /// Text that stands there as it is: names are never computed.
    fn word(&self, function: &str, node: &Node) -> Result<String, Reason> {
        node.scalar().ok_or_else(|| {
            Reason::invalid(node.at, format!("{function} needs a string, not {}", node.kind()))
        })
    }

    fn unknown(&self, name: &str, at: Location) -> Reason {
        let known = self.parameters.keys().chain(self.types.keys()).copied();
        let hint = hint(name, known);
        Reason::invalid(at, format!("there is no parameter or resource `{name}`{hint}"))
    }
}

/// A map at the top of the template; empty when it is left out.
fn section<'a>(root: &'a Node, name: &str) -> Result<&'a [Entry], Reason> {
    let Some(node) = root.get(name) else { return Ok(&[]) };
    node.as_map()
        .ok_or_else(|| Reason::invalid(node.at, format!("{name} is a map, not {}", node.kind())))
}

fn parameter(kind: &str, value: String, at: Location) -> Yaml {
    if kind == "CommaDelimitedList" || kind.starts_with("List<") {
        let parts = value.split(',').map(|part| Node::string(part.trim(), at));
        return Yaml::List(parts.collect());
    }
    Yaml::String(value)
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

fn call_again(function: &str, argument: &Node, at: Location) -> Node {
    Node::new(Yaml::Call(function.into(), Box::new(argument.clone())), at)
}
