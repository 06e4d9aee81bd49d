//! The owner's view of the calendar: the bookings of a date, for his texts, and time off.

use futures::future::{join_all, try_join_all};
use jiff::{Span, Timestamp, civil};

use crate::{
    app::owner_news::quoted,
    domain::{
        calendar::{Calendar, weekday_name},
        day_schedule::{DaySchedule, Hold},
        lead::{Lead, LeadId, repair_display_name},
        phone::Phone,
        slot::{Slot, SlotTime},
        time_off::{self, TimeOffChange, TimeOffRow},
        time_span::TimeSpan,
        turn::TurnKey,
    },
    ports::{Store, StoreError},
};

/// Attempts at a change while others change the same date.
const ATTEMPTS: usize = 6;
/// Days ahead whose customers the owner may mean by a few digits.
const DAYS_AHEAD: i64 = 7;
/// Hours for which a customer who wrote may be meant by a few digits.
const RECENT: jiff::SignedDuration = jiff::SignedDuration::from_hours(7 * 24);

/// The calendar as the owner handles it at one moment of business time.
#[derive(Clone, Copy)]
pub struct OwnerDesk<'a> {
    /// The database.
    pub store: &'a dyn Store,
    /// The calendar as its owner has it.
    pub calendar: &'a Calendar,
    /// Business time.
    pub now: Timestamp,
}

/// The customers whose number ends in some digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipients {
    /// The customers, each once.
    pub phones: Vec<Phone>,
    /// Texts that wait for the owner's answer.
    pub unanswered: Vec<TurnKey>,
}

/// What time off touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TouchedDay {
    /// The bookings that it touches, by time.
    pub bookings: Vec<Hold>,
    /// Whether the date has rows that cannot be read, which may be bookings, too.
    pub is_unreadable: bool,
}

