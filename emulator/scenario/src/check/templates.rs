//! Whether every template can be filled in.

use std::collections::BTreeSet;

use minijinja::{Environment, ErrorKind};

use super::{Check, names::unknown};
use crate::places::Node;

/// Filters, to suggest: whether one exists, the template's own environment says.
const FILTERS: &[&str] = &[
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
    "urlencode",
    "zip",
];

impl Check<'_> {
    /// Every template of the text: whether it can be read, and whether its names exist. `known` are
    /// names besides those that every text has and those that this one saves.
    pub(crate) fn templates(&mut self, mut known: BTreeSet<String>) {
        let Self { source, tree, errors } = self;
        known.insert("shop".into());
        if repeats(tree) {
            known.insert("sender".into());
        }
        known.insert("env".into());
        known.extend(saved(tree));
        let environment = Environment::new();
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
            for word in filters(text).filter(|word| !has_filter(&environment, word)) {
                let known = FILTERS.iter().filter(|word| has_filter(&environment, word));
                errors.push(source.error(at, unknown("filter", word, known)));
            }
            for name in template.undeclared_variables(false) {
                if name != "day" && !known.contains(&name) {
                    errors.push(source.error(at, unknown("name", &name, known.iter())));
                }
            }
        });
    }
}

/// The filters in the templates of a text: the words behind a `|`, outside of texts in quotes.
fn filters(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split("{{").flat_map(|part| part.split("{%")).skip(1);
    let code = parts.map(|part| part.split("}}").next().unwrap_or(part));
    let code = code.map(|part| part.split("%}").next().unwrap_or(part));
    // Every other piece between quotes is a text. Both kinds of quotes, one within the other, are rare.
    let unquoted = code.flat_map(|part| part.split(['\'', '"']).step_by(2));
    let behind = unquoted.flat_map(|part| part.split('|').skip(1));
    behind.filter_map(|part| {
        let part = part.trim_start();
        let end = part.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let word = &part[..end.unwrap_or(part.len())];
        (!word.is_empty()).then_some(word)
    })
}

/// Whether templates have this filter. The library lists none, so one is tried.
fn has_filter(environment: &Environment<'_>, word: &str) -> bool {
    let tried = environment.render_str(&format!("{{{{ 1|{word} }}}}"), ());
    tried.map_or_else(|error| error.kind() != ErrorKind::UnknownFilter, |_| true)
}

/// Whether some step is repeated, so that its text may name its sender.
fn repeats(tree: &Node) -> bool {
    let mut found = false;
    tree.keys(&mut |key, _, _| found |= key == "repeat");
    found
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_the_words_behind_a_bar() {
        let of = |text| filters(text).collect::<Vec<_>>();
        assert_eq!(
            of("{{ a | upper }} | b {{ c|default('x|y')|trim }}"),
            ["upper", "default", "trim"]
        );
        assert_eq!(of("{% if a|length > 1 %}x{% endif %}"), ["length"]);
        assert_eq!(of("a | b"), [""; 0]);
    }

    #[test]
    fn most_filters_that_are_suggested_exist() {
        let environment = Environment::new();
        let there = FILTERS.iter().filter(|word| has_filter(&environment, word)).count();
        assert!(there > 20, "{there}");
        assert!(!has_filter(&environment, "uppr"));
    }
}
