//! Shows the difference between what was expected and what came.

use similar::{ChangeTag, TextDiff};

use super::{
    style::{ACTUAL, DIM, EXPECTED, paint},
    text::{visible, width},
};

/// Longest difference between two values.
const MAX_LINES: usize = 40;
/// Longest value of which nothing else is comparable.
const MAX_WHOLE: usize = 12;
/// A JSON value longer than this is laid out over several lines.
const ONE_LINE: usize = 76;

/// The lines of a difference.
///
/// Two multi-line values are compared line by line, two short ones word by word,
/// with what differs underlined; values that have little in common are only shown.
pub fn lines(expected: &str, actual: &str) -> Vec<String> {
    let (expected, actual) = (lay_out(&visible(expected)), lay_out(&visible(actual)));
    let (many, few) = (expected.contains('\n'), !expected.contains('\n'));
    if many && actual.contains('\n') {
        let mut lines =
            vec![format!("{}  {}", paint(EXPECTED, "- expected"), paint(ACTUAL, "+ came"))];
        lines.extend(shorten(by_line(&expected, &actual), MAX_LINES));
        return lines;
    }
    if few && !actual.contains('\n') {
        let diff = TextDiff::from_words(expected.as_str(), actual.as_str());
        if diff.ratio() > 0.5 {
            return vec![
                labelled("expected", &side(&diff, ChangeTag::Delete)),
                labelled("came", &side(&diff, ChangeTag::Insert)),
            ];
        }
    }
    let whole = |label, text: &str, style| {
        let lines: Vec<String> = text.lines().map(|l| paint(style, l).to_string()).collect();
        let lines = shorten(lines, MAX_WHOLE).into_iter().enumerate();
        lines.map(|(i, line)| labelled(if i == 0 { label } else { "" }, &line)).collect::<Vec<_>>()
    };
    let mut lines = whole("expected", &expected, EXPECTED);
    lines.extend(whole("came", &actual, ACTUAL));
    lines
}

fn labelled(label: &str, line: &str) -> String {
    format!("{:>8}  {line}", paint(DIM, label))
}

/// Long JSON over several lines; a JSON string without its escapes.
fn lay_out(text: &str) -> String {
    if width(text) <= ONE_LINE {
        return text.to_owned();
    }
    if text.starts_with('"') {
        // Also when its end was cut off, so that it is no JSON any more.
        return text.replace("\\...", "...").replace("\\n", "\n").replace("\\\"", "\"");
    }
    if !text.starts_with(['{', '[']) {
        return text.to_owned();
    }
    serde_json::from_str::<serde_json::Value>(text)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| text.to_owned())
}

fn by_line(expected: &str, actual: &str) -> Vec<String> {
    let diff = TextDiff::from_lines(expected, actual);
    let mut lines = Vec::new();
    for (i, group) in diff.grouped_ops(2).iter().enumerate() {
        if i > 0 {
            lines.push(paint(DIM, "  …").to_string());
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let text = change.value().trim_end_matches('\n');
            lines.push(match change.tag() {
                ChangeTag::Delete => paint(EXPECTED, format!("- {text}")).to_string(),
                ChangeTag::Insert => paint(ACTUAL, format!("+ {text}")).to_string(),
                ChangeTag::Equal => paint(DIM, format!("  {text}")).to_string(),
            });
        }
    }
    lines
}

/// One side of a word diff: the words of that side, its own ones underlined.
fn side(diff: &TextDiff<'_, '_, str>, own: ChangeTag) -> String {
    let style = if own == ChangeTag::Delete { EXPECTED } else { ACTUAL };
    let mut line = String::new();
    let mut run = String::new();
    let mut run_is_own = false;
    for change in diff.iter_all_changes() {
        let is_own = change.tag() == own;
        if !is_own && change.tag() != ChangeTag::Equal {
            continue;
        }
        if is_own != run_is_own {
            line.push_str(&emphasis(style, run_is_own, &run));
            run.clear();
            run_is_own = is_own;
        }
        run.push_str(change.value());
    }
    line.push_str(&emphasis(style, run_is_own, &run));
    line
}

fn emphasis(style: anstyle::Style, strong: bool, text: &str) -> String {
    let style = if strong { style.bold().underline() } else { style };
    paint(style, text).to_string()
}

fn shorten(mut lines: Vec<String>, most: usize) -> Vec<String> {
    if lines.len() > most {
        let more = lines.len() - most;
        lines.truncate(most);
        lines.push(paint(DIM, format!("… {more} more lines")).to_string());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{super::style::plain, *};

    fn shown(expected: &str, actual: &str) -> String {
        plain(&lines(expected, actual).join("\n"))
    }

    #[test]
    fn similar_texts_underline_only_the_words_that_differ() {
        let lines = lines(r#""2:00 PM is free""#, r#""3:00 PM is free""#);
        assert_eq!(plain(&lines[0]), r#"expected  "2:00 PM is free""#);
        let own = paint(EXPECTED.bold().underline(), "\"2:00").to_string();
        assert!(lines[0].contains(&own), "{:?}", lines[0]);
    }

    #[test]
    fn different_texts_are_shown_whole() {
        assert_eq!(
            shown(r#"something with "Done!""#, r#""No idea""#),
            "expected  something with \"Done!\"\n    came  \"No idea\""
        );
    }

    #[test]
    fn long_json_is_compared_by_line() {
        let row = |time: &str| {
            format!(
                r#"[{{"phone":"+15550001111","appointment_time":"{time}","status":"booked","device":"iPhone"}}]"#
            )
        };
        let shown = shown(&row("2:00 PM"), &row("3:00 PM"));
        assert!(shown.contains("-     \"appointment_time\": \"2:00 PM\","), "{shown}");
        assert!(shown.contains("+     \"appointment_time\": \"3:00 PM\","), "{shown}");
        assert_eq!(shown.matches("phone").count(), 1, "what is equal stands once: {shown}");
    }

    #[test]
    fn a_long_text_is_shown_as_text_even_when_its_end_is_cut() {
        let prompt = format!(r#""You are Linda.\nNow it is Tuesday.\n{}..."#, "x".repeat(80));
        let shown = shown("something with \"gym\"", &prompt);
        assert!(shown.contains("\n          Now it is Tuesday.\n"), "{shown}");
    }

    #[test]
    fn a_huge_value_is_cut() {
        let huge = serde_json::to_string(&vec!["some long enough text"; 500]).unwrap();
        assert!(lines("nothing", &huge).len() <= MAX_WHOLE + 2);
        assert!(lines(&huge, &huge.replace("some", "any")).len() <= MAX_LINES + 2);
    }
}