/// Why time was not taken off or given back.
#[derive(Debug, thiserror::Error)]
pub enum TimeOffError {
    /// The date lies in the past.
    #[error("{} is over", day_text(*.0))]
    Over(civil::Date),
    /// The schedule cannot be read or written.
    #[error("the schedule is not available right now")]
    Store(#[from] StoreError),
}

impl OwnerDesk<'_> {
    /// What is on a date, for the owner to read.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn list(&self, date: civil::Date) -> Result<String, StoreError> {
        let day = self.store.day_schedule(date).await?.at(self.now);
        let mut holds: Vec<&Hold> = day.holds.iter().collect();
        holds.sort_by_key(|hold| (hold.start, hold.is_time_off));
        let (off, booked): (Vec<&Hold>, Vec<&Hold>) =
            holds.into_iter().partition(|hold| hold.is_time_off);
        let (unconfirmed, booked): (Vec<&Hold>, Vec<&Hold>) =
            booked.into_iter().partition(|hold| day.is_unconfirmed(hold));
        let mut lines = self.describe(&booked).await?;
        if lines.is_empty() {
            lines.push("no bookings".to_owned());
        }
        // Nobody is named who has not confirmed it.
        let held = |hold: &&Hold| format!("{} held by the form for some minutes", hold.start);
        lines.extend(unconfirmed.iter().map(held));
        lines.extend(time_off_line(&off));
        if !day.unreadable.is_empty() {
            lines.push("a row of that day cannot be read, so nothing is offered".to_owned());
        }
        Ok(format!("{}: {}", day_text(date), lines.join("; ")))
    }

    /// Takes a part of a date off, or all of it. Bookings stay; those that it touches and that are not
    /// over are returned, by time.
    ///
    /// # Errors
    /// Every [`TimeOffError`].
    pub async fn take_off(
        &self,
        date: civil::Date,
        part: Option<TimeSpan>,
    ) -> Result<TouchedDay, TimeOffError> {
        self.refuse_the_past(date)?;
        // All of it, whatever the opening hours are by then.
        let span = part.unwrap_or(TimeSpan::WHOLE_DAY);
        let day = self.change(date, |day| time_off::block(day, span)).await?;
        let (day, now) = (day.at(self.now), self.calendar.local(self.now));
        let stands = |hold: &&Hold| {
            // Whoever confirms a time that the form holds is told that it is taken.
            !day.is_unconfirmed(hold)
                && hold.time_needed().is_open_at(Slot::new(date, hold.start), now)
        };
        let bookings = time_off::touched(&day, span).into_iter().filter(stands).cloned().collect();
        Ok(TouchedDay { bookings, is_unreadable: !day.unreadable.is_empty() })
    }

    /// Ends time off within a part of a date, or all of it. Returns whether there was any.
    ///
    /// # Errors
    /// [`TimeOffError::Over`] and [`TimeOffError::Store`].
    pub async fn give_back(
        &self,
        date: civil::Date,
        part: Option<TimeSpan>,
    ) -> Result<bool, TimeOffError> {
        self.refuse_the_past(date)?;
        let day = self.change(date, |day| time_off::open(day, part)).await?;
        Ok(!time_off::open(&day, part).is_empty())
    }

    /// Takes time off and says so: the answer names the bookings that it touches.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub async fn block(
        &self,
        date: civil::Date,
        part: Option<TimeSpan>,
    ) -> Result<String, StoreError> {
        let touched = match self.take_off(date, part).await {
            Ok(touched) => touched,
            Err(TimeOffError::Store(error)) => return Err(error),
            Err(refusal) => return Ok(format!("{refusal}.")),
        };
        let done = match part {
            Some(span) => format!("Blocked {}, {}.", day_text(date), span_text(span)),
            None => format!("Closed {}.", day_text(date)),
        };
        let bookings: Vec<&Hold> = touched.bookings.iter().collect();
        let Ok(bookings) = self.describe(&bookings).await else {
            return Ok(format!("{done} Its bookings cannot be read right now, please look later."));
        };
        let mut answer = done;
        if !bookings.is_empty() {
            let bookings = bookings.join("; ");
            answer.push_str(&format!(" Still booked then, please call them: {bookings}"));
        }
        if touched.is_unreadable {
            answer.push_str(" A row of that day cannot be read, please look.");
        }
        Ok(answer)
    }

    /// Ends time off and says so.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub async fn open(
        &self,
        date: civil::Date,
        part: Option<TimeSpan>,
    ) -> Result<String, StoreError> {
        let was_off = match self.give_back(date, part).await {
            Ok(was_off) => was_off,
            Err(TimeOffError::Store(error)) => return Err(error),
            Err(refusal) => return Ok(format!("{refusal}.")),
        };
        let day_text = day_text(date);
        let mut answer = match (was_off, part) {
            (false, _) => format!("Nothing was blocked {day_text}."),
            (true, Some(span)) => format!("Open again {day_text}, {}.", span_text(span)),
            (true, None) => format!("Open again {day_text}."),
        };
        if self.calendar.closed_days().contains(&date.weekday()) {
            answer.push_str(&format!(
                " The shop is closed on {}s all the same.",
                weekday_name(date.weekday())
            ));
        } else if self.calendar.is_closed(date) {
            answer.push_str(" It is one of the calendar's closed dates all the same.");
        }
        Ok(answer)
    }

    /// The customers whose number ends in `digits`: those who wait for an answer, have a booking
    /// today or within a week, or wrote within the last week. A number in full means that one only.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn recipients(&self, digits: &str) -> Result<Recipients, StoreError> {
        let today = self.calendar.today(self.now);
        let dates = (0..=DAYS_AHEAD).map(|days| today.saturating_add(Span::new().days(days)));
        let since = self.now.checked_sub(RECENT).unwrap_or(Timestamp::MIN);
        let (unanswered, recent, days) = futures::join!(
            self.store.unanswered(),
            self.store.recent_customers(since),
            join_all(dates.map(|date| self.store.day_schedule(date)))
        );
        let unanswered: Vec<TurnKey> = unanswered?.into_iter().map(|text| text.key).collect();
        let mut phones: Vec<Phone> = unanswered.iter().map(|key| key.phone.clone()).collect();
        phones.extend(recent?);
        for day in days {
            phones.extend(day?.holds.into_iter().filter_map(|hold| hold.phone));
        }
        phones.retain(|phone| phone.as_str().ends_with(digits));
        phones.sort();
        phones.dedup();
        if let Some(exact) =
            phones.iter().find(|phone| phone.as_str().trim_start_matches('+') == digits).cloned()
        {
            phones = vec![exact];
        }
        Ok(Recipients { phones, unanswered })
    }

    /// Writes a change of a date's time off. Returns the schedule on which it was decided.
    async fn change(
        &self,
        date: civil::Date,
        rows: impl Fn(&DaySchedule) -> Vec<TimeOffRow> + Send,
    ) -> Result<DaySchedule, StoreError> {
        for _ in 0..ATTEMPTS {
            let day = self.store.versioned_day_schedule(date).await?;
            let rows = rows(&day);
            if rows.is_empty() {
                return Ok(day);
            }
            let change = TimeOffChange { date, day_version: day.version, rows, now: self.now };
            if self.store.change_time_off(&change).await? {
                return Ok(day);
            }
        }
        Err(StoreError::Unavailable("the date's schedule keeps changing".into()))
    }

    /// `2:00 PM iPhone screen, Ann, +1...` for each booking.
    async fn describe(&self, holds: &[&Hold]) -> Result<Vec<String>, StoreError> {
        let leads = try_join_all(holds.iter().map(|hold| lead_of(self.store, hold))).await?;
        holds
            .iter()
            .zip(leads)
            .map(|(hold, lead)| {
                let what = match &lead {
                    Some(lead) => repair_display_name(&lead.repair, &lead.device),
                    None => "booked".to_owned(),
                };
                let name = lead.as_ref().and_then(|lead| lead.customer_name.as_deref());
                let name = name.map(quoted);
                let phone = lead.map(|lead| lead.phone).or_else(|| hold.phone.clone());
                let done = hold.is_done.then(|| "done".to_owned());
                let who = [name, phone.map(|phone| phone.as_str().to_owned()), done];
                let who: String = who.into_iter().flatten().map(|who| format!(", {who}")).collect();
                Ok(format!("{} {what}{who}", hold.start))
            })
            .collect()
    }

    fn refuse_the_past(&self, date: civil::Date) -> Result<(), TimeOffError> {
        let is_over = date < self.calendar.today(self.now);
        if is_over { Err(TimeOffError::Over(date)) } else { Ok(()) }
    }
}

