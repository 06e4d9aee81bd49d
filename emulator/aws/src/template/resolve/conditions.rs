//! Whether conditions hold.

use crate::template::intrinsic::kind_of;
use rehearse_core::yaml::Location;
use rehearse_core::yaml::tree::{Node, Value};

use super::{MAX_DEPTH, Resolver, TemplateError, section};
use rehearse_core::names::hint;

impl Resolver<'_> {
    /// Whether a condition holds: the name of one, or a function that is one.
    pub(super) fn condition(&self, node: &Node, depth: usize) -> Result<bool, TemplateError> {
        if depth > MAX_DEPTH {
            return Err(TemplateError::invalid(node.at, "this condition refers to itself"));
        }
        let depth = depth + 1;
        let (function, argument) = match &node.value {
            Value::String(name) => return self.named_condition(name, node.at, depth),
            Value::Tagged(function, argument) => (function.as_str(), argument.as_ref()),
            _ => {
                let message = format!("a condition is a name or a function, not {}", kind_of(node));
                return Err(TemplateError::invalid(node.at, message));
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
                Err(TemplateError::invalid(node.at, format!("`{function}` is not a condition")))
            }
        }
    }

    fn named_condition(
        &self,
        name: &str,
        at: Location,
        depth: usize,
    ) -> Result<bool, TemplateError> {
        let conditions = section(self.root, "Conditions")?;
        match conditions.iter().find(|entry| entry.key == name) {
            Some(entry) => self.condition(&entry.value, depth),
            None => {
                let hint = hint(name, conditions.iter().map(|entry| entry.key.as_str()));
                Err(TemplateError::invalid(at, format!("there is no condition `{name}`{hint}")))
            }
        }
    }
}
