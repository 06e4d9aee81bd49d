//! The functions of a persona's templates for days, times and lists.

use jiff::civil::Date;
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, Value};

use super::{choices, days, times};

/// An environment in which undefined names are errors, with the functions `date`, `time`, `explicit`, `later`,
/// `clash`, `pick`, `offered`, `nice`, `near`, `part` and `either`, which are filters, too.
pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    macro_rules! both {
        ($($name:ident),*) => {$(
            environment.add_function(stringify!($name), $name);
            environment.add_filter(stringify!($name), $name);
        )*};
    }
    both!(date, time, explicit, later, clash, pick, offered, nice, near, part, either);
    environment
}

/// The first day in a text, as `2026-02-11`, or none.
fn date(state: &State<'_, '_>, text: Value) -> Result<Value, Error> {
    let today = today(state)?;
    let said = state.lookup("said");
    let said = said.as_ref().and_then(Value::as_str).unwrap_or_default();
    Ok(text
        .as_str()
        .and_then(|text| days::date(&choices::without_place(said, text), today))
        .map_or(Value::from(()), |day| Value::from(day.to_string())))
}

/// The last time of day in a text, as `2:00 PM`, or none.
fn time(text: Value) -> Value {
    text.as_str()
        .and_then(times::time)
        .map_or(Value::from(()), |time| Value::from(times::show_time(time)))
}

/// Whether a text has a word that says that its number is a time.
fn explicit(text: &str) -> bool {
    times::is_explicit(text)
}

/// The time that a text names by how far off it is, "in an hour", or none.
fn later(state: &State<'_, '_>, text: Value) -> Value {
    let now = state.lookup("now").and_then(|now| now.as_str().and_then(times::time));
    let later = now.zip(text.as_str()).and_then(|(now, text)| times::later(text, now));
    later.map_or(Value::from(()), |time| Value::from(times::show_time(time)))
}

/// The two days that a text names although they are one, "friday the 11th", as a list; none otherwise.
fn clash(state: &State<'_, '_>, text: Value) -> Result<Value, Error> {
    let today = today(state)?;
    Ok(text
        .as_str()
        .and_then(|text| days::clash(text, today))
        .map_or(Value::from(()), |(a, b)| Value::from(vec![a.to_string(), b.to_string()])))
}

/// The time that a text chooses among those that were offered, or none.
fn pick(offer: &str, text: &str) -> Value {
    let picked = choices::pick(offer, text);
    picked.map_or(Value::from(()), |time| Value::from(times::show_time(time)))
}

/// The times that a text offers, as a list.
fn offered(text: &str) -> Vec<String> {
    choices::offered(text).into_iter().map(times::show_time).collect()
}

/// A day in words: `tomorrow (Wed Feb 11)`, `Fri Feb 13`.
fn nice(state: &State<'_, '_>, date: &str) -> Result<String, Error> {
    let today = today(state)?;
    let day: Date = date
        .parse()
        .map_err(|_| Error::new(ErrorKind::InvalidOperation, format!("'{date}' is not a date")))?;
    let name = day.strftime("%a %b %-d");
    Ok(if day == today {
        format!("today ({name})")
    } else if today.tomorrow().is_ok_and(|tomorrow| day == tomorrow) {
        format!("tomorrow ({name})")
    } else {
        name.to_string()
    })
}

/// The two times of a list that are nearest to a time, the earlier one first.
fn near(slots: &Value, wanted: &str) -> Result<Vec<String>, Error> {
    let wanted = i32::from(times::time(wanted).unwrap_or(12 * 60));
    let mut slots = read(slots)?;
    slots.sort_by_key(|(minutes, _)| (i32::from(*minutes) - wanted).abs());
    slots.truncate(2);
    slots.sort();
    Ok(slots.into_iter().map(|(_, slot)| slot).collect())
}

/// The times of a list in the part of the day that a text names, "in the afternoon", "after 2"; all if
/// it names none or there is none.
fn part(slots: &Value, text: &str) -> Result<Vec<String>, Error> {
    let text = text.to_lowercase();
    // "after 2", "before 11"
    let bound = |word: &str| {
        let (_, rest) = text.split_once(word)?;
        times::time(&format!("at {}", rest.trim_start()))
    };
    let (from, to) = if let Some(from) = bound("after ").or_else(|| bound("later than ")) {
        (from / 60 + 1, 24)
    } else if let Some(to) = bound("before ").or_else(|| bound("earlier than ")) {
        (0, to / 60)
    } else if text.contains("morning") {
        (0, 12)
    } else if text.contains("afternoon") {
        (12, 24)
    } else if text.contains("evening") || text.contains("after work") {
        (15, 24)
    } else {
        (0, 24)
    };
    let slots = read(slots)?;
    let fitting: Vec<String> = slots
        .iter()
        .filter(|(minutes, _)| (from * 60..to * 60).contains(minutes))
        .map(|(_, slot)| slot.clone())
        .collect();
    Ok(if fitting.is_empty() { slots.into_iter().map(|(_, slot)| slot).collect() } else { fitting })
}

/// At most four items of a list in words: `9:00 AM, 10:00 AM or 1:00 PM`.
fn either(list: &Value) -> Result<String, Error> {
    let items: Vec<String> = list.try_iter()?.take(4).map(|v| v.to_string()).collect();
    Ok(match items.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    })
}

/// The times of a list, as minutes from midnight and as they are written.
fn read(slots: &Value) -> Result<Vec<(u16, String)>, Error> {
    let items = slots.try_iter()?;
    Ok(items
        .filter_map(|slot| {
            let slot = slot.as_str()?.to_owned();
            Some((times::time(&slot)?, slot))
        })
        .collect())
}

/// Today, as the conversation has it.
fn today(state: &State<'_, '_>) -> Result<Date, Error> {
    let today = state.lookup("today");
    today
        .as_ref()
        .and_then(Value::as_str)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "'today' is not known here"))
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;

    fn render(template: &str) -> String {
        let slots = ["9:00 AM", "10:00 AM", "1:00 PM", "3:00 PM", "4:00 PM"];
        let context = context! { today => "2026-02-10", slots => slots };
        environment().render_str(template, context).unwrap()
    }

    #[test]
    fn days_and_times_are_found_and_put_in_words() {
        assert_eq!(
            render("{{ 'tomorrow at 2' | date }} {{ time('tomorrow at 2') }}"),
            "2026-02-11 2:00 PM"
        );
        assert_eq!(render("{{ 'hello' | date is none }}"), "True");
        assert_eq!(
            render("{{ nice('2026-02-10') }}, {{ nice('2026-02-11') }}, {{ nice('2026-02-13') }}"),
            "today (Tue Feb 10), tomorrow (Wed Feb 11), Fri Feb 13"
        );
    }

    #[test]
    fn times_of_a_list_are_selected_and_joined() {
        assert_eq!(render("{{ slots | near('2:00 PM') | either }}"), "1:00 PM or 3:00 PM");
        assert_eq!(render("{{ slots | part('in the morning') | either }}"), "9:00 AM or 10:00 AM");
        assert_eq!(render("{{ slots | either }}"), "9:00 AM, 10:00 AM, 1:00 PM or 3:00 PM");
        assert_eq!(render("{{ [] | either }}"), "");
    }
}
