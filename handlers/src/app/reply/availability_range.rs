//! The free times of several dates in one tool call, for wishes such as "any time next week".

use jiff::{Span, civil};
use serde_json::json;

use super::{tool_outcome::ToolOutcome, tool_runner::ToolRunner};
use crate::domain::{slot::time_texts, time_needed::TimeNeeded};

/// Most dates that one call reads.
const MAX_DAYS: usize = 14;
/// Most times of one date in the result.
const MAX_TIMES_PER_DAY: usize = 6;
/// Times in the result after which no further date is read.
const MAX_TIMES: usize = 30;

impl ToolRunner<'_> {
    /// The first free times of the dates from `first` to `last`. Dates on which the shop takes no
    /// bookings at all are left out without being read.
    pub(super) async fn check_range(
        &self,
        first: civil::Date,
        last: civil::Date,
        needed: TimeNeeded,
    ) -> ToolOutcome {
        let bookings = self.bookings();
        let dates = (0_i64..)
            .take(MAX_DAYS)
            .map(|days| first.saturating_add(Span::new().days(days)))
            .take_while(|date| *date <= last);
        let (mut days, mut count, mut checked_until, mut reason) = (Vec::new(), 0, first, None);
        for date in dates {
            checked_until = date;
            if let Some(unbookable) = bookings.calendar.day_unbookable_reason(date, self.now) {
                reason.get_or_insert(unbookable);
                continue;
            }
            let day = match bookings.available(date, needed).await {
                Ok(day) => day,
                Err(error) => return self.read_failure(&error),
            };
            self.tell_of_unreadable_date(&day).await;
            let most = MAX_TIMES_PER_DAY.min(MAX_TIMES - count);
            let times = day.slots.get(..most).unwrap_or(&day.slots);
            count += times.len();
            let mut row = json!({ "date": date.to_string(), "available_slots": time_texts(times) });
            if times.len() < day.slots.len() {
                row["has_more"] = json!(true);
            }
            days.push(row);
            if count >= MAX_TIMES {
                break;
            }
        }
        match reason {
            Some(reason) if days.is_empty() => self.unbookable(&reason),
            _ => ToolOutcome::of(json!({
                "success": true,
                "days": days,
                "checked_until": checked_until.to_string(),
                "message": "The first free times of each day; where has_more is true there are \
                            others. Days up to checked_until that are not named are closed",
            })),
        }
    }
}
