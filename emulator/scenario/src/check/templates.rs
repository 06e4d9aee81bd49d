//! Whether every template can be filled in.

use std::collections::BTreeSet;

use super::{Check, names::unknown};
use crate::model::File;

impl Check<'_> {
    /// Every template of the file: whether it can be read, and whether its names exist.
    pub(super) fn templates(&mut self, people: &BTreeSet<&str>) {
        let mut known: BTreeSet<String> = people.iter().map(ToString::to_string).collect();
        known.insert("shop".into());
        known.insert("env".into());
        known.extend(saved(self.file));
        let each = self.file.document.each.as_deref().unwrap_or_default();
        known.extend(each.iter().flat_map(|entry| entry.keys().cloned()));
        let environment = minijinja::Environment::new();
        let Self { file, errors } = self;
        file.tree.texts(&mut |text, at| {
            if !text.contains("{{") && !text.contains("{%") {
                return;
            }
            let template = match environment.template_from_str(text) {
                Ok(template) => template,
                Err(error) => {
                    let why = error.detail().unwrap_or("it cannot be read");
                    errors.push(file.source.error(at, format!("a malformed template: {why}")));
                    return;
                }
            };
            for name in template.undeclared_variables(false) {
                if name != "day" && !known.contains(&name) {
                    errors.push(file.source.error(at, unknown("name", &name, known.iter())));
                }
            }
        });
    }
}

/// The names that the steps of a file save.
fn saved(file: &File) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    file.tree.keys(&mut |key, _, node| {
        if key == "save" {
            names.extend(node.own_keys().map(str::to_owned));
        }
    });
    names
}
