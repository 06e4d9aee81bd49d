//! Reads `rehearse.toml`, and finds everything that is wrong in it at once.
//!
//! The deserializer stops at the first error. What it points at is then taken out of the text, with
//! spaces in its place so that lines stay where they are, and the rest is read again.

use std::ops::Range;

use super::{Settings, check};

/// More errors than anybody reads at once.
const MOST: usize = 20;

/// The settings, or everything that is wrong, each with its line and a caret where the file has one.
pub(super) fn all(text: &str) -> Result<Settings, Vec<String>> {
    let mut rest = text.to_owned();
    let mut errors = Vec::new();
    while errors.len() < MOST {
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
        let told = error.to_string().trim_end().to_owned();
        if errors.contains(&told) {
            break;
        }
        errors.push(told);
        match error.span().filter(|_| is_toml) {
            Some(span) => blank(&mut rest, span),
            None => break,
        }
    }
    Err(errors)
}

/// Takes the lines of a span out of the text; of a table's header with all that it heads.
fn blank(text: &mut String, span: Range<usize>) {
    let start = text[..span.start.min(text.len())].rfind('\n').map_or(0, |at| at + 1);
    let from = span.end.clamp(start, text.len());
    let is_header = text[start..].trim_start().starts_with('[');
    let end = if is_header {
        let next = text[start + 1..].match_indices('\n').find(|(at, _)| {
            text[start + 1 + at + 1..].trim_start_matches([' ', '\t']).starts_with('[')
        });
        next.map_or(text.len(), |(at, _)| start + 1 + at)
    } else {
        text[from..].find('\n').map_or(text.len(), |at| from + at)
    };
    let blank: String = text[start..end]
        .chars()
        .map(|c| if c == '\n' { "\n".to_owned() } else { " ".repeat(c.len_utf8()) })
        .collect();
    text.replace_range(start..end, &blank);
}
