//! Who may import whom, as far as cargo cannot say it: that fakes do not depend on each other, nor the
//! backend and the emulator, and, by a walk over every path of every file but those of tests, which
//! modules of a crate may import which.

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

/// Rooms of `emulator/core`.
const CORE: &[Rule] = &[
    ("activity", &[]),
    ("clock", &["elapsed"]),
    ("elapsed", &[]),
    ("errors", &[]),
    ("random", &[]),
    ("faults", &["journal", "random"]),
    ("names", &[]),
    ("table", &[]),
    ("yaml", &["names"]),
    ("serve", &[]),
    ("threads", &[]),
    ("journal", &["clock"]),
    ("matcher", &["clock", "yaml"]),
];

/// Rooms of `emulator/aws`.
const AWS: &[Rule] = &[
    ("function", &[]),
    ("template", &[]),
    ("secrets", &[]),
    ("iam", &["template"]),
    ("gateway", &["function", "template"]),
    ("events", &["gateway", "template"]),
    ("hostile", &["gateway", "template"]),
    ("bin", &[]),
];

/// Rooms of `emulator/cli`: what commands share never uses a command.
const CLI: &[Rule] = &[
    ("error", &[]),
    ("duration", &[]),
    ("exports", &[]),
    ("execute", &[]),
    ("logs", &["error"]),
    ("ports", &["error"]),
    ("signal", &["error"]),
    ("twilio", &[]),
    ("ui", &["error"]),
    ("app", &["error", "ui"]),
    ("child", &["error", "ui"]),
    ("busy", &["app", "error"]),
    ("dynamodb", &["app", "error"]),
    ("project", &["app", "dynamodb", "error"]),
    ("recorded", &["app", "error", "project"]),
    ("lambda", &["app", "child", "error"]),
    ("control", &["app", "error", "project"]),
    ("target", &["app", "error", "lambda", "project"]),
    ("proxy", &["app", "error", "target"]),
    ("backend", &["app", "error", "lambda", "project", "signal", "target"]),
    ("always", &["app", "error", "project"]),
    (
        "external",
        &["app", "busy", "duration", "dynamodb", "error", "execute", "ports", "project", "target"],
    ),
    ("journals", &["app", "backend", "error", "execute", "project", "target"]),
    ("running", &["exports", "project"]),
    (
        "commands",
        &[
            "always", "app", "backend", "busy", "child", "control", "duration", "dynamodb",
            "error", "execute", "exports", "external", "journals", "lambda", "logs", "ports",
            "project", "proxy", "recorded", "running", "signal", "target", "twilio", "ui",
        ],
    ),
    ("args", &["commands"]),
    ("usage", &["args"]),
];

/// The fakes stand side by side on `core`. One that shares code with another, or with a client that it
/// tests, would share its bugs. That no crate depends on one above it is cargo's to say: the way back
/// would be a circle.
const FAKES: [&str; 4] = ["dynamodb", "twilio", "openai", "aws"];

#[test]
fn handlers_rooms_import_only_what_they_may() {
    check("handlers", HANDLERS);
}

#[test]
fn core_rooms_import_only_what_they_may() {
    check("emulator/core", CORE);
}

#[test]
fn aws_rooms_import_only_what_they_may() {
    check("emulator/aws", AWS);
}

#[test]
fn cli_rooms_import_only_what_they_may() {
    check("emulator/cli", CLI);
}

#[test]
fn no_fake_depends_on_another_one() {
    for fake in FAKES {
        let own = dependencies(&format!("emulator/{fake}"));
        let shared = own.iter().filter_map(|name| name.strip_prefix("rehearse-"));
        assert_eq!(shared.collect::<Vec<_>>(), ["core"], "dependencies of emulator/{fake}");
    }
}

#[test]
fn backend_and_emulator_share_no_crate_and_testutils_are_for_tests() {
    let mut wrong = Vec::new();
    for folder in std::fs::read_dir(root().join("emulator")).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        let own = dependencies(&format!("emulator/{name}"));
        let never = ["handlers", "memory-ports", "rehearse-testutils"];
        let refused = own.iter().filter(|other| never.contains(&other.as_str()));
        wrong.extend(refused.map(|other| format!("emulator/{name} may not depend on {other}")));
    }
    let backend = dependencies("handlers");
    let refused = backend.iter().filter(|name| name.starts_with("rehearse-"));
    wrong.extend(refused.map(|name| format!("handlers may not depend on {name}")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The names under `[dependencies]` of a crate.
fn dependencies(krate: &str) -> Vec<String> {
    let manifest = std::fs::read_to_string(root().join(krate).join("Cargo.toml")).unwrap();
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap();
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    lines
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .map(str::to_owned)
        .collect()
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
            Some("crate" | "handlers") => Vec::new(),
            Some("super" | "self") => self.module.clone(),
            _ => return,
        };
        for part in path {
            match part.as_str() {
                "super" => drop(at.pop()),
                "crate" | "self" | "handlers" => {}
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
