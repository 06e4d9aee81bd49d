//! Time off that the owner takes and gives back, by text, on his page or by the API.
//!
//! Time off is one row of the schedule for each hour, so that older programs, which look for a
//! slot's own row, respect it too. A booking that exists keeps its row; the time off beside it has
//! another spelling of the same time, and outlives the booking's cancellation.

use jiff::{Timestamp, civil};

use super::{
    day_schedule::{DaySchedule, Hold},
    slot::SlotTime,
    time_span::TimeSpan,
};

const HOUR: u16 = 60;

/// A row of the schedule that becomes time off, or free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeOffRow {
    /// The time as the row spells it.
    pub key: String,
    /// How long the time off lasts; `None` frees the row.
    pub minutes: Option<u16>,
}

/// A change of a date's time off to write, on the condition that the date's schedule is unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeOffChange {
    /// The date.
    pub date: civil::Date,
    /// Version of the date's schedule on which the change was decided.
    pub day_version: u64,
    /// The rows; none is a booking's.
    pub rows: Vec<TimeOffRow>,
    /// Business time.
    pub now: Timestamp,
}

/// The rows that make a part of a day time off.
pub fn block(day: &DaySchedule, span: TimeSpan) -> Vec<TimeOffRow> {
    let mut rows = Vec::new();
    add(&mut rows, day, span);
    rows
}

/// The rows that end time off within a part of a day; `None` is the whole day. Bookings stay.
pub fn open(day: &DaySchedule, span: Option<TimeSpan>) -> Vec<TimeOffRow> {
    let (from, until) =
        span.map_or((0, 24 * HOUR), |span| (span.start.minute_of_day(), span.end()));
    let mut rows = Vec::new();
    let overlapping =
        day.holds.iter().filter(|hold| hold.is_time_off && begin(hold) < until && from < end(hold));
    let mut after = Vec::new();
    for hold in overlapping {
        // What was before the part stays time off in the same row.
        let before = from.checked_sub(begin(hold)).filter(|minutes| *minutes > 0);
        rows.push(TimeOffRow { key: hold.key.clone(), minutes: before });
        after.extend(TimeSpan::between(until, end(hold)));
    }
    for rest in after {
        add(&mut rows, day, rest);
    }
    rows
}

/// The bookings that a part of a day touches and that are not done, by time.
pub fn touched(day: &DaySchedule, span: TimeSpan) -> Vec<&Hold> {
    let overlaps = |hold: &&Hold| {
        let (from, until) = hold.time_needed().occupied(hold.start);
        hold.is_expected() && from < span.end() && span.start.minute_of_day() < until
    };
    let mut touched: Vec<&Hold> = day.holds.iter().filter(overlaps).collect();
    touched.sort_by_key(|hold| hold.start);
    touched
}

/// Time off of a date with pieces that meet as one, by time. A piece keeps its first row's key.
pub fn merged<'a>(holds: impl IntoIterator<Item = &'a Hold>) -> Vec<Hold> {
    let mut off: Vec<&Hold> = holds.into_iter().filter(|hold| hold.is_time_off).collect();
    off.sort_by_key(|hold| hold.start);
    let mut merged: Vec<Hold> = Vec::new();
    for hold in off {
        match merged.last_mut() {
            Some(last) if begin(hold) <= end(last) => {
                last.minutes = end(hold).max(end(last)) - begin(last);
            }
            _ => merged.push(Hold { minutes: end(hold) - begin(hold), ..hold.clone() }),
        }
    }
    merged
}

fn begin(hold: &Hold) -> u16 {
    hold.start.minute_of_day()
}

fn end(hold: &Hold) -> u16 {
    begin(hold).saturating_add(hold.minutes).min(24 * HOUR)
}

/// Adds the rows of a part of a day, one for each hour that it touches.
fn add(rows: &mut Vec<TimeOffRow>, day: &DaySchedule, span: TimeSpan) {
    let mut at = span.start.minute_of_day();
    while at < span.end() {
        let next = ((at / HOUR + 1) * HOUR).min(span.end());
        if let Some(start) = SlotTime::from_minute_of_day(at) {
            rows.extend(row(rows, day, start, next - at));
        }
        at = next;
    }
}

/// The row of a piece of time off, in a spelling that no booking has. Longer time off that begins
/// at the same time stays.
fn row(
    rows: &[TimeOffRow],
    day: &DaySchedule,
    start: SlotTime,
    minutes: u16,
) -> Option<TimeOffRow> {
    let is_free = |key: &String| {
        !rows.iter().any(|row| row.key == *key)
            && !day.holds.iter().any(|hold| hold.key == *key && !hold.is_time_off)
            && !day.unreadable.iter().any(|row| row.key == *key)
    };
    let key = spellings(start).into_iter().find(is_free)?;
    let present = day.holds.iter().find(|hold| hold.key == key).map_or(0, |hold| hold.minutes);
    Some(TimeOffRow { key, minutes: Some(minutes.max(present)) })
}

