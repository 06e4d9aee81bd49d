//! Reads variables and collects everything that is wrong with them.

use std::fmt;

use super::Vars;

/// Everything that is wrong with the configuration.
#[derive(Debug, Default, thiserror::Error)]
pub struct ConfigError {
    /// Required variables that are not set, or empty.
    pub missing: Vec<&'static str>,
    /// Variables whose value cannot be used.
    pub invalid: Vec<InvalidVariable>,
}

/// A variable with an unusable value. The value itself is left out, because it may be a secret.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidVariable {
    /// The variable's name.
    pub name: &'static str,
    /// What its value must be.
    pub expected: &'static str,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is unusable")?;
        if !self.missing.is_empty() {
            write!(f, "; missing: {}", self.missing.join(", "))?;
        }
        for (index, InvalidVariable { name, expected }) in self.invalid.iter().enumerate() {
            let separator = if index == 0 { "; invalid: " } else { ", " };
            write!(f, "{separator}{name} (must be {expected})")?;
        }
        Ok(())
    }
}

/// Parses a value, or returns what it must be.
type Parse<T> = fn(&str) -> Result<T, &'static str>;

pub(super) struct VarReader<'a> {
    vars: &'a Vars,
    problems: ConfigError,
}

impl<'a> VarReader<'a> {
    pub(super) fn new(vars: &'a Vars) -> Self {
        Self { vars, problems: ConfigError::default() }
    }

    /// The value of a variable. An empty one counts as not set, because a SAM template cannot leave
    /// a variable out.
    fn get(&self, name: &str) -> Option<&'a str> {
        let value = self.vars.get(name)?.trim();
        (!value.is_empty()).then_some(value)
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(super) fn required<T>(&mut self, name: &'static str, parse: Parse<T>) -> Option<T> {
        if !self.is_set(name) {
            self.missing(name);
        }
        self.optional(name, parse)
    }

    /// Records that a variable is not set; once, however many settings need it.
    pub(super) fn missing(&mut self, name: &'static str) {
        if !self.problems.missing.contains(&name) {
            self.problems.missing.push(name);
        }
    }

    /// Records that a variable's value is unusable.
    pub(super) fn invalid(&mut self, name: &'static str, expected: &'static str) {
        self.problems.invalid.push(InvalidVariable { name, expected });
    }

    pub(super) fn optional<T>(&mut self, name: &'static str, parse: Parse<T>) -> Option<T> {
        let value = self.get(name)?;
        self.parse(name, value, parse)
    }

    pub(super) fn with_default<T>(
        &mut self,
        name: &'static str,
        default: &str,
        parse: Parse<T>,
    ) -> Option<T> {
        let value = self.get(name).unwrap_or(default);
        self.parse(name, value, parse)
    }

    fn parse<T>(&mut self, name: &'static str, value: &str, parse: Parse<T>) -> Option<T> {
        match parse(value) {
            Ok(value) => Some(value),
            Err(expected) => {
                self.invalid(name, expected);
                None
            }
        }
    }

    /// The configuration, if nothing was wrong.
    ///
    /// # Errors
    /// All missing and invalid variables.
    pub(super) fn finish<T>(self, config: Option<T>) -> Result<T, ConfigError> {
        match config {
            Some(config)
                if self.problems.missing.is_empty() && self.problems.invalid.is_empty() =>
            {
                Ok(config)
            }
            _ => Err(self.problems),
        }
    }
}
