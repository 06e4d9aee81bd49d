//! Whether every template can be filled in.

use std::collections::BTreeSet;

use super::{Check, names::unknown};
use crate::places::Node;

impl Check<'_> {
    /// Every template of the text: whether it can be read, and whether its names exist. `known` are
    /// names besides those that every text has and those that this one saves.
    pub(crate) fn templates(&mut self, mut known: BTreeSet<String>) {
        let Self { source, tree, errors } = self;
        known.insert("shop".into());
        known.insert("env".into());
        known.extend(saved(tree));
        let environment = minijinja::Environment::new();
        tree.texts(&mut |text, at| {
            if !text.contains("{{") && !text.contains("{%") {
                return;
            }
            let template = match environment.template_from_str(text) {
                Ok(template) => template,
                Err(error) => {
                    let why = error.detail().unwrap_or("it cannot be read");
                    errors.push(source.error(at, format!("a malformed template: {why}")));
                    return;
                }
            };
            for name in template.undeclared_variables(false) {
                if name != "day" && !known.contains(&name) {
                    errors.push(source.error(at, unknown("name", &name, known.iter())));
                }
            }
        });
    }
}

/// The names that the rounds of a text save.
fn saved(tree: &Node) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    tree.keys(&mut |key, _, node| {
        if key == "save" {
            names.extend(node.own_keys().map(str::to_owned));
        }
    });
    names
}
