//! Who speaks, by the project's names.

use std::collections::BTreeMap;

use super::words::Words;
use rehearse_aws::template::Settings;

/// The names of those who speak.
#[derive(Debug, Default)]
pub(super) struct Cast {
    /// Name by number, as the journal has it.
    names: BTreeMap<String, String>,
    /// Those whom the project does not know, with the numbers that they get.
    own: Vec<(String, String)>,
    /// Whether somebody's number is not the recorded one.
    is_changed: bool,
}

impl Cast {
    /// Names for the numbers of those who speak. Who is none of the project's people is given the name
    /// of one who does not speak, or a new one.
    pub(super) fn of<'n>(settings: &Settings, numbers: impl IntoIterator<Item = &'n str>) -> Self {
        let known: Vec<(&String, String)> =
            settings.people.iter().map(|(name, phone)| (name, phone.to_string())).collect();
        let mut cast = Self::default();
        let mut speaking: Vec<&str> = Vec::new();
        for number in numbers {
            if !speaking.contains(&number) {
                speaking.push(number);
            }
        }
        let mut strangers = Vec::new();
        for number in speaking {
            match known.iter().find(|(_, phone)| phone == number) {
                Some((name, _)) => {
                    cast.names.insert(number.into(), (*name).clone());
                }
                None => strangers.push(number),
            }
        }
        for number in strangers {
            let taken = |name: &str| cast.names.values().any(|taken| taken == name);
            let free = known.iter().find(|(name, _)| name.starts_with("customer") && !taken(name));
            let name = match free {
                Some((name, _)) => (*name).clone(),
                None => {
                    let count = cast.own.len() + 1;
                    let name = format!("person{count}");
                    cast.own.push((name.clone(), format!("+1904555{:04}", 120 + count)));
                    name
                }
            };
            cast.is_changed = true;
            cast.names.insert(number.into(), name);
        }
        for (name, number) in known {
            cast.names.entry(number).or_insert_with(|| name.clone());
        }
        cast
    }

    /// The name of a number.
    pub(super) fn name(&self, number: &str) -> Option<&str> {
        self.names.get(number).map(String::as_str)
    }

    /// Those whom the project does not know, with numbers that nobody has.
    pub(super) fn own(&self) -> &[(String, String)] {
        &self.own
    }

    /// Whether somebody's number is not the recorded one.
    pub(super) fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// Puts names in place of numbers, however they are written.
    pub(super) fn teach(&self, words: &mut Words) {
        for (number, name) in &self.names {
            words.name(number, name);
            if let Some(digits) = number.strip_prefix('+') {
                words.name(format!("%2B{digits}"), format!("'%2B' ~ {name}[1:]"));
                words.name(digits, format!("{name}[1:]"));
                if let Some(national) = digits.strip_prefix('1') {
                    words.name(national, format!("{name}[2:]"));
                }
            }
        }
    }
}
