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
/// Most values that they may make: the items of lists, numbers and empty texts are neither entries nor text.
const MOST_NODES: usize = 1_000_000;
const TRANSFORM: &str = "AWS::LanguageExtensions";

/// Names of loops and their values, the innermost last.
type Scope = Vec<(String, String)>;

/// The template with its loops written out.
pub(super) fn unrolled(root: &Node, given: Given<'_>) -> Result<Node, TemplateError> {
    let Some(at) = first_loop(root) else { return Ok(root.clone()) };
    if !is_transformed(root) {
        let message = format!("AWS takes Fn::ForEach only with `Transform: {TRANSFORM}`");
        return Err(TemplateError::invalid(at, message));
    }
    // Collections of loops are made of parameters and mappings alone.
    let resolver = Resolver::of_parameters(root, given);
    let mut unroller = Unroller { resolver, entries: 0, bytes: 0, nodes: 0 };
    unroller.node(root, &Vec::new())
}

/// Where the first loop is.
fn first_loop(node: &Node) -> Option<Location> {
    match &node.value {
        Value::List(list) => list.iter().find_map(first_loop),
        Value::Map(map) => {
            map.iter().find_map(|e| if is_loop(&e.key) { Some(e.at) } else { first_loop(&e.value) })
        }
        Value::Tagged(word, _) if is_loop_word(word) => Some(node.at),
        Value::Tagged(_, argument) => first_loop(argument),
        _ => None,
    }
}

/// Whether the template has the transform that writes loops out.
fn is_transformed(root: &Node) -> bool {
    let Some(transform) = root.get("Transform") else { return false };
    let all = transform.as_list().unwrap_or(std::slice::from_ref(transform));
    all.iter().any(|one| one.as_str() == Some(TRANSFORM))
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
    nodes: usize,
}

impl Unroller<'_> {
    fn node(&mut self, node: &Node, scope: &Scope) -> Result<Node, TemplateError> {
        self.nodes += 1;
        self.check(node.at)?;
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
                    Some(value) => {
                        self.add_bytes(value.len(), node.at)?;
                        Value::String(value.to_owned())
                    }
                    None => Value::Tagged(word.clone(), Box::new(self.node(argument, scope)?)),
                }
            }
            Value::Tagged(word, argument) => {
                Value::Tagged(word.clone(), Box::new(self.node(argument, scope)?))
            }
            Value::String(text) => Value::String(self.filled(text, scope, node.at)?),
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
            let key = self.filled(&entry.key, scope, entry.at)?;
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
        // What is made up would make resources that nobody deploys.
        let values = self.resolver.exactly(&values)?;
        let Some(values) = values.as_ref().and_then(Node::as_list) else {
            return Err(TemplateError::invalid(at, "ForEach needs a list of values"));
        };
        let mut entries = Vec::new();
        for value in values {
            self.count(at)?;
            let value = value.scalar().unwrap_or_default();
            self.add_bytes(value.len(), at)?;
            let mut inner = scope.clone();
            inner.push((name.clone(), value));
            let Value::Map(map) = self.node(body, &inner)?.value else {
                return Err(TemplateError::invalid(at, "ForEach makes the entries of a map"));
            };
            entries.extend(map);
        }
        Ok(entries)
    }

    fn count(&mut self, at: Location) -> Result<(), TemplateError> {
        self.entries += 1;
        self.check(at)
    }

    fn add_bytes(&mut self, bytes: usize, at: Location) -> Result<(), TemplateError> {
        self.bytes = self.bytes.saturating_add(bytes);
        self.check(at)
    }

    fn check(&self, at: Location) -> Result<(), TemplateError> {
        let fits =
            self.entries <= MOST_ENTRIES && self.bytes <= MOST_BYTES && self.nodes <= MOST_NODES;
        if fits {
            return Ok(());
        }
        let message = format!(
            "the template's loops make more than {MOST_ENTRIES} entries, {MOST_NODES} values or {MOST_BYTES} bytes of text"
        );
        Err(TemplateError::invalid(at, message))
    }

    /// The text with `${Name}` and `&{Name}` of loops replaced; `&{Name}` leaves out what no logical id may have.
    fn filled(&mut self, text: &str, scope: &Scope, at: Location) -> Result<String, TemplateError> {
        let mut filled = text.to_owned();
        self.add_bytes(text.len(), at)?;
        for (name, value) in scope.iter().rev() {
            for (pattern, plain) in
                [(format!("${{{name}}}"), false), (format!("&{{{name}}}"), true)]
            {
                let count = filled.matches(&pattern).count();
                if count == 0 {
                    continue;
                }
                // Before the text is made, which may be larger than the memory.
                self.add_bytes(count.saturating_mul(value.len()), at)?;
                filled = match plain {
                    false => filled.replace(&pattern, value),
                    true => {
                        let plain = value.chars().filter(char::is_ascii_alphanumeric);
                        filled.replace(&pattern, &plain.collect::<String>())
                    }
                };
            }
        }
        Ok(filled)
    }
}

fn value_of<'s>(name: &str, scope: &'s Scope) -> Option<&'s str> {
    scope.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}
