//! What the owner's page shows and changes: bookings by date, customers who wait, conversations.

mod changes;

use std::{collections::BTreeSet, sync::Arc};

use futures::future::{join_all, try_join_all};
use jiff::{SignedDuration, Span, Timestamp, civil};

use super::{current_calendar::current_calendar, owner_desk::lead_of};
use crate::{
    domain::{
        calendar::Calendar,
        day_schedule::Hold,
        lead::{Lead, LeadId},
        outbox::UnansweredText,
        owner::OwnerState,
        phone::Phone,
        text, time_off,
        turn::MemoryTurn,
    },
    ports::{BackgroundWorker, IdGenerator, Store, StoreError},
};

pub use changes::{OwnerPageError, OwnersChange, Told};

/// Most days of an overview: each costs a query.
pub const MAX_DAYS: u8 = 14;
/// Conversations that are listed: each costs a read, and one for each booking in it.
const CONVERSATIONS: usize = 10;
/// How long ago the last text of a listed conversation may be.
const RECENT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The use case behind the owner's page.
#[derive(Clone)]
pub struct OwnerPageService {
    store: Arc<dyn Store>,
    ids: Arc<dyn IdGenerator>,
    background: Arc<dyn BackgroundWorker>,
    deployed: Calendar,
}

/// What the page shows first.
#[derive(Debug, Clone)]
pub struct Overview {
    /// The owner's state.
    pub owner: OwnerState,
    /// The calendar as its owner has it now.
    pub calendar: Calendar,
    /// The dates, in order.
    pub days: Vec<Day>,
    /// Texts that wait for the owner's answer, the longest first.
    pub unanswered: Vec<UnansweredText>,
}

/// A date of the calendar.
#[derive(Debug, Clone)]
pub struct Day {
    /// The date.
    pub date: civil::Date,
    /// Rows that cannot be read, so that nothing of the date is offered.
    pub unreadable: usize,
    /// What holds its times, in order.
    pub entries: Vec<Entry>,
}

/// A time of a date that is held.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The time.
    pub hold: Hold,
    /// Whose it is.
    pub kind: EntryKind,
}

/// Whose a time is.
#[derive(Debug, Clone)]
pub enum EntryKind {
    /// The owner took it off.
    TimeOff,
    /// The form holds it for some minutes. Nobody is named who has not confirmed it.
    Unconfirmed,
    /// A booking; without its lead when that is missing or cannot be read.
    Booking(Option<Box<Lead>>),
}

/// What was said lately with a customer.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// The customer.
    pub phone: Phone,
    /// The turns, oldest first.
    pub turns: Vec<MemoryTurn>,
    /// The bookings that the answers name, as they are now.
    pub leads: Vec<Lead>,
}

impl OwnerPageService {
    /// The use case on its ports, with the calendar that holds until its owner changes it.
    pub fn new(
        store: Arc<dyn Store>,
        ids: Arc<dyn IdGenerator>,
        background: Arc<dyn BackgroundWorker>,
        deployed: Calendar,
    ) -> Self {
        Self { store, ids, background, deployed }
    }

    /// Tells a session from others.
    pub fn session_id(&self) -> String {
        self.ids.generate()
    }

    /// Reads `days` dates from `from`, or from today, and who waits for an answer. Costs a query for
    /// each date and one for each booking, side by side.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn overview(
        &self,
        from: Option<civil::Date>,
        days: u8,
        now: Timestamp,
    ) -> Result<Overview, StoreError> {
        let from = from.unwrap_or_else(|| self.deployed.today(now));
        let dates = (0..i64::from(days.min(MAX_DAYS)))
            .map(|day| from.saturating_add(Span::new().days(day)));
        let (current, unanswered, days) = futures::join!(
            current_calendar(self.store.as_ref(), &self.deployed),
            self.store.unanswered(),
            try_join_all(dates.map(|date| self.day(date, now)))
        );
        let ((owner, calendar), mut unanswered) = (current?, unanswered?);
        unanswered.sort_by_key(|text| text.now);
        Ok(Overview { owner, calendar, days: days?, unanswered })
    }

    async fn day(&self, date: civil::Date, now: Timestamp) -> Result<Day, StoreError> {
        let schedule = self.store.day_schedule(date).await?.at(now);
        let mut holds = time_off::merged(&schedule.holds);
        holds.extend(schedule.holds.iter().filter(|hold| !hold.is_time_off).cloned());
        holds.sort_by_key(|hold| (hold.start, hold.is_time_off));
        let entries = holds.into_iter().map(async |hold| {
            let kind = if hold.is_time_off {
                EntryKind::TimeOff
            } else if schedule.is_unconfirmed(&hold) {
                EntryKind::Unconfirmed
            } else {
                EntryKind::Booking(lead_of(self.store.as_ref(), &hold).await?.map(Box::new))
            };
            Ok(Entry { hold, kind })
        });
        let entries = try_join_all(entries).await?;
        Ok(Day { date, unreadable: schedule.unreadable.len(), entries })
    }

    /// The last conversations, the latest first, with the bookings that were made or changed in
    /// them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn conversations(&self, now: Timestamp) -> Result<Vec<Conversation>, StoreError> {
        let since = now.checked_sub(RECENT).unwrap_or(Timestamp::MIN);
        let phones = self.store.recent_customers(since).await?;
        let phones = phones.into_iter().take(CONVERSATIONS);
        try_join_all(phones.map(|phone| self.conversation(phone))).await
    }

    async fn conversation(&self, phone: Phone) -> Result<Conversation, StoreError> {
        let turns = self.store.memory(&phone).await?.turns;
        let named: BTreeSet<String> =
            turns.iter().flat_map(|turn| text::find_lead_ids(&turn.assistant)).collect();
        let leads = join_all(named.iter().filter_map(|id| {
            let id = format!("LEAD-{}", id.strip_prefix("LEAD-")?.to_ascii_lowercase());
            let id = LeadId::parse(&id).ok()?;
            Some(async move { self.store.lead(&id).await })
        }))
        .await;
        let mut own = Vec::new();
        for lead in leads {
            match lead {
                Ok(Some(lead)) if lead.phone == phone => own.push(lead),
                Ok(_) | Err(StoreError::Malformed { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        own.sort_by_key(|lead| lead.slot);
        Ok(Conversation { phone, turns, leads: own })
    }
}
