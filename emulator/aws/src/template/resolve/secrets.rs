//! Values of Parameter Store and Secrets Manager, which `[secrets]` of rehearse.toml has:
//! `AWS::SSM::Parameter::Value<...>` and `{{resolve:...}}`.

use rehearse_core::yaml::Location;

use super::{Resolver, TemplateError};

impl Resolver<'_> {
    /// The text with each `{{resolve:...}}` replaced by its value.
    pub(super) fn with_secrets(&self, text: &str, at: Location) -> Result<String, TemplateError> {
        const BEGINNING: &str = "{{resolve:";
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(BEGINNING) {
            // A part of a text that is joined with more elsewhere.
            let Some((reference, after)) = after.split_once("}}") else { break };
            filled.push_str(before);
            filled.push_str(&self.dynamic(reference, at)?);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// The value of a parameter or a secret that is kept under this name.
    pub(super) fn secret(&self, name: &str, at: Location) -> Result<String, TemplateError> {
        self.given.secrets.get(name).cloned().ok_or_else(|| {
            let message = format!(
                "`{name}` is kept on AWS; rehearse.toml gives it a value by the line `\"{name}\" = \"...\"` under [secrets]"
            );
            TemplateError::only_on_aws(at, message)
        })
    }

    /// `ssm:NAME:VERSION`, `ssm-secure:NAME:VERSION`, `secretsmanager:NAME:SecretString:KEY:STAGE:VERSION`.
    fn dynamic(&self, reference: &str, at: Location) -> Result<String, TemplateError> {
        let (service, rest) = reference.split_once(':').unwrap_or((reference, ""));
        match service {
            "ssm" | "ssm-secure" => {
                let name = match rest.rsplit_once(':') {
                    Some((name, version)) if version.bytes().all(|b| b.is_ascii_digit()) => name,
                    _ => rest,
                };
                self.secret(name, at)
            }
            "secretsmanager" => {
                let (name, more) = secret_name(rest);
                let value = self.secret(&self.known_name(name), at)?;
                match more.split(':').nth(1).filter(|key| !key.is_empty()) {
                    None => Ok(value),
                    Some(key) => member(&value, name, key, at),
                }
            }
            other => {
                let message = format!(
                    "`{{{{resolve:{other}:...}}}}` is ssm, ssm-secure or secretsmanager, not {other}"
                );
                Err(TemplateError::invalid(at, message))
            }
        }
    }

    /// The name by which `[secrets]` has a secret: an ARN ends with a hyphen and six characters.
    fn known_name<'n>(&self, name: &'n str) -> std::borrow::Cow<'n, str> {
        if self.given.secrets.contains_key(name) {
            return name.into();
        }
        let Some(last) = name.strip_prefix("arn:").and_then(|arn| arn.rsplit(':').next()) else {
            return name.into();
        };
        match last.rsplit_once('-') {
            Some((short, six)) if six.len() == 6 => short.into(),
            _ => last.into(),
        }
    }
}

/// The name or ARN of a secret, and what follows it.
fn secret_name(text: &str) -> (&str, &str) {
    let colons = if text.starts_with("arn:") { 6 } else { 0 };
    match text.match_indices(':').nth(colons) {
        Some((at, _)) => (&text[..at], &text[at + 1..]),
        None => (text, ""),
    }
}

/// A value of a secret that is JSON.
fn member(value: &str, name: &str, key: &str, at: Location) -> Result<String, TemplateError> {
    let json: Option<serde_json::Value> = serde_json::from_str(value).ok();
    let found = json.as_ref().and_then(|json| json.get(key)).map(|found| match found.as_str() {
        Some(text) => text.to_owned(),
        None => found.to_string(),
    });
    found.ok_or_else(|| {
        let message = format!(
            "`{name}` under [secrets] of rehearse.toml has no `{key}`: it is JSON, such as '{{\"{key}\": \"...\"}}'"
        );
        TemplateError::only_on_aws(at, message)
    })
}
