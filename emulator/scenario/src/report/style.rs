//! The few colours of every report. Text is always styled here and stripped by
//! `anstream` where a stream takes no colour.

use std::fmt::{self, Display};

use anstyle::{AnsiColor, Effects, Style};

use super::text::width;

/// What passed.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// What failed.
pub const BAD: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);
/// What could not be run.
pub const WARN: Style = AnsiColor::Yellow.on_default().effects(Effects::BOLD);
/// What is secondary.
pub const DIM: Style = Style::new().dimmed();
/// What is read first.
pub const BOLD: Style = Style::new().bold();
/// Names of things that can be typed or opened.
pub const NAME: Style = AnsiColor::Cyan.on_default();
/// What was expected.
pub const EXPECTED: Style = AnsiColor::Green.on_default();
/// What came instead.
pub const ACTUAL: Style = AnsiColor::Red.on_default();

/// `value` in a style, reset behind it.
pub fn paint<T: Display>(style: Style, value: T) -> Painted<T> {
    Painted { style, value }
}

/// A styled value. Width and alignment of the format count columns of the terminal, and of the
/// value alone.
pub struct Painted<T> {
    style: Style,
    value: T,
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.value.to_string();
        let missing = f.width().unwrap_or(0).saturating_sub(width(&text));
        let (before, after) = match f.align() {
            Some(fmt::Alignment::Right) => (missing, 0),
            Some(fmt::Alignment::Center) => (missing / 2, missing - missing / 2),
            Some(fmt::Alignment::Left) | None => (0, missing),
        };
        if text.is_empty() {
            return write!(f, "{:missing$}", "");
        }
        let style = self.style;
        write!(f, "{style}{:before$}{text}{:after$}{style:#}", "", "")
    }
}

/// The text without colours.
pub fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_counts_the_text_and_not_its_colour() {
        let cell = format!("[{:>5}]", paint(GOOD, "ok"));
        assert_ne!(cell, plain(&cell));
        assert_eq!(plain(&cell), "[   ok]");
    }
    #[test]
    fn padding_counts_columns_so_that_emoji_do_not_shift_what_follows() {
        for text in ["ok", "🔧", "日本"] {
            let cell = plain(&format!("{:>6}|", paint(GOOD, text)));
            assert_eq!(width(&cell), 7, "{cell}");
            let cell = plain(&format!("{:<6}|", paint(GOOD, text)));
            assert_eq!(width(&cell), 7, "{cell}");
        }
    }
}
