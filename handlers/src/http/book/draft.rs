//! What was typed into the form.

use jiff::civil;

use crate::{
    app::scheduler::{FormFields, MAX_DAYS},
    domain::{catalogue::Repair, slot},
    http::body::KeyValuePairs,
};

/// Marks the slug of a repair at the customer's.
const VISIT: &str = "on_site_";

/// What was typed, as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Draft {
    /// Tells this form from others, so that it books once.
    pub(super) key: String,
    /// Slug of a kind of repair.
    pub(super) repair_type: String,
    /// Whether the owner drives to the customer.
    pub(super) is_visit: bool,
    pub(super) date: String,
    pub(super) time: String,
    pub(super) device: String,
    pub(super) customer_name: String,
    pub(super) address: String,
    pub(super) phone: String,
    /// The first date that is shown.
    pub(super) from: String,
    /// Whether the chosen time is gone, so that the nearest one is chosen.
    pub(super) wants_nearest: bool,
}

impl Draft {
    /// The fields of a page that was sent.
    pub(super) fn from_form(pairs: KeyValuePairs) -> Self {
        let mut draft = Self::default();
        for (name, value) in pairs {
            let field = match name.as_str() {
                "key" => &mut draft.key,
                "repair_type" => &mut draft.repair_type,
                "date" => &mut draft.date,
                "time" => &mut draft.time,
                "device" => &mut draft.device,
                "customer_name" => &mut draft.customer_name,
                "address" => &mut draft.address,
                "phone" => &mut draft.phone,
                "from" | "show" if slot::parse_date(&value).is_ok() => &mut draft.from,
                "visit" => {
                    draft.is_visit = true;
                    continue;
                }
                _ => continue,
            };
            *field = value;
        }
        // A link names repairs as the API does.
        if let Some(kind) = draft.repair_type.strip_prefix(VISIT) {
            draft.repair_type = kind.to_owned();
            draft.is_visit = true;
        }
        draft
    }

    /// What a link may fill in: nothing of the customer's, which has no place in an address.
    pub(super) fn from_query(pairs: KeyValuePairs) -> Self {
        let draft = Self::from_form(pairs);
        Self {
            key: String::new(),
            phone: String::new(),
            customer_name: String::new(),
            address: String::new(),
            ..draft
        }
    }

    /// The same as fields of the API.
    pub(super) fn fields(&self) -> FormFields {
        let repair_type = match self.is_visit && !self.repair_type.is_empty() {
            true => format!("{VISIT}{}", self.repair_type),
            false => self.repair_type.clone(),
        };
        FormFields {
            phone: Some(self.phone.clone()),
            date: Some(self.date.clone()),
            time: Some(self.time.clone()),
            repair_type: Some(repair_type),
            device: Some(self.device.clone()),
            customer_name: Some(self.customer_name.clone()),
            // Nobody drives to an address of a repair in the shop.
            address: self.is_visit.then(|| self.address.clone()),
        }
    }

    pub(super) fn repair(&self) -> Option<Repair> {
        Repair::parse(self.fields().repair_type.as_deref()?).ok()
    }

    /// The chosen date.
    pub(super) fn day(&self) -> Option<civil::Date> {
        slot::parse_date(&self.date).ok()
    }

    /// The first date to show; `None` for today.
    pub(super) fn first_date(&self) -> Option<civil::Date> {
        slot::parse_date(&self.from).ok().or_else(|| self.day())
    }

    /// All of it as names and values, but the first date.
    pub(super) fn pairs(&self) -> Vec<(&'static str, &str)> {
        let mut pairs = vec![
            ("key", self.key.as_str()),
            ("repair_type", &self.repair_type),
            ("date", &self.date),
            ("time", &self.time),
            ("device", &self.device),
            ("customer_name", &self.customer_name),
            ("address", &self.address),
            ("phone", &self.phone),
            ("from", &self.from),
        ];
        if self.is_visit {
            pairs.push(("visit", "yes"));
        }
        pairs
    }
}

/// How far the dates move.
pub(super) fn moved(date: civil::Date, forward: bool) -> civil::Date {
    let days = jiff::Span::new().days(MAX_DAYS);
    if forward { date.saturating_add(days) } else { date.saturating_sub(days) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_fills_in_nothing_of_the_customers() {
        let pairs = [("repair_type", "on_site_screen"), ("phone", "+1904"), ("device", "iPhone")];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let draft = Draft::from_query(pairs);
        assert_eq!(draft.phone, "");
        assert_eq!((draft.device.as_str(), draft.is_visit), ("iPhone", true));
        assert_eq!(draft.fields().repair_type.as_deref(), Some("on_site_screen"));
    }
}
