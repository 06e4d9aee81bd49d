//! Which of the things that happened a sentence is about.

use regex::Regex;
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use super::history::{History, Item};
use rehearse_core::{
    journal::is_named,
    matcher::{Matcher, RenderError, Vars},
};

/// Some of the texts, calls or rows. Exactly one of `texts`, `calls`, `rows`, `rows_at_start`
/// and `rows_ever` stands in it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Selection {
    /// Texts to the shop (`in`), or those that Twilio took from it (`out`).
    texts: Option<Direction>,
    /// Exchanges with this name in the journal, such as `twilio.messages.create` or `dynamodb.*`.
    calls: Option<String>,
    /// Rows of this table at the end.
    rows: Option<String>,
    /// Rows of this table at the start, before the first step.
    rows_at_start: Option<String>,
    /// Rows of this table that were there at any time.
    rows_ever: Option<String>,
    /// What they must be like.
    #[serde(rename = "where")]
    matcher: Option<Matcher>,
    /// One for each place in a text's body that matches this regular expression; its named groups become
    /// fields.
    find: Option<Pattern>,
    /// Only those that began after `it`.
    #[serde(default)]
    after: bool,
    /// Only those that began before `it`.
    #[serde(default)]
    before: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Direction {
    In,
    Out,
}

#[derive(Debug, Clone)]
struct Pattern(Regex);

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Regex::new(&text).map(Self).map_err(de::Error::custom)
    }
}

impl Selection {
    /// The table whose rows these are.
    pub(super) fn table(&self) -> Option<&str> {
        let tables = [&self.rows, &self.rows_at_start, &self.rows_ever];
        tables.into_iter().find_map(|table| table.as_deref())
    }

    /// Whether what it selects began at some moment; rows did not.
    pub(super) fn has_time(&self) -> bool {
        self.table().is_none()
    }

    /// What makes no sense. `it_has_time` says whether `it` began at some moment.
    pub(super) fn check(&self, it_has_time: bool) -> Result<(), String> {
        let kinds = [
            self.texts.is_some(),
            self.calls.is_some(),
            self.rows.is_some(),
            self.rows_at_start.is_some(),
            self.rows_ever.is_some(),
        ];
        if kinds.into_iter().filter(|given| *given).count() != 1 {
            let all = "'texts', 'calls', 'rows', 'rows_at_start' and 'rows_ever'";
            return Err(format!("say one of {all}"));
        }
        if self.find.is_some() && self.texts.is_none() {
            return Err("'find' looks into the bodies of texts".into());
        }
        if (self.after || self.before) && !(it_has_time && self.has_time()) {
            return Err("rows have no moment: only texts and calls come before or after".into());
        }
        if self.after && self.before {
            return Err("nothing is both before and after".into());
        }
        Ok(())
    }

    /// What it selects, given `it` where there is one.
    ///
    /// # Errors
    /// A template uses a name or a field that does not exist.
    pub(super) fn of(
        &self,
        history: &History,
        it: Option<&Item>,
        vars: &Vars,
    ) -> Result<Vec<Item>, RenderError> {
        let matcher = self.matcher.as_ref().map(|matcher| matcher.render(vars)).transpose()?;
        let all: Box<dyn Iterator<Item = Item> + '_> = match (&self.texts, &self.calls) {
            (Some(Direction::In), _) => Box::new(history.texts_in()),
            (Some(Direction::Out), _) => Box::new(history.texts_out()),
            (None, Some(name)) => {
                let name = name.clone();
                Box::new(history.calls().filter(move |(at, _)| is_named(&name, at)).map(|c| c.1))
            }
            (None, None) => match (&self.rows, &self.rows_at_start, &self.rows_ever) {
                (Some(table), ..) => Box::new(history.rows(table)),
                (_, Some(table), _) => Box::new(history.rows_at_start(table)),
                (_, _, Some(table)) => Box::new(history.rows_ever(table)),
                (None, None, None) => Box::new(std::iter::empty()),
            },
        };
        let in_time = |item: &Item| match (item.began, it.and_then(|it| it.began)) {
            (Some(began), Some(it)) => (!self.after || began > it) && (!self.before || began < it),
            _ => true,
        };
        let found = all.filter(in_time).flat_map(|item| self.places(item));
        Ok(found.filter(|item| matcher.as_ref().is_none_or(|m| m.is_match(&item.value))).collect())
    }

    /// The item, or one for each place that `find` finds in it.
    fn places(&self, item: Item) -> Vec<Item> {
        let Some(Pattern(pattern)) = &self.find else { return vec![item] };
        let body = item.value["body"].as_str().unwrap_or_default();
        let place = |found: regex::Captures<'_>| {
            let mut place = item.clone();
            for name in pattern.capture_names().flatten() {
                let group = found.name(name).map_or(Value::Null, |group| group.as_str().into());
                place.value[name] = group;
            }
            place
        };
        pattern.captures_iter(body).map(place).collect()
    }

    /// What it selects, in words.
    pub(super) fn describe(&self) -> String {
        match (&self.texts, &self.calls, self.table()) {
            (Some(Direction::In), ..) => "text to the shop".into(),
            (Some(Direction::Out), ..) => "text from the shop".into(),
            (_, Some(name), _) => format!("call of {name}"),
            (_, _, Some(table)) if self.rows_ever.is_some() => {
                format!("row of {table}, now or earlier")
            }
            (_, _, Some(table)) => format!("row of {table}"),
            (None, None, None) => String::new(),
        }
    }
}
