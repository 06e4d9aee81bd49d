//! Applies the table to a request.

use serde_json::{Map, Value};

use super::{
    efforts::{EFFORTS, VERBOSITIES, Values},
    families::{self, Family},
    table::{RULES, Refusal, Rule, When},
};
use crate::{
    error::{ApiError, listed},
    respond::Endpoint,
};

/// Checks what the request's model takes. A model of no known family takes everything.
///
/// # Errors
/// The first rule that refuses the request, in the provider's words.
pub(crate) fn check(
    request: &Map<String, Value>,
    endpoint: Endpoint,
    model: &str,
) -> Result<(), ApiError> {
    let Some(family) = families::of(model) else { return Ok(()) };
    let request = Request { request, endpoint, model, family };
    let mut rules = RULES.iter().filter(|rule| rule.endpoint == endpoint);
    if let Some(rule) = rules.find(|rule| request.is_refused_by(rule)) {
        return Err(request.refusal(rule));
    }
    let (effort, verbosity) = match endpoint {
        Endpoint::Responses => ("reasoning.effort", "text.verbosity"),
        Endpoint::Chat => ("reasoning_effort", "verbosity"),
    };
    request.check_values(effort, EFFORTS)?;
    request.check_values(verbosity, VERBOSITIES)
}

/// A request with what the rules look at.
struct Request<'r> {
    request: &'r Map<String, Value>,
    endpoint: Endpoint,
    model: &'r str,
    family: &'static Family,
}

impl Request<'_> {
    /// The value at a path, `reasoning.effort`; null is the same as no value.
    fn get(&self, path: &str) -> Option<&Value> {
        let mut names = path.split('.');
        let mut value = self.request.get(names.next()?)?;
        for name in names {
            value = value.get(name)?;
        }
        (!value.is_null()).then_some(value)
    }

    fn effort(&self) -> Option<&str> {
        let path = match self.endpoint {
            Endpoint::Responses => "reasoning.effort",
            Endpoint::Chat => "reasoning_effort",
        };
        self.get(path).and_then(Value::as_str)
    }

    /// Whether the model reasons for this request. False if that is not known.
    fn reasons(&self) -> bool {
        self.effort().or(self.family.default_effort).is_some_and(|effort| effort != "none")
    }

    fn is_refused_by(&self, rule: &Rule) -> bool {
        if !rule.families.contains(&self.family.prefix) || (rule.while_reasoning && !self.reasons())
        {
            return false;
        }
        match rule.when {
            When::Given(path) => self.get(path).is_some(),
            When::NumberOtherThan(path, default) => self
                .get(path)
                .and_then(Value::as_f64)
                .is_some_and(|value| (value - default).abs() > f64::EPSILON),
            When::Is(path, text) => self.get(path).and_then(Value::as_str) == Some(text),
            When::Flag(path) => self.get(path) == Some(&Value::Bool(true)),
            When::Includes(name) => {
                let entries = self.get("include").and_then(Value::as_array);
                entries.is_some_and(|entries| entries.iter().any(|entry| entry == name))
            }
            When::Tools => {
                let tools = self.get("tools").and_then(Value::as_array);
                let offered = tools.is_some_and(|tools| !tools.is_empty());
                // A model that always reasons does not take `none` either.
                let never = EFFORTS.iter().any(|values| {
                    values.families.contains(&self.family.prefix) && !values.chat.contains(&"none")
                });
                offered
                    && (self.effort() != Some("none") || never || self.family.prefix == "gpt-6.1")
            }
        }
    }

    fn refusal(&self, rule: &Rule) -> ApiError {
        let path = match rule.when {
            When::Given(path)
            | When::NumberOtherThan(path, _)
            | When::Is(path, _)
            | When::Flag(path) => path,
            When::Includes(_) => "include",
            When::Tools => "tools",
        };
        match rule.refusal {
            Refusal::Parameter { code } => {
                let message =
                    format!("Unsupported parameter: '{path}' is not supported with this model.");
                ApiError { code: code.map(Into::into), ..ApiError::invalid(message).param(path) }
            }
            Refusal::OnlyDefault => {
                let value = self.get(path).map(ToString::to_string).unwrap_or_default();
                ApiError::invalid(format!(
                    "Unsupported value: '{path}' does not support {value} with this model. Only the default (1) value is supported."
                ))
                .param(path)
                .code("unsupported_value")
            }
            Refusal::Words { status, message, param, code } => ApiError {
                param: param.map(Into::into),
                code: code.map(Into::into),
                ..ApiError::invalid(message.replace("{model}", self.model)).status(status)
            },
        }
    }

    /// Checks the value of a parameter against the values that the family takes.
    fn check_values(&self, path: &str, table: &[Values]) -> Result<(), ApiError> {
        let Some(value) = self.get(path).and_then(Value::as_str) else { return Ok(()) };
        let row = table.iter().find(|row| row.families.contains(&self.family.prefix));
        let supported = row.map_or(&[][..], |row| match self.endpoint {
            Endpoint::Responses => row.responses,
            Endpoint::Chat => row.chat,
        });
        if supported.is_empty() || supported.contains(&value) {
            return Ok(());
        }
        let supported = listed(supported);
        // The endpoints say the same in different words.
        let what = match self.endpoint {
            Endpoint::Responses => {
                format!("'{value}' is not supported with the '{}' model", self.model)
            }
            Endpoint::Chat => format!("'{path}' does not support '{value}' with this model"),
        };
        Err(ApiError::invalid(format!(
            "Unsupported value: {what}. Supported values are: {supported}."
        ))
        .param(path)
        .code("unsupported_value"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::families::FAMILIES;

    #[test]
    fn every_row_names_known_families_and_its_source() {
        let mut rows: Vec<(&[&str], &str)> = Vec::new();
        rows.extend(RULES.iter().map(|rule| (rule.families, rule.source)));
        rows.extend(EFFORTS.iter().map(|values| (values.families, values.source)));
        rows.extend(VERBOSITIES.iter().map(|values| (values.families, values.source)));
        for (families, source) in rows {
            assert!(!source.is_empty(), "{families:?}");
            for family in families {
                assert!(FAMILIES.iter().any(|known| known.prefix == *family), "{family}");
            }
        }
    }
}