/// The lead of a hold. `None` for a time that is held without one, and for one of the old system that
/// cannot be read: its row holds the time all the same.
pub(super) async fn lead_of(store: &dyn Store, hold: &Hold) -> Result<Option<Lead>, StoreError> {
    if hold.lead_id.is_empty() {
        return Ok(None);
    }
    match store.lead(&LeadId::from_row(&hold.lead_id)).await {
        Err(StoreError::Malformed { .. }) => Ok(None),
        found => found,
    }
}

fn day_text(date: civil::Date) -> String {
    date.strftime("%a %b %-d").to_string()
}

fn span_text(span: TimeSpan) -> String {
    format!("{} to {}", span.start, end_text(span.end()))
}

fn end_text(end: u16) -> String {
    SlotTime::from_minute_of_day(end).map_or_else(|| "midnight".to_owned(), |end| end.to_string())
}

/// `blocked 2:00 PM to 4:00 PM`, with parts that meet as one.
fn time_off_line(off: &[&Hold]) -> Option<String> {
    let spans: Vec<TimeSpan> = time_off::merged(off.iter().copied())
        .iter()
        .filter_map(|piece| {
            let begin = piece.start.minute_of_day();
            TimeSpan::between(begin, begin.saturating_add(piece.minutes))
        })
        .collect();
    if spans.contains(&TimeSpan::WHOLE_DAY) {
        return Some("closed all day".to_owned());
    }
    let spans: Vec<String> = spans.into_iter().map(span_text).collect();
    (!spans.is_empty()).then(|| format!("blocked {}", spans.join(", ")))
}
