//! `explore` and `run --always`, from outside.

use rehearse_testutils::Folder;

use crate::{process::rehearse, suite, support::root};

/// The shop, with one scenario and other sentences.
fn shop_with(sentences: &str) -> Folder {
    let folder = Folder::new();
    for path in [
        "rehearse.toml",
        "template.yaml",
        "fixtures/dynamodb/owner-at-shop.yaml",
        "scenarios/classic/booking.yaml",
    ] {
        let text = std::fs::read_to_string(root().join(path)).unwrap();
        folder.write(path, &text);
    }
    folder.write("always.yaml", sentences);
    folder
}

#[test]
fn conversations_are_played_and_judged() {
    let _lock = suite::lock();
    let words = ["explore", "scenarios/classic", "--seeds", "12", "--seed", "3"];
    rehearse(&root(), &words).expect(0, &["12 conversations: every sentence held"]);
}

#[test]
fn what_is_found_is_made_short_and_kept_as_a_scenario_that_fails() {
    let _lock = suite::lock();
    let folder = shop_with(
        "always:\n  - sentence: Nobody writes\n    each: { texts: in }\n    \
         there_is_no: { texts: in, where: { sid: \"{{ it.sid }}\" } }\n",
    );
    let words = ["explore", "--seeds", "6", "--save", "found"];
    let ran = rehearse(folder.path(), &words);
    ran.expect(1, &["Nobody writes (seed 1)", "--always", "1 sentence did not hold"]);
    let found = folder.path().join("found/exploration-1.yaml");
    let text = std::fs::read_to_string(&found).unwrap();
    assert!(text.starts_with("# Nobody writes\n"), "{text}");
    assert_eq!(text.matches("\n  - ").count(), 1, "one step is enough: {text}");
    assert!(!text.contains("model") && !text.contains("fixtures"), "{text}");
    let again = rehearse(folder.path(), &["run", "found/exploration-1.yaml", "--always"]);
    again.expect(1, &["it must always hold: Nobody writes"]);
}

#[test]
fn each_sentence_that_one_seed_breaks_has_its_file_and_the_command_plays_it_again() {
    let _lock = suite::lock();
    let never = |sentence: &str| {
        format!(
            "  - sentence: {sentence}\n    each: {{ texts: in }}\n    \
             there_is_no: {{ texts: in, where: {{ sid: \"{{{{ it.sid }}}}\" }} }}\n"
        )
    };
    let folder = shop_with(&format!("always:\n{}{}", never("Nobody writes"), never("Silence")));
    let words = ["explore", "scenarios/classic", "--seeds", "3", "--save", "two words"];
    let ran = rehearse(folder.path(), &words);
    let again = "run 'two words/exploration-1-2.yaml' --always";
    ran.expect(1, &["run 'two words/exploration-1.yaml' --always", again, "2 files"]);
    let read =
        |name: &str| std::fs::read_to_string(folder.path().join("two words").join(name)).unwrap();
    let (first, second) = (read("exploration-1.yaml"), read("exploration-1-2.yaml"));
    assert!(first.starts_with("# Nobody writes\n") && second.starts_with("# Silence\n"));
    assert!(first.contains("explore scenarios/classic --seeds 1 --seed 1\n"), "{first}");
}

#[test]
fn a_scenario_that_does_not_pass_and_a_sentence_about_nothing_are_told() {
    let _lock = suite::lock();
    let folder = shop_with(
        "always:\n  - sentence: Never about anything\n    each: { calls: no.such }\n    \
         there_is_no: { texts: in }\n",
    );
    folder.write(
        "scenarios/wrong.yaml",
        "name: Wrong\nsteps:\n  - customer: Hi\n    reply: { exactly: [] }\n",
    );
    let ran = rehearse(folder.path(), &["explore", "--seeds", "3"]);
    let missing = "1 scenario did not run or pass";
    ran.expect(0, &[missing, "\"Wrong\"", "never about anything: Never about anything"]);
}

#[test]
fn what_cannot_be_is_told_with_what_to_do() {
    for (words, says) in [
        (&["explore", "--seeds", "0"][..], "--seeds"),
        (&["explore", "--seeds", "3", "--seed", "18446744073709551615"], "it is at most"),
        (&["explore", "no-such-folder"], "no-such-folder"),
        (&["explore", "scenarios/classic", "--save", "README.md"], "failed to make the folder"),
        (&["run", "--always", "--sweep"], "cannot be used with"),
    ] {
        rehearse(&root(), words).expect(2, &[says]);
    }
}
