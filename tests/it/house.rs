//! Who may import whom. Crates keep backend and emulator apart; this walks every
//! path of every file but those of tests, and keeps the rooms inside them apart.

use std::{
    collections::BTreeSet,
    path::{Component, Path},
};

use syn::visit::Visit;

use crate::support::{files, root};

/// A room and the rooms that it may import besides itself.
type Rule = (&'static str, &'static [&'static str]);

const HANDLERS: &[Rule] = &[
    ("domain", &[]),
    ("ports", &["domain"]),
    ("app", &["domain", "ports", "tools"]),
    ("tools", &["domain", "ports", "app"]),
    ("http", &["app", "tools", "domain", "ports"]),
    ("adapters", &["ports", "domain"]),
    ("config", &["domain"]),
    ("log", &["config"]),
    ("bin", &["compose", "config", "log"]),
];

const EMULATOR: &[Rule] = &[
    ("clock", &[]),
    ("faults", &[]),
    ("names", &[]),
    ("yaml", &["names"]),
    ("function", &[]),
    // Plain connections; what crosses them is each fake's own.
    ("serve", &[]),
    ("threads", &[]),
    ("journal", &["clock"]),
    ("matcher", &["clock", "yaml"]),
    ("dynamodb", &["journal", "clock", "faults", "names", "serve", "threads", "yaml"]),
    ("twilio", &["journal", "clock", "faults", "serve"]),
    ("openai", &["journal", "clock", "faults", "matcher", "serve", "yaml"]),
    ("secrets", &["journal", "faults", "serve"]),
    ("iam", &["journal", "template"]),
    ("template", &["names", "yaml", "dynamodb"]),
    ("gateway", &["journal", "clock", "function", "serve", "template"]),
    (
        "world",
        &[
            "clock", "dynamodb", "faults", "function", "gateway", "journal", "openai", "secrets",
            "serve", "template", "threads", "twilio", "yaml",
        ],
    ),
    // It drives a world, and knows neither reports nor command line.
    (
        "scenario",
        &[
            "clock", "dynamodb", "faults", "journal", "matcher", "names", "openai", "template",
            "threads", "twilio", "world", "yaml",
        ],
    ),
    ("report", &["journal", "scenario"]),
    (
        "control",
        &[
            "clock", "dynamodb", "faults", "journal", "names", "report", "serve", "template",
            "twilio", "world",
        ],
    ),
];

#[test]
fn handlers_rooms_import_only_what_they_may() {
    check("handlers", HANDLERS);
}

#[test]
fn emulator_rooms_import_only_what_they_may() {
    check("emulator", EMULATOR);
}

#[test]
fn neither_crate_knows_the_other() {
    for (krate, other) in [("handlers", "emulator"), ("emulator", "handlers")] {
        let manifest = std::fs::read_to_string(root().join(krate).join("Cargo.toml")).unwrap();
        let names = manifest.lines().filter_map(|l| l.split(['.', ' ', '=']).next());
        assert!(!names.into_iter().any(|n| n == other), "{krate}/Cargo.toml names {other}");
    }
}

#[test]
fn the_walk_sees_uses_paths_super_and_macros() {
    let code = "
        use crate::{app::Reply, domain::slot};
        fn f() { crate::http::serve(); super::super::tools::run(); tracing::info!(\"{}\", crate::config::NAME); }
        #[cfg(test)] mod tests { use crate::adapters::X; }
    ";
    let found = rooms_of(code, &["domain".into(), "phone".into()]);
    let expected = ["app", "config", "domain", "http", "tools"].map(String::from);
    assert_eq!(found, BTreeSet::from(expected));
}

fn check(krate: &str, rules: &[Rule]) {
    let source = root().join(krate).join("src");
    let mut walked = 0;
    let mut wrong = Vec::new();
    for file in files(&source, ".rs") {
        let module = module_of(file.strip_prefix(&source).unwrap());
        let Some(room) = module.first() else { continue };
        let Some((_, allowed)) = rules.iter().find(|(name, _)| name == room) else { continue };
        if module.iter().any(|part| part == "tests" || part == "e2e") {
            continue;
        }
        walked += 1;
        let text = std::fs::read_to_string(&file).unwrap();
        for used in rooms_of(&text, &module) {
            let is_room =
                source.join(&used).is_dir() || source.join(format!("{used}.rs")).is_file();
            if used != *room && is_room && !allowed.contains(&used.as_str()) {
                wrong.push(format!("{}: `{room}` may not import `{used}`", file.display()));
            }
        }
    }
    assert!(walked >= rules.len(), "{krate}: only {walked} files were walked");
    for (room, _) in rules {
        let there = source.join(room).is_dir() || source.join(format!("{room}.rs")).is_file();
        assert!(there, "{krate} has no room `{room}`: mend the rules");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `app/reply.rs` is `[app, reply]`, `app/mod.rs` is `[app]`, `lib.rs` is nothing.
fn module_of(path: &Path) -> Vec<String> {
    let mut parts: Vec<String> = path
        .with_extension("")
        .components()
        .filter_map(|c| match c {
            Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            _ => None,
        })
        .collect();
    if parts.last().is_some_and(|last| last == "mod" || last == "lib") {
        parts.pop();
    }
    parts
}

/// The top-level modules that the code of a module names, tests left out.
fn rooms_of(code: &str, module: &[String]) -> BTreeSet<String> {
    let file = syn::parse_file(code).unwrap();
    let mut walk = Walk { module: module.to_vec(), found: BTreeSet::new() };
    walk.visit_file(&file);
    walk.found
}

struct Walk {
    module: Vec<String>,
    found: BTreeSet<String>,
}

impl Walk {
    /// Adds the room that a path leads to, if it leads into this crate.
    fn add(&mut self, path: &[String]) {
        let mut at = match path.first().map(String::as_str) {
            Some("crate" | "handlers" | "emulator") => Vec::new(),
            Some("super" | "self") => self.module.clone(),
            _ => return,
        };
        for part in path {
            match part.as_str() {
                "super" => drop(at.pop()),
                "crate" | "self" | "handlers" | "emulator" => {}
                name => at.push(name.to_owned()),
            }
        }
        if let Some(room) = at.first() {
            self.found.insert(room.clone());
        }
    }

    fn add_tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.add_tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => self.add(&with(&name.ident)),
            syn::UseTree::Rename(name) => self.add(&with(&name.ident)),
            syn::UseTree::Glob(_) => self.add(before),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.add_tree(before, tree));
            }
        }
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|a| {
        a.path().is_ident("cfg") && a.parse_args::<syn::Path>().is_ok_and(|p| p.is_ident("test"))
    })
}

impl<'ast> Visit<'ast> for Walk {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if is_test(&item.attrs) {
            return;
        }
        self.module.push(item.ident.to_string());
        syn::visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test(&item.attrs) {
            self.add_tree(&[], &item.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        self.add(&parts);
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        // Tokens of a macro are no paths yet: `crate :: room` is found as text.
        let text = mac.tokens.to_string();
        let words: Vec<&str> = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
        for pair in words.iter().filter(|w| !w.is_empty()).collect::<Vec<_>>().windows(2) {
            if *pair[0] == "crate" {
                self.add(&["crate".to_owned(), (*pair[1]).to_owned()]);
            }
        }
        syn::visit::visit_macro(self, mac);
    }
}
