//! Lines of a conversation on a screen: time, who, what.

use anstyle::Style;
use jiff::tz::TimeZone;

use super::{ConversationLine, Tone};
use crate::report::{
    style::{ACTUAL, BOLD, DIM, NAME, paint},
    text::{cut, width, wrap},
    time,
};

/// A narrower screen shows what is said below who says it.
const NARROW: usize = 60;

/// Width of the column of names: a phone number, a space and an arrow.
const LABEL: usize = 14;

/// Writes lines one after another; remembers the day, so that it is shown once.
#[derive(Debug)]
pub struct Renderer {
    zone: TimeZone,
    width: Option<usize>,
    label: usize,
    day: Option<String>,
    seconds: bool,
}

impl Renderer {
    /// A renderer for a screen `width` columns wide; without a width nothing is
    /// broken or cut.
    pub fn new(zone: TimeZone, width: Option<usize>) -> Self {
        Self { zone, width, label: LABEL, day: None, seconds: false }
    }

    /// With seconds, and the zone beside each day.
    #[must_use]
    pub fn with_seconds(self) -> Self {
        Self { seconds: true, ..self }
    }

    /// The line, as one or more rows of the screen.
    pub fn rows(&mut self, line: &ConversationLine) -> Vec<String> {
        let mut rows = Vec::new();
        let spoken = matches!(line.tone, Tone::Person | Tone::Shop);
        let mut day = time::day(line.at, &self.zone);
        if self.seconds {
            day = format!("{day}, {}", time::zone(line.at, &self.zone));
        }
        if spoken && self.day.as_ref() != Some(&day) {
            rows.push(paint(DIM, &day).to_string());
            self.day = Some(day);
        }
        let clock = match (spoken, self.seconds) {
            (true, true) => time::clock_with_seconds(line.at, &self.zone),
            (true, false) => time::clock(line.at, &self.zone),
            (false, _) => String::new(),
        };
        let clock_width = if self.seconds { 8 } else { 5 };
        let is_narrow = self.width.is_some_and(|width| width < NARROW);
        let before = if is_narrow { 2 } else { clock_width + 2 + self.label + 2 };
        let room = self.width.map(|w| w.saturating_sub(before).max(20));
        let texts = match (spoken, room) {
            (true, _) => wrap(&line.text, room),
            (false, room) => {
                let flat = line.text.replace('\n', " ");
                vec![room.map_or_else(|| flat.clone(), |room| cut(&flat, room))]
            }
        };
        let (label, style) = match line.tone {
            Tone::Person => (BOLD, Style::new()),
            Tone::Shop => (NAME, Style::new()),
            Tone::Quiet => (DIM, DIM),
            Tone::Trouble => (ACTUAL, ACTUAL),
        };
        if is_narrow {
            let head = format!("{} {}", paint(DIM, &clock), paint(label, &line.label));
            rows.push(head.trim_start().to_owned());
            rows.extend(texts.iter().map(|text| format!("  {}", paint(style, text))));
            return rows;
        }
        let label_width = self.label;
        for (i, text) in texts.iter().enumerate() {
            let (clock, name) =
                if i == 0 { (clock.as_str(), line.label.as_str()) } else { ("", "") };
            rows.push(format!(
                "{:<clock_width$}  {:>label_width$}  {}",
                paint(DIM, clock),
                paint(label, name),
                paint(style, text)
            ));
        }
        rows
    }

    /// All lines of a finished conversation, with a column of names just as wide as they are.
    pub fn all(&mut self, lines: &[ConversationLine]) -> Vec<String> {
        self.label = lines.iter().map(|line| width(&line.label)).max().unwrap_or(0);
        lines.iter().flat_map(|line| self.rows(line)).collect()
    }
}