/// `2:00 PM` and other forms that are read as the same time. The first is that of bookings.
fn spellings(time: SlotTime) -> [String; 3] {
    let text = time.to_string();
    let clock = format!("{:02}:{:02}", time.hour(), time.minute());
    let tight = text.replace(' ', "");
    [text, clock, tight]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::day_schedule::UnreadableRow;

    fn hold(key: &str, minutes: u16, lead_id: &str) -> Hold {
        Hold {
            key: key.to_owned(),
            start: SlotTime::parse(key).unwrap(),
            minutes,
            travel: 0,
            lead_id: lead_id.to_owned(),
            phone: None,
            is_time_off: lead_id.is_empty(),
            is_done: false,
        }
    }

    fn day(holds: impl IntoIterator<Item = Hold>) -> DaySchedule {
        DaySchedule { holds: holds.into_iter().collect(), ..DaySchedule::default() }
    }

    fn span(start: u16, end: u16) -> TimeSpan {
        TimeSpan::between(start, end).unwrap()
    }

    fn rows(expected: &[(&str, Option<u16>)]) -> Vec<TimeOffRow> {
        let row = |(key, minutes): &(&str, Option<u16>)| TimeOffRow {
            key: (*key).to_owned(),
            minutes: *minutes,
        };
        expected.iter().map(row).collect()
    }

    #[test]
    fn each_hour_has_a_row() {
        let changes = block(&day([]), span(14 * 60, 16 * 60));
        assert_eq!(changes, rows(&[("2:00 PM", Some(60)), ("3:00 PM", Some(60))]));
        let changes = block(&day([]), span(14 * 60 + 30, 16 * 60 + 15));
        let expected = [("2:30 PM", Some(30)), ("3:00 PM", Some(60)), ("4:00 PM", Some(15))];
        assert_eq!(changes, rows(&expected));
    }

    #[test]
    fn a_booking_keeps_its_row_however_it_is_spelled() {
        let booked = day([hold("2:00 PM", 60, "LEAD-1")]);
        assert_eq!(block(&booked, span(840, 900)), rows(&[("14:00", Some(60))]));
        let booked = day([hold("2:00 PM", 60, "LEAD-1"), hold("14:00", 60, "LEAD-2")]);
        assert_eq!(block(&booked, span(840, 900)), rows(&[("2:00PM", Some(60))]));
        for spelling in spellings(SlotTime::hour_of_day(14)) {
            assert_eq!(SlotTime::parse(&spelling), Ok(SlotTime::hour_of_day(14)));
        }
    }

    #[test]
    fn a_row_that_cannot_be_read_keeps_its_key() {
        let row = UnreadableRow { key: "2:00 PM".into(), lead_id: "LEAD-1".into() };
        let odd = DaySchedule { unreadable: vec![row], ..DaySchedule::default() };
        assert_eq!(block(&odd, span(840, 900)), rows(&[("14:00", Some(60))]));
    }

    #[test]
    fn longer_time_off_stays() {
        let off = day([hold("2:00 PM", 120, "")]);
        assert_eq!(block(&off, span(840, 900)), rows(&[("2:00 PM", Some(120))]));
    }

    #[test]
    fn only_time_off_is_opened() {
        let held =
            day([hold("9:00 AM", 60, ""), hold("2:00 PM", 60, "LEAD-1"), hold("14:00", 60, "")]);
        assert_eq!(open(&held, None), rows(&[("9:00 AM", None), ("14:00", None)]));
        assert_eq!(open(&held, Some(span(840, 900))), rows(&[("14:00", None)]));
        assert_eq!(open(&held, Some(span(600, 660))), []);
    }

    #[test]
    fn what_lies_outside_of_the_opened_part_stays_time_off() {
        let off = day([hold("2:00 PM", 180, "")]);
        let changes = open(&off, Some(span(15 * 60, 16 * 60)));
        assert_eq!(changes, rows(&[("2:00 PM", Some(60)), ("4:00 PM", Some(60))]));
        let changes = open(&off, Some(span(14 * 60, 15 * 60)));
        let expected = [("2:00 PM", None), ("3:00 PM", Some(60)), ("4:00 PM", Some(60))];
        assert_eq!(changes, rows(&expected));
    }

    #[test]
    fn pieces_that_meet_are_one() {
        let off = [
            hold("3:00 PM", 60, ""),
            hold("2:00 PM", 60, ""),
            hold("2:30 PM", 10, ""),
            hold("4:00 PM", 60, "LEAD-1"),
            hold("11:00 PM", 120, ""),
        ];
        let pieces: Vec<_> =
            merged(&off).iter().map(|piece| (piece.key.clone(), piece.minutes)).collect();
        assert_eq!(pieces, [("2:00 PM".to_owned(), 120), ("11:00 PM".to_owned(), 60)]);
    }

    #[test]
    fn touched_are_the_bookings_that_overlap_and_are_not_done() {
        let held = day([
            hold("3:00 PM", 60, "LEAD-2"),
            hold("1:30 PM", 60, "LEAD-1"),
            hold("2pm", 60, ""),
            Hold { is_done: true, ..hold("2:30 PM", 60, "LEAD-3") },
        ]);
        let names: Vec<_> =
            touched(&held, span(840, 930)).iter().map(|hold| hold.lead_id.as_str()).collect();
        assert_eq!(names, ["LEAD-1", "LEAD-2"]);
        assert_eq!(touched(&held, span(960, 1020)), Vec::<&Hold>::new());
    }
}
