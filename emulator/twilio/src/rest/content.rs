//! `ContentSid` and `ContentVariables`: the text of a content template.

use std::collections::BTreeMap;

use super::{error::ApiError, request::Params};
use crate::account::Account;

/// The text of the template that a message names; `None` when it names none.
///
/// # Errors
/// 21654, there are variables and no template; 21655, there is no such template; 21656, the variables are no JSON
/// object of texts, or one that the template needs is missing or empty.
pub(super) fn text(account: &Account, params: &Params) -> Result<Option<String>, ApiError> {
    let variables = params.get("ContentVariables");
    let Some(sid) = params.get("ContentSid") else {
        return if variables.is_some() { Err(ApiError::new(21654)) } else { Ok(None) };
    };
    let template = account.options.contents.get(sid).ok_or_else(|| ApiError::new(21655))?;
    let values: BTreeMap<String, String> = match variables {
        Some(json) => serde_json::from_str(json).map_err(|_| ApiError::new(21656))?,
        None => BTreeMap::new(),
    };
    if values.values().any(String::is_empty) {
        return Err(ApiError::new(21656));
    }
    filled(template, &values).map(Some).ok_or_else(|| ApiError::new(21656))
}

/// A template with a value for each `{{name}}`; `None` when one has no value.
fn filled(template: &str, values: &BTreeMap<String, String>) -> Option<String> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, name, after)) = rest
        .split_once("{{")
        .and_then(|(before, rest)| rest.split_once("}}").map(|(name, after)| (before, name, after)))
    {
        text.push_str(before);
        text.push_str(values.get(name.trim())?);
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_placeholder_needs_a_value() {
        let values = BTreeMap::from([("1".to_owned(), "Ann".to_owned())]);
        assert_eq!(filled("Hi {{1}}, {{ 1 }}!", &values).as_deref(), Some("Hi Ann, Ann!"));
        assert_eq!(filled("{1} }} {{", &values).as_deref(), Some("{1} }} {{"));
        assert_eq!(filled("Hi {{2}}", &values), None);
    }
}
