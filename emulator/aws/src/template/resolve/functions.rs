//! The intrinsic functions that compute a value.

use crate::template::intrinsic::kind_of;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rehearse_core::yaml::Location;
use rehearse_core::yaml::tree::{Node, Value};

use super::{Resolver, TemplateError, Unknowns, names, network};
use rehearse_core::names::hint;

impl Resolver<'_> {
    pub(super) fn call(
        &self,
        function: &str,
        argument: &Node,
        at: Location,
        depth: usize,
    ) -> Result<Option<Node>, TemplateError> {
        let text = match function {
            "Ref" => return self.reference(&self.word(function, argument)?, at, depth),
            "If" => return self.choose(argument, at, depth),
            "GetAtt" => self.attribute(argument, at, depth)?,
            "Sub" => self.substitute(argument, depth)?,
            "Join" => self.join(argument, at, depth)?,
            "Base64" => STANDARD.encode(self.text(function, argument, depth)?),
            "Select" => return self.select(argument, at, depth).map(Some),
            "Split" => return self.split(argument, at, depth).map(Some),
            "FindInMap" => return self.find_in_map(argument, at, depth),
            "Equals" | "And" | "Or" | "Not" | "Condition" => {
                let holds = self.condition(&call_again(function, argument, at), depth)?;
                return Ok(Some(Node::new(Value::Bool(holds), at)));
            }
            "GetAZs" => return self.zones(argument, at, depth).map(Some),
            "Cidr" => return self.blocks(argument, at, depth).map(Some),
            "Length" => self.list(function, argument, depth)?.len().to_string(),
            "ToJsonString" => {
                let value = self.at_depth(argument, depth)?;
                value.as_ref().map_or(serde_json::Value::Null, json).to_string()
            }
            "ImportValue" => {
                let name = self.text(function, argument, depth)?;
                let message = format!("the value of `{function}` is known only on AWS");
                self.placeholder(TemplateError::only_on_aws(at, message), name)?
            }
            "Transform" => {
                let message = format!("the value of `{function}` is known only on AWS");
                self.placeholder(TemplateError::only_on_aws(at, message), function.into())?
            }
            unknown => {
                let known = [
                    "Ref",
                    "If",
                    "GetAtt",
                    "Sub",
                    "Join",
                    "Base64",
                    "Select",
                    "Split",
                    "FindInMap",
                    "GetAZs",
                    "Cidr",
                    "Length",
                    "ToJsonString",
                    "ImportValue",
                    "Transform",
                    "Equals",
                    "And",
                    "Or",
                    "Not",
                    "Condition",
                ];
                let message =
                    format!("the function `{unknown}` is not emulated{}", hint(unknown, known));
                return Err(TemplateError::invalid(at, message));
            }
        };
        Ok(Some(Node::string(text, at)))
    }

    /// `Sub`: `${Name}`, `${Name.Attribute}`, `${!literally}`, and a map of more names.
    fn substitute(&self, argument: &Node, depth: usize) -> Result<String, TemplateError> {
        let (pattern, more) = match argument.as_list() {
            Some([pattern, more]) if more.as_map().is_some() => (pattern, more.as_map()),
            Some(_) => {
                let message = "Sub takes a string, or a list of a string and a map";
                return Err(TemplateError::invalid(argument.at, message));
            }
            None => (argument, None),
        };
        let at = pattern.at;
        let text = self.word("Sub", pattern)?;
        let mut rest = text.as_str();
        let mut result = String::new();
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}') else {
                return Err(TemplateError::invalid(at, "`${` without `}`"));
            };
            result.push_str(before);
            rest = after;
            let name = name.trim();
            if let Some(literal) = name.strip_prefix('!') {
                result.push_str(&format!("${{{literal}}}"));
            } else if let Some(entry) = more.into_iter().flatten().find(|e| e.key == name) {
                result.push_str(&self.text("Sub", &entry.value, depth)?);
            } else if let Some((resource, attribute)) = name.split_once('.')
                && self.generated(name).is_none()
            {
                result.push_str(&self.attribute_of(resource, attribute, at, depth)?);
            } else if let Some(node) = self.reference(name, at, depth)? {
                let message = || format!("`{name}` is {}, not text", kind_of(&node));
                result
                    .push_str(&node.scalar().ok_or_else(|| TemplateError::invalid(at, message()))?);
            }
        }
        result.push_str(rest);
        Ok(result)
    }

    fn join(&self, argument: &Node, at: Location, depth: usize) -> Result<String, TemplateError> {
        let Some([separator, list]) = argument.as_list() else {
            return Err(TemplateError::invalid(at, "Join takes a separator and a list"));
        };
        let separator = self.text("Join", separator, depth)?;
        let parts = self.list("Join", list, depth)?;
        let texts: Result<Vec<String>, TemplateError> =
            parts.iter().map(|part| self.text("Join", part, depth)).collect();
        Ok(texts?.join(&separator))
    }

    fn select(&self, argument: &Node, at: Location, depth: usize) -> Result<Node, TemplateError> {
        let Some([index, list]) = argument.as_list() else {
            return Err(TemplateError::invalid(at, "Select takes an index and a list"));
        };
        let index = self.text("Select", index, depth)?;
        let before = self.made_up.get();
        let list = self.list("Select", list, depth)?;
        let place = index.parse::<usize>().ok();
        if let Some(item) = place.and_then(|place| list.get(place)) {
            return Ok(item.clone());
        }
        // What is made up has fewer parts than the real value may have.
        if place.is_some() && self.made_up.get() > before {
            let message = format!("item {index} of a value that is known only on AWS");
            let value = format!("item-{index}");
            let value = self.placeholder(TemplateError::only_on_aws(at, message), value)?;
            return Ok(Node::string(value, at));
        }
        let message = format!("Select: no item {index} in a list of {}", list.len());
        Err(TemplateError::invalid(at, message))
    }

    fn split(&self, argument: &Node, at: Location, depth: usize) -> Result<Node, TemplateError> {
        let Some([separator, text]) = argument.as_list() else {
            return Err(TemplateError::invalid(at, "Split takes a separator and a string"));
        };
        let separator = self.text("Split", separator, depth)?;
        let text = self.text("Split", text, depth)?;
        let parts = text.split(separator.as_str()).map(|part| Node::string(part, at)).collect();
        Ok(Node::new(Value::List(parts), at))
    }

    fn find_in_map(
        &self,
        argument: &Node,
        at: Location,
        depth: usize,
    ) -> Result<Option<Node>, TemplateError> {
        let (map, first, second, more) = match argument.as_list() {
            Some([map, first, second]) => (map, first, second, None),
            Some([map, first, second, more]) => (map, first, second, more.get("DefaultValue")),
            _ => {
                let message = "FindInMap takes a map, a key and a second key";
                return Err(TemplateError::invalid(at, message));
            }
        };
        let mut place = self.root.get("Mappings");
        let mut path = String::from("Mappings");
        for part in [map, first, second] {
            let key = self.text("FindInMap", part, depth)?;
            place = place.and_then(|node| node.get(&key));
            path = format!("{path}.{key}");
            if place.is_none() {
                if let Some(default) = more {
                    return self.at_depth(default, depth);
                }
                return Err(TemplateError::invalid(part.at, format!("there is no {path}")));
            }
        }
        place.map_or(Ok(None), |node| self.at_depth(node, depth))
    }

    /// The availability zones of a region.
    fn zones(&self, argument: &Node, at: Location, depth: usize) -> Result<Node, TemplateError> {
        let region = self.text("GetAZs", argument, depth)?;
        let region = if region.is_empty() { names::REGION } else { &region };
        let zones = ["a", "b", "c"].map(|zone| Node::string(format!("{region}{zone}"), at));
        Ok(Node::new(Value::List(zones.into()), at))
    }

    fn blocks(&self, argument: &Node, at: Location, depth: usize) -> Result<Node, TemplateError> {
        let (block, count, bits) = match argument.as_list() {
            Some([block, count]) => (block, count, None),
            Some([block, count, bits]) => (block, count, Some(bits)),
            _ => {
                let message = "Cidr takes a block, a number of blocks and of bits";
                return Err(TemplateError::invalid(at, message));
            }
        };
        let block = match self.with_unknowns(Unknowns::Refused, || self.text("Cidr", block, depth))
        {
            Err(error) if error.only_on_aws => self.placeholder(error, "10.0.0.0/16".to_owned())?,
            // What is no address stands for a network that only AWS knows.
            Ok(text) if !text.contains('/') => "10.0.0.0/16".to_owned(),
            known => known?,
        };
        let number = |node: &Node| {
            let text = self.text("Cidr", node, depth)?;
            let message = || format!("Cidr needs a number, not `{text}`");
            text.parse().map_err(|_| TemplateError::invalid(node.at, message()))
        };
        let bits = bits.map_or(Ok(8), number)?;
        let blocks = network::cidr(&block, number(count)?, bits);
        let blocks = blocks.map_err(|message| TemplateError::invalid(at, message))?;
        let blocks = blocks.into_iter().map(|block| Node::string(block, at)).collect();
        Ok(Node::new(Value::List(blocks), at))
    }

    fn choose(
        &self,
        argument: &Node,
        at: Location,
        depth: usize,
    ) -> Result<Option<Node>, TemplateError> {
        self.at_depth(self.branch(argument, at, depth)?, depth)
    }

    /// The branch of `If` that its condition chooses, unresolved.
    pub(super) fn branch<'n>(
        &self,
        argument: &'n Node,
        at: Location,
        depth: usize,
    ) -> Result<&'n Node, TemplateError> {
        let Some([condition, yes, no]) = argument.as_list() else {
            return Err(TemplateError::invalid(at, "If takes a condition and two values"));
        };
        Ok(if self.condition(condition, depth)? { yes } else { no })
    }
}

fn call_again(function: &str, argument: &Node, at: Location) -> Node {
    Node::new(Value::Tagged(function.into(), Box::new(argument.clone())), at)
}

/// A value as JSON.
fn json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(flag) => (*flag).into(),
        Value::Number(number) => number.clone().into(),
        Value::String(text) => text.as_str().into(),
        Value::List(list) => list.iter().map(json).collect(),
        Value::Map(map) => map.iter().map(|e| (e.key.clone(), json(&e.value))).collect(),
        Value::Tagged(_, argument) => json(argument),
    }
}
