//! `Fn::ForEach` of `AWS::LanguageExtensions`: loops that are written out before anything else is read.

use rehearse_core::yaml::{
    Location,
    tree::{Entry, Node, Value},
};

use super::resolve::{Given, Resolver, TemplateError};

/// Most entries and rounds that a template's loops may make: AWS takes 500 resources.
const MOST_ENTRIES: usize = 10_000;
/// Most text that they may make: AWS takes a megabyte.
const MOST_BYTES: usize = 8 << 20;

/// Names of loops and their values, the innermost last.
type Scope = Vec<(String, String)>;

/// The template with its loops written out.
pub(super) fn unrolled(root: &Node, given: Given<'_>) -> Result<Node, TemplateError> {
    if !has_loop(root) {
        return Ok(root.clone());
    }
    // Collections of loops are made of parameters and mappings alone.
    let resolver = Resolver::of_parameters(root, given);
    let mut unroller = Unroller { resolver, entries: 0, bytes: 0 };
    unroller.node(root, &Vec::new())
}

fn has_loop(node: &Node) -> bool {
    match &node.value {
        Value::List(list) => list.iter().any(has_loop),
        Value::Map(map) => map.iter().any(|e| is_loop(&e.key) || has_loop(&e.value)),
        Value::Tagged(word, argument) => is_loop_word(word) || has_loop(argument),
        _ => false,
    }
}

fn is_loop(key: &str) -> bool {
    key.strip_prefix("Fn::").is_some_and(is_loop_word)
}

fn is_loop_word(word: &str) -> bool {
    word.starts_with("ForEach::")
}

struct Unroller<'a> {
    resolver: Resolver<'a>,
    entries: usize,
    bytes: usize,
}

impl Unroller<'_> {
    fn node(&mut self, node: &Node, scope: &Scope) -> Result<Node, TemplateError> {
        let value = match &node.value {
            Value::List(list) => {
                let list: Result<_, _> = list.iter().map(|item| self.node(item, scope)).collect();
                Value::List(list?)
            }
            Value::Map(map) => Value::Map(self.map(map, scope)?),
            // A map whose only entry is a loop looks like a function.
            Value::Tagged(word, argument) if is_loop_word(word) => {
                Value::Map(self.each(argument, node.at, scope)?)
            }
            Value::Tagged(word, argument) if word == "Ref" => {
                match argument.as_str().and_then(|name| value_of(name, scope)) {
                    Some(value) => Value::String(value.to_owned()),
                    None => Value::Tagged(word.clone(), Box::new(self.node(argument, scope)?)),
                }
            }
            Value::Tagged(word, argument) => {
                Value::Tagged(word.clone(), Box::new(self.node(argument, scope)?))
            }
            Value::String(text) => {
                let text = filled(text, scope);
                self.bytes += text.len();
                self.check(node.at)?;
                Value::String(text)
            }
            other => other.clone(),
        };
        Ok(Node::new(value, node.at))
    }

    fn map(&mut self, map: &[Entry], scope: &Scope) -> Result<Vec<Entry>, TemplateError> {
        let mut entries = Vec::with_capacity(map.len());
        for entry in map {
            if is_loop(&entry.key) {
                entries.extend(self.each(&entry.value, entry.at, scope)?);
                continue;
            }
            let key = filled(&entry.key, scope);
            self.bytes += key.len();
            self.count(entry.at)?;
            let value = self.node(&entry.value, scope)?;
            entries.push(Entry { key, at: entry.at, value });
        }
        Ok(entries)
    }

    /// The entries that a loop makes: `[Name, [values], { Key${Name}: ... }]`.
    fn each(
        &mut self,
        argument: &Node,
        at: Location,
        scope: &Scope,
    ) -> Result<Vec<Entry>, TemplateError> {
        let Some([name, values, body]) = argument.as_list() else {
            let message = "ForEach takes a name, a list of values and a map";
            return Err(TemplateError::invalid(at, message));
        };
        let name = name.scalar().unwrap_or_default();
        let values = self.node(values, scope)?;
        let values = self.resolver.resolve(&values)?;
        let Some(values) = values.as_ref().and_then(Node::as_list) else {
            return Err(TemplateError::invalid(at, "ForEach needs a list of values"));
        };
        let mut entries = Vec::new();
        for value in values {
            self.count(at)?;
            let mut inner = scope.clone();
            inner.push((name.clone(), value.scalar().unwrap_or_default()));
            let body = self.node(body, &inner)?;
            let Some(map) = body.as_map() else {
                return Err(TemplateError::invalid(at, "ForEach makes the entries of a map"));
            };
            entries.extend_from_slice(map);
        }
        Ok(entries)
    }

    fn count(&mut self, at: Location) -> Result<(), TemplateError> {
        self.entries += 1;
        self.check(at)
    }

    fn check(&self, at: Location) -> Result<(), TemplateError> {
        if self.entries <= MOST_ENTRIES && self.bytes <= MOST_BYTES {
            return Ok(());
        }
        let message = format!(
            "the template's loops make more than {MOST_ENTRIES} entries or {MOST_BYTES} bytes of text"
        );
        Err(TemplateError::invalid(at, message))
    }
}

fn value_of<'s>(name: &str, scope: &'s Scope) -> Option<&'s str> {
    scope.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// The text with `${Name}` and `&{Name}` of loops replaced; `&{Name}` leaves out what no logical id may have.
fn filled(text: &str, scope: &Scope) -> String {
    let mut filled = text.to_owned();
    for (name, value) in scope.iter().rev() {
        let plain: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
        filled = filled.replace(&format!("${{{name}}}"), value);
        filled = filled.replace(&format!("&{{{name}}}"), &plain);
    }
    filled
}
