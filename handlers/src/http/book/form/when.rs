//! Date and time.

use jiff::civil;

use super::{FormView, card};
use crate::{
    app::scheduler::{DayOverview, DayState, Days},
    domain::slot::SlotTime,
    http::{
        book::{draft::moved, layout, problems::nearest},
        page::{Attribute, Html},
    },
};

/// The dates that are shown, and the times of the chosen one.
pub(super) fn section(view: &FormView<'_>, form: &mut Html) {
    let Some(days) = &view.days else {
        // What was chosen is kept until the calendar can be read.
        form.hidden("date", &view.draft.date);
        form.hidden("time", &view.draft.time);
        form.hidden("from", &view.draft.from);
        return;
    };
    let chosen = chosen_day(view, days);
    form.element("div", &[("id", "when")], |html| {
        view.group(html, "date", view.texts.date_legend, |group| {
            if let Some(first) = days.days.first() {
                group.hidden("from", &first.date.to_string());
            }
            group.element("div", &[("class", "days"), ("id", "date")], |grid| {
                for day in &days.days {
                    cell(view, grid, day, chosen.is_some_and(|chosen| chosen.date == day.date));
                }
            });
            group.element("div", &[("class", "row")], |row| moves(view, row, days));
        });
        times(view, html, days, chosen);
    });
}

/// The date that was asked for while something is free on it, else the next one with a free time.
fn chosen_day<'a>(view: &FormView<'_>, days: &'a Days) -> Option<&'a DayOverview> {
    let wanted = view.draft.day();
    let is_free = |day: &&DayOverview| !day.free().is_empty();
    wanted
        .and_then(|date| days.get(date))
        .filter(is_free)
        .or_else(|| {
            days.days.iter().filter(is_free).find(|day| wanted.is_none_or(|d| day.date >= d))
        })
        .or_else(|| days.days.iter().find(is_free))
}

fn cell(view: &FormView<'_>, grid: &mut Html, day: &DayOverview, is_chosen: bool) {
    let texts = view.texts;
    let (date, free) = (day.date.to_string(), day.free().len());
    let id = format!("day-{date}");
    let (class, state, spoken) = match day.state {
        DayState::Closed => ("day closed", texts.closed.to_owned(), texts.closed.to_owned()),
        DayState::Full => ("day full", texts.full.to_owned(), texts.full.to_owned()),
        DayState::Free(_) => {
            let few_words = texts.few_words_free.replace("{}", &free.to_string());
            ("day", few_words, texts.free(free))
        }
    };
    grid.element("label", &[("class", class), ("for", &id)], |label| {
        let name = format!("{}, {spoken}", texts.long_date(day.date));
        let mut attributes: Vec<Attribute<'_>> = vec![
            ("type", "radio"),
            ("name", "date"),
            ("value", &date),
            ("id", &id),
            ("aria-label", &name),
        ];
        if is_chosen {
            attributes.push(("checked", ""));
        }
        if free == 0 {
            attributes.push(("disabled", ""));
        }
        label.void("input", &attributes);
        label.element("span", &[("class", "face"), ("aria-hidden", "true")], |face| {
            face.line("span", &[("class", "weekday")], texts.short_weekday(day.date));
            face.line("strong", &[], &day.date.day().to_string());
            face.line("span", &[("class", "state")], &state);
        });
    });
}

/// The buttons between the dates and the times.
fn moves(view: &FormView<'_>, row: &mut Html, days: &Days) {
    let (Some(first), Some(today)) = (days.days.first(), view.today) else { return };
    let button = |row: &mut Html, value: &str, class, text| {
        let attributes = [("name", "show"), ("value", value), ("class", class), ("type", "submit")];
        row.line("button", &attributes, text);
    };
    if first.date > today {
        let earlier = moved(first.date, false).max(today);
        button(row, &earlier.to_string(), "quiet move", view.texts.earlier);
    }
    let last = today.saturating_add(jiff::Span::new().days(days.calendar.settings().horizon_days));
    let later = moved(first.date, true);
    if later <= last {
        button(row, &later.to_string(), "quiet move", view.texts.later);
    }
    // With the script the times come by themselves.
    button(row, "times", "quiet noscript", view.texts.show_times);
}

fn times(view: &FormView<'_>, html: &mut Html, days: &Days, chosen: Option<&DayOverview>) {
    let texts = view.texts;
    let legend = match chosen {
        Some(day) => texts.times_on.replace("{}", &texts.long_date(day.date)),
        None => texts.time_legend.to_owned(),
    };
    html.element("div", &[("id", "times")], |html| {
        view.group(html, "time", &legend, |group| {
            let free = chosen.map(DayOverview::free).unwrap_or_default();
            if free.is_empty() {
                group.line("p", &[("id", "time"), ("tabindex", "-1")], texts.nothing_free);
                return;
            }
            let picked = picked(view, chosen.map(|day| day.date), free);
            if view.draft.wants_nearest
                && let Some(time) = picked
            {
                let text = texts.nearest.replace("{}", &texts.time(time));
                group.line("p", &[("class", "note")], &text);
            }
            group.element("div", &[("class", "times"), ("id", "time")], |grid| {
                for time in free {
                    let value = time.to_string();
                    let id = format!("time-{}", time.minute_of_day());
                    card(grid, ("time", &value, &id), picked == Some(*time), |face| {
                        face.text(&texts.time(*time));
                    });
                }
            });
            let zone = days.calendar.zone_name();
            let attributes = [("class", "hint"), ("id", "zone"), ("data-zone", zone)];
            group.line("p", &attributes, &texts.zone(zone));
        });
    });
}

/// The time that is chosen: what was, or the nearest one when that is gone.
fn picked(view: &FormView<'_>, date: Option<civil::Date>, free: &[SlotTime]) -> Option<SlotTime> {
    let wanted = SlotTime::parse(&view.draft.time).ok()?;
    if date == view.draft.day() && free.contains(&wanted) {
        return Some(wanted);
    }
    let is_wrong = layout::of("time", &view.problems).is_some() || view.draft.wants_nearest;
    if is_wrong { nearest(wanted, free) } else { None }
}
