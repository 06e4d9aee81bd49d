//! Names and numbers of a scenario.

use std::collections::BTreeMap;

use rehearse_aws::template::Settings;

/// People by name. A text that is not a known name is used as a number.
#[derive(Debug, Clone, Default)]
pub(crate) struct People {
    numbers: BTreeMap<String, String>,
}

impl People {
    /// The people of the settings, and over them those of a scenario.
    pub(super) fn of(settings: &Settings, own: &BTreeMap<String, String>) -> Self {
        let known = settings.people.iter().map(|(name, phone)| (name.clone(), phone.to_string()));
        Self::new(known.chain(own.clone()))
    }

    /// Later entries take the place of earlier ones of the same name.
    pub(super) fn new(people: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { numbers: people.into_iter().collect() }
    }

    /// A person's number.
    pub(super) fn number(&self, name: &str) -> String {
        self.numbers.get(name).cloned().unwrap_or_else(|| name.into())
    }

    /// Whose number it is.
    pub(super) fn name(&self, number: &str) -> String {
        let owner = self.numbers.iter().find(|(_, n)| *n == number);
        owner.map_or_else(|| number.into(), |(name, _)| name.clone())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.numbers.iter().map(|(name, number)| (name.as_str(), number.as_str()))
    }

    /// Names by number.
    pub(crate) fn by_number(&self) -> BTreeMap<String, String> {
        self.iter().map(|(name, number)| (number.to_owned(), name.to_owned())).collect()
    }
}
