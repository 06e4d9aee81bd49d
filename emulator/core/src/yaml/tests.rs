//! Files with the mistakes that people make.

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::*;
use rehearse_testutils::Folder;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only their shape matters")]
struct Doc {
    name: Spanned<String>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    kind: Option<Kind>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Red,
    Blue,
}

fn source(text: &str) -> Source {
    Source::new("scenarios/a.yaml", text)
}

#[test]
fn an_unknown_key_is_shown_with_file_line_and_caret() {
    let error = source("name: a\nnmae: b\n").parse::<Doc>().unwrap_err().to_string();
    assert!(
        error.contains("scenarios/a.yaml:2:1") && error.contains("nmae") && error.contains('^'),
        "{error}"
    );
}

#[test]
fn an_error_of_our_own_points_to_its_place() {
    let source = source("# one\n# two\nname: bad\n");
    let doc: Doc = source.parse().unwrap();
    let error = source.error(doc.name.referenced, "that name is taken").to_string();
    assert!(
        error.contains("scenarios/a.yaml:3:7") && error.contains("that name is taken"),
        "{error}"
    );
    assert!(error.contains("name: bad") && error.contains('^'), "{error}");
}

#[test]
fn two_documents_tabs_and_words_that_look_like_booleans() {
    assert!(source("name: a\n---\nname: b\n").parse::<Doc>().is_err());
    assert!(source("name:\n\t- a\n").parse::<Doc>().is_err());
    assert_eq!(source("name: yes\n").parse::<Doc>().unwrap().name.value, "yes");
    assert_eq!(source("name: 07\n").parse::<Doc>().unwrap().name.value, "07");
}

fn read(path: &Path) -> Result<Doc, YamlError> {
    Source::read(path)?.parse()
}

#[test]
fn a_missing_a_huge_and_a_binary_file_are_told_apart() {
    let folder = Folder::new();
    let file = folder.path().join("a.yaml");
    assert!(matches!(read(&file), Err(YamlError::Read { .. })));
    folder.write("a.yaml", b"name: \xff\n");
    assert!(matches!(read(&file), Err(YamlError::NotUtf8 { at: 6, line: 1, .. })));
    folder.write("a.yaml", vec![b' '; 10 << 20]);
    assert!(matches!(read(&file), Err(YamlError::TooLarge { .. })));
    let small = Limit { bytes: 9, advice: "AWS takes no larger one" };
    let error = Source::read_within(&file, small).unwrap_err().to_string();
    assert!(error.contains("the 9 that are read; AWS takes no larger one"), "{error}");
}

#[test]
fn json_is_read_and_nesting_without_end_is_an_error() {
    assert_eq!(source("{\n\t\"name\": \"a\"\n}").parse::<Doc>().unwrap().name.value, "a");
    for open in ["[", "{ a: "] {
        let deep = source(&open.repeat(100_000)).parse::<serde_json::Value>();
        let error = deep.unwrap_err().to_string();
        assert!(error.contains("scenarios/a.yaml") && error.len() < 4000, "{error}");
    }
}

#[test]
fn an_error_knows_its_line() {
    let error = source("# one\nnmae: b\n").parse::<Doc>().unwrap_err();
    assert!(matches!(error, YamlError::Shape { line: 2, .. }), "{error:?}");
}

/// What an error says, and whether the caret stands alone below its line.
#[track_caller]
fn says(text: &str, message: &str, place: &str) {
    let error = source(text).parse::<Doc>().unwrap_err().to_string();
    let mut lines = error.lines();
    assert_eq!(lines.next(), Some(format!("error: {message}").as_str()), "{error}");
    assert_eq!(lines.next().map(str::trim), Some(format!("--> scenarios/a.yaml:{place}").as_str()));
    assert_eq!(error.matches(message).count(), 1, "said once: {error}");
    assert!(error.lines().any(|line| line.ends_with('^')), "{error}");
    assert!(!error.ends_with('|'), "no empty frame: {error}");
}

#[test]
fn messages_speak_of_lists_and_keys_and_say_things_once() {
    says(
        "name: a\nnmae: b\n",
        "unknown key `nmae`; did you mean `name`?; known here: name, tags, kind",
        "2:1",
    );
    says("name: [a]\n", "a single value is needed here, not a list or a map", "1:7");
    says("name: a\ntags: one\n", "a list is needed here", "2:7");
    says("- name: a\n", "a map is needed here (`key: value`)", "1:1");
    says("name:\n", "a text is needed here, and there is none", "1:5");
    says("tags: []\n", "the key `name` is missing", "1:1");
    says("name: a\nname: b\n", "duplicate key `name`: it stands above already", "2:1");
    says(
        "name: a\nkind: blu\n",
        "unknown word `blu`; did you mean `blue`?; known here: red, blue",
        "2:7",
    );
}

#[test]
fn an_empty_file_is_said_to_be_empty() {
    for text in ["", "# nothing yet\n"] {
        let error = source(text).parse::<Doc>().unwrap_err().to_string();
        assert!(
            error.contains("scenarios/a.yaml") && error.contains("the file is empty"),
            "{error}"
        );
    }
}

#[test]
fn all_keys_that_are_missing_are_told_at_once() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Three {
        name: String,
        zone: String,
        rules: Vec<String>,
        #[serde(default)]
        more: Option<String>,
    }
    let of = |text: &str| {
        let read = Source::new("a.yaml", text).parse_requiring::<Three>(&["name", "zone", "rules"]);
        read.unwrap_err().to_string()
    };
    let error = of("more: x");
    assert!(error.contains("the keys `name`, `zone` and `rules` are missing"), "{error}");
    assert!(error.contains("a.yaml:1"), "{error}");
    assert!(of("name: x\nzone: y").contains("the key `rules` is missing"));
    assert!(of("nmae: x").contains("did you mean `name`?"), "a misspelt key comes first");
}

#[test]
fn numbers_that_do_not_fit_are_told_in_plain_words() {
    let of = |text: &str| Source::new("a.yaml", text);
    let errors = [
        (of("-1").parse::<u32>().unwrap_err(), "a whole number from 0"),
        (of("300").parse::<u8>().unwrap_err(), "a whole number from 0 to 255"),
        (of("0").parse::<std::num::NonZeroU32>().unwrap_err(), "a whole number from 1"),
        (of("x").parse::<u16>().unwrap_err(), "a whole number from 0 to 65535"),
        (of("x").parse::<f64>().unwrap_err(), "a number"),
    ];
    for (error, words) in errors {
        let error = error.to_string();
        assert!(error.contains(words), "{words}: {error}");
        assert!(!error.contains("expected") && !error.contains("u32"), "{error}");
    }
}
