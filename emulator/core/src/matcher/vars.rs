//! Variables of templates, and rendering templates with minijinja.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{ToSpan, tz::TimeZone};
use minijinja::{Environment, ErrorKind, UndefinedBehavior};
use serde_json::Value;

use crate::clock::Clock;

/// The variables of one scenario: people, saved values, an `each` entry. Clones share them.
#[derive(Debug, Clone)]
pub struct Vars {
    values: Arc<Mutex<BTreeMap<String, Value>>>,
    clock: Clock,
    zone: TimeZone,
}

/// A template that cannot be rendered.
#[derive(Debug, thiserror::Error)]
#[error("cannot fill in '{template}': {reason}")]
pub struct RenderError {
    template: String,
    reason: String,
}

impl Vars {
    /// No variables yet. In templates, `day(n)` is the clock's date in `zone`, `n` days later.
    pub fn new(clock: Clock, zone: TimeZone) -> Self {
        Self { values: Arc::default(), clock, zone }
    }

    /// Sets a variable.
    pub fn set(&self, name: impl Into<String>, value: Value) {
        self.lock().insert(name.into(), value);
    }

    /// All variables with their values.
    pub fn all(&self) -> BTreeMap<String, Value> {
        self.lock().clone()
    }

    /// Removes a variable.
    pub fn remove(&self, name: &str) {
        self.lock().remove(name);
    }

    /// Renders every text of a value. A text that is one expression keeps the expression's type.
    ///
    /// # Errors
    /// When a template is malformed or uses a name that is not defined.
    pub fn render(&self, value: &Value) -> Result<Value, RenderError> {
        Ok(match value {
            Value::String(text) => self.render_text(text)?,
            Value::Array(list) => {
                Value::Array(list.iter().map(|v| self.render(v)).collect::<Result<_, _>>()?)
            }
            Value::Object(map) => Value::Object(
                map.iter()
                    .map(|(k, v)| Ok((k.clone(), self.render(v)?)))
                    .collect::<Result<_, RenderError>>()?,
            ),
            other => other.clone(),
        })
    }

    /// Renders a text.
    ///
    /// # Errors
    /// When the template is malformed or uses a name that is not defined.
    pub fn text(&self, text: &str) -> Result<String, RenderError> {
        if !is_template(text) {
            return Ok(text.into());
        }
        self.environment().render_str(text, self.context()).map_err(|e| self.explain(text, &e))
    }

    fn render_text(&self, text: &str) -> Result<Value, RenderError> {
        let whole = text
            .trim()
            .strip_prefix("{{")
            .and_then(|t| t.strip_suffix("}}"))
            .filter(|t| !t.contains("}}"));
        let Some(expression) = whole else { return self.text(text).map(Value::String) };
        let environment = self.environment();
        let value = environment
            .compile_expression(expression.trim())
            .and_then(|e| e.eval(self.context()))
            .map_err(|e| self.explain(text, &e))?;
        if value.is_undefined() {
            return Err(RenderError { template: text.into(), reason: self.undefined() });
        }
        serde_json::to_value(&value)
            .map_err(|e| RenderError { template: text.into(), reason: e.to_string() })
    }

    fn environment(&self) -> Environment<'static> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let (clock, zone) = (self.clock.clone(), self.zone.clone());
        environment.add_function("day", move |days: i64| -> Result<String, minijinja::Error> {
            let today = clock.now().to_zoned(zone.clone()).date();
            today.checked_add(days.days()).map(|d| d.to_string()).map_err(|_| {
                minijinja::Error::new(ErrorKind::InvalidOperation, "that day is out of range")
            })
        });
        environment
    }

    fn explain(&self, template: &str, error: &minijinja::Error) -> RenderError {
        let reason = if error.kind() == ErrorKind::UndefinedError {
            self.undefined()
        } else {
            error.detail().map_or_else(|| error.kind().to_string(), str::to_owned)
        };
        RenderError { template: template.into(), reason }
    }

    fn undefined(&self) -> String {
        let names: Vec<_> = self.lock().keys().cloned().collect();
        format!("it uses a name that is not defined (known here: {}, day(n))", names.join(", "))
    }

    fn context(&self) -> minijinja::Value {
        minijinja::Value::from(minijinja::value::Serde(&*self.lock()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Value>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a text has anything to render.
fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.contains("{#")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn vars() -> Vars {
        let clock = Clock::stopped("2026-02-11T03:10:00Z".parse().unwrap());
        let vars = Vars::new(clock, TimeZone::fixed(jiff::tz::offset(-5)));
        vars.set("ref", json!("LEAD-1"));
        vars.set("count", json!(3));
        vars
    }

    #[test]
    fn texts_are_filled_in_and_a_lone_expression_keeps_its_type() {
        let filled =
            vars().render(&json!(["{{ ref }}!", "{{ count }}", { "a": "{{ count + 1 }} left" }]));
        assert_eq!(filled.unwrap(), json!(["LEAD-1!", 3, {"a": "4 left"}]));
    }

    #[test]
    fn day_counts_from_the_local_date() {
        assert_eq!(vars().text("{{ day(0) }} {{ day(1) }}").unwrap(), "2026-02-10 2026-02-11");
        assert_eq!(vars().render(&json!("{{ day(-1) }}")).unwrap(), json!("2026-02-09"));
    }

    #[test]
    fn an_undefined_name_is_an_error_that_lists_the_known_ones() {
        for template in ["{{ reff }}", "Ref {{ reff }}"] {
            let error = vars().render(&json!(template)).unwrap_err().to_string();
            assert!(error.contains("not defined") && error.contains("ref"), "{error}");
        }
    }
}
