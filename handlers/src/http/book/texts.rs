//! The page's texts, one table per language. `{}` is where a value goes.

mod english;
mod spanish;

use axum::http::HeaderMap;
use jiff::civil;

use crate::{
    domain::{catalogue::RepairKind, slot::SlotTime},
    http::page::preferred_language,
};

/// Everything that the page says.
pub(super) struct Texts {
    /// As in the attribute `lang`.
    pub(super) language: &'static str,
    pub(super) title: &'static str,
    pub(super) shop: &'static str,
    pub(super) heading: &'static str,
    pub(super) lead: &'static str,
    pub(super) optional: &'static str,
    // The form.
    pub(super) repair_legend: &'static str,
    repairs: [&'static str; 5],
    pub(super) diagnostic: &'static str,
    pub(super) visit: &'static str,
    pub(super) at_your_place: &'static str,
    pub(super) address: &'static str,
    pub(super) address_hint: &'static str,
    pub(super) date_legend: &'static str,
    pub(super) time_legend: &'static str,
    pub(super) times_on: &'static str,
    pub(super) show_times: &'static str,
    pub(super) earlier: &'static str,
    pub(super) later: &'static str,
    pub(super) closed: &'static str,
    pub(super) full: &'static str,
    pub(super) few_words_free: &'static str,
    one_free: &'static str,
    many_free: &'static str,
    pub(super) nothing_free: &'static str,
    pub(super) nearest: &'static str,
    zone: &'static str,
    pub(super) customer_legend: &'static str,
    pub(super) device: &'static str,
    pub(super) device_hint: &'static str,
    pub(super) name: &'static str,
    pub(super) phone: &'static str,
    pub(super) phone_hint: &'static str,
    pub(super) submit: &'static str,
    pub(super) submit_for_code: &'static str,
    pub(super) code_comes: &'static str,
    pub(super) or_text_us: &'static str,
    // What is wrong.
    pub(super) please_check: &'static str,
    pub(super) repair_missing: &'static str,
    pub(super) date_missing: &'static str,
    pub(super) time_missing: &'static str,
    pub(super) phone_missing: &'static str,
    pub(super) phone_invalid: &'static str,
    pub(super) phone_for_code_invalid: &'static str,
    pub(super) label_invalid: &'static str,
    pub(super) address_invalid: &'static str,
    pub(super) taken: &'static str,
    pub(super) day_full: &'static str,
    pub(super) past: &'static str,
    pub(super) too_soon: &'static str,
    pub(super) too_far: &'static str,
    pub(super) shop_closed: &'static str,
    pub(super) no_such_time: &'static str,
    pub(super) too_many: &'static str,
    pub(super) key_reused: &'static str,
    pub(super) unavailable: &'static str,
    pub(super) hold_ended: &'static str,
    // What the script says.
    pub(super) offline: &'static str,
    pub(super) failed: &'static str,
    pub(super) busy: &'static str,
    pub(super) chosen_time_gone: &'static str,
    // The code.
    pub(super) code_heading: &'static str,
    pub(super) code_lead: &'static str,
    pub(super) code: &'static str,
    pub(super) code_missing: &'static str,
    pub(super) wrong_code: &'static str,
    pub(super) confirm: &'static str,
    pub(super) back: &'static str,
    // The booking.
    pub(super) booked: &'static str,
    pub(super) cancelled: &'static str,
    pub(super) completed: &'static str,
    pub(super) reference: &'static str,
    pub(super) price: &'static str,
    pub(super) takes: &'static str,
    pub(super) add_to_calendar: &'static str,
    pub(super) change_heading: &'static str,
    pub(super) change: &'static str,
    pub(super) change_without_number: &'static str,
    pub(super) book_another: &'static str,
    // Dates and times.
    weekdays: [&'static str; 7],
    short_weekdays: [&'static str; 7],
    months: [&'static str; 12],
    long_date: &'static str,
    am: &'static str,
    pm: &'static str,
}

impl Texts {
    /// In the customer's language, as far as the page speaks it.
    pub(super) fn for_customer(headers: &HeaderMap) -> &'static Self {
        match preferred_language(headers, &[english::TEXTS.language, spanish::TEXTS.language]) {
            "es" => &spanish::TEXTS,
            _ => &english::TEXTS,
        }
    }

    pub(super) fn repair(&self, kind: RepairKind) -> &'static str {
        let [screen, battery, charging_port, water_damage, back_glass] = self.repairs;
        match kind {
            RepairKind::Screen => screen,
            RepairKind::Battery => battery,
            RepairKind::ChargingPort => charging_port,
            RepairKind::WaterDamage => water_damage,
            RepairKind::BackGlass => back_glass,
        }
    }

    /// The price list's price.
    pub(super) fn price(&self, kind: RepairKind) -> String {
        kind.price().replace("diagnostic", self.diagnostic)
    }

    /// `45 min`, `1 h 30 min`.
    pub(super) fn duration(&self, minutes: u16) -> String {
        match (minutes / 60, minutes % 60) {
            (0, minutes) => format!("{minutes} min"),
            (hours, 0) => format!("{hours} h"),
            (hours, minutes) => format!("{hours} h {minutes} min"),
        }
    }

    pub(super) fn free(&self, count: usize) -> String {
        match count {
            1 => self.one_free.to_owned(),
            count => self.many_free.replace("{}", &count.to_string()),
        }
    }

    pub(super) fn short_weekday(&self, date: civil::Date) -> &'static str {
        of_weekday(&self.short_weekdays, date)
    }

    /// Weekday, day and month.
    pub(super) fn long_date(&self, date: civil::Date) -> String {
        let month = usize::from(date.month().unsigned_abs()).saturating_sub(1);
        self.long_date
            .replace("{weekday}", of_weekday(&self.weekdays, date))
            .replace("{month}", self.months.get(month).copied().unwrap_or_default())
            .replace("{day}", &date.day().to_string())
    }

    pub(super) fn time(&self, time: SlotTime) -> String {
        time.to_string().replace("AM", self.am).replace("PM", self.pm)
    }

    /// Whose times they are.
    pub(super) fn zone(&self, zone: &str) -> String {
        let city = zone.rsplit('/').next().unwrap_or(zone).replace('_', " ");
        self.zone.replace("{city}", &city).replace("{zone}", zone)
    }
}

fn of_weekday(names: &[&'static str; 7], date: civil::Date) -> &'static str {
    let at = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs());
    names.get(at).copied().unwrap_or_default()
}

/// A number as people write it: `(904) 555-0100`, or as it is when it is another country's.
pub(super) fn phone_text(number: &str) -> String {
    let national = number.strip_prefix("+1").filter(|digits| digits.len() == 10);
    let parts = national.and_then(|n| Some((n.get(..3)?, n.get(3..6)?, n.get(6..)?)));
    match parts {
        Some((area, exchange, line)) => format!("({area}) {exchange}-{line}"),
        None => number.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_times_and_prices_are_said_in_both_languages() {
        let (en, es) = (&english::TEXTS, &spanish::TEXTS);
        let date = civil::date(2026, 2, 11);
        assert_eq!(en.long_date(date), "Wednesday, February 11");
        assert_eq!(es.long_date(date), "miércoles, 11 de febrero");
        let time = SlotTime::hour_of_day(14);
        assert_eq!((en.time(time), es.time(time)), ("2:00 PM".into(), "2:00 p. m.".into()));
        assert_eq!(en.price(RepairKind::WaterDamage), "$39 diagnostic");
        assert_eq!(es.price(RepairKind::WaterDamage), "$39 diagnóstico");
        assert_eq!(en.duration(90), "1 h 30 min");
        assert_eq!(phone_text("+19045550100"), "(904) 555-0100");
        assert_eq!(phone_text("+447700900123"), "+447700900123");
    }
}
