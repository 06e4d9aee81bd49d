//! Reads `rehearse.toml`, and finds everything that is wrong in it at once.
//!
//! The deserializer stops at the first error. What it points at is then taken out of the text, with
//! spaces in its place so that lines stay where they are, and the rest is read again.

use std::ops::Range;

use super::{Settings, check, values};

/// More errors than anybody reads at once.
const MOST: usize = 20;

/// The settings, or everything that is wrong, each with its line and a caret where the file has one.
pub(super) fn all(text: &str) -> Result<Settings, Vec<String>> {
    let mut rest = text.to_owned();
    let (mut errors, mut taken) = (Vec::new(), Vec::<Range<usize>>::new());
    for _ in 0..MOST {
        let error = match toml::from_str::<Settings>(&rest) {
            Ok(settings) => {
                errors.extend(check::errors(&settings));
                return if errors.is_empty() { Ok(settings) } else { Err(errors) };
            }
            Err(error) => error,
        };
        let is_toml = toml::from_str::<toml::Table>(&rest).is_ok();
        if !is_toml && !errors.is_empty() {
            // Too much was taken out: what was found so far is true.
            break;
        }
        let lines = error.span().map(|span| lines(&rest, span));
        // What a section lacks may be what was taken out of it.
        let is_taken = error.message().starts_with("missing field")
            && lines.as_ref().is_some_and(|all| taken.iter().any(|one| all.contains(&one.start)));
        if !is_taken {
            errors.push(values::explained(&error));
        }
        match lines.filter(|_| is_toml) {
            Some(lines) => {
                blank(&mut rest, lines.clone());
                taken.push(lines);
            }
            None => break,
        }
    }
    Err(errors)
}

/// The lines of a span; of a table's header with all that it heads.
fn lines(text: &str, span: Range<usize>) -> Range<usize> {
    let start = text[..span.start.min(text.len())].rfind('\n').map_or(0, |at| at + 1);
    let from = span.end.clamp(start, text.len());
    let line_end = |from: usize| text[from..].find('\n').map_or(text.len(), |at| from + at);
    if !text[start..].trim_start_matches([' ', '\t']).starts_with('[') {
        return start..line_end(from);
    }
    let mut end = line_end(start);
    while end < text.len() {
        let next = end + 1;
        if text[next..].trim_start_matches([' ', '\t']).starts_with('[') {
            break;
        }
        end = line_end(next);
    }
    start..end
}

/// Takes lines out of the text.
fn blank(text: &mut String, lines: Range<usize>) {
    let blank = |c: char| if c == '\n' { "\n".to_owned() } else { " ".repeat(c.len_utf8()) };
    let blank: String = text[lines.clone()].chars().map(blank).collect();
    text.replace_range(lines, &blank);
}
