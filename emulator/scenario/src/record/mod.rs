//! A conversation of a running world as a scenario file.
//!
//! What is recorded is what the journal has: texts and requests become steps, answers of the model become
//! rounds, texts that were sent become replies, and rows that have changed become an expectation. What
//! differs from run to run never stands in the file: a reference is saved where it first appears and
//! named from there on, a date is counted from the scenario's day, and a moment is left out.

mod cast;
mod faults;
mod happenings;
mod known_rows;
mod messages;
mod others;
mod proof;
mod recording;
mod replies;
mod requests;
mod rounds;
mod rows;
mod stable;
mod strangers;
mod tokens;
mod words;

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use self::{
    happenings::Happening,
    known_rows::{RowLog, Tables},
    recording::Recording,
};
use crate::write::{self, Layout};
use rehearse_core::journal::Exchange;
use rehearse_dynamodb::DatabaseError;
use rehearse_world::{Backend, Unsettled, World};

/// How long to wait until nothing is under way.
const LIMIT: Duration = Duration::from_secs(10);

/// What is recorded of a world, and under which name.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordRequest {
    /// The scenario's name.
    pub name: String,
    /// How many turns, counted from the last one; 1 when nothing says which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub turns: Option<usize>,
    /// All turns that the journal has.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// From the exchange at this position of the journal on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// Up to the exchange at this position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
    /// Only texts of this person, by name or number; requests are recorded all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// A scenario that was recorded.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RecordedScenario {
    /// Its name.
    pub name: String,
    /// The file's name, made of the scenario's.
    pub file: String,
    /// The file's text.
    pub yaml: String,
    /// How many texts and requests it has.
    pub turns: usize,
    /// What the file cannot say of what happened.
    pub notes: Vec<String>,
}

/// Why nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The request contradicts itself.
    #[error("{0}")]
    Request(String),
    /// There is no text and no request in the part that was asked for.
    #[error("there is nothing to record: no text and no request")]
    Nothing,
    /// The journal has dropped exchanges since the rows were last known.
    #[error(
        "the rows before position {wanted} are not known: the journal has dropped what wrote them"
    )]
    Dropped {
        /// The position of the first exchange that was to be recorded.
        wanted: u64,
    },
    /// The rows were put back to another moment within the part that was asked for.
    #[error("the rows were changed from outside within this part, at position {at}")]
    Changed {
        /// The position of the next exchange.
        at: u64,
    },
    /// Somebody else's turn changed what these turns depend on.
    #[error(
        "a turn that is left out wrote rows which the recorded ones read or wrote, at position {at}"
    )]
    Entangled {
        /// The position of the call that wrote them.
        at: u64,
    },
    /// No step says what happened, and without it the scenario would fail.
    #[error("no scenario can say what happened: {0}")]
    Unsayable(String),
    /// The scenario was written, played, and did not pass.
    #[error("the recorded scenario does not pass when it is played, so it is not written: {why}")]
    Fails {
        /// Where it failed, and how.
        why: String,
    },
    /// Something is still under way.
    #[error(transparent)]
    Unsettled(#[from] Unsettled),
    /// The rows could not be read.
    #[error("failed to read the rows")]
    Rows(#[source] DatabaseError),
    /// The rows of an earlier moment could not be found out.
    #[error("failed to find out the rows of an earlier moment: {0}")]
    Replay(String),
}

/// Records what happens in one world. It knows the rows of every earlier moment: those with which it
/// began, and what was written since. Clones share what they know.
#[derive(Debug, Clone)]
pub struct Recorder {
    world: Arc<World>,
    backend: Backend,
    rows: Arc<Mutex<Option<RowLog>>>,
}

impl Recorder {
    /// A recorder of a world of this backend. What happens before [`Recorder::begin`] is not recorded.
    pub fn new(world: &Arc<World>, backend: &Backend) -> Self {
        Self { world: Arc::clone(world), backend: backend.clone(), rows: Arc::default() }
    }

    /// Remembers the rows as they are, unless it has begun already.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub async fn begin(&self) -> Result<(), RecordError> {
        let mut rows = self.rows.lock().await;
        if rows.is_none() {
            *rows = Some(RowLog::begin(&self.world).await?);
        }
        Ok(())
    }

    /// Begins anew with a world that was put back to its start: no rows, and an empty journal.
    pub async fn reset(&self) {
        *self.rows.lock().await = Some(RowLog::empty());
    }

    /// Notes that somebody else than the backend has written rows. To be called after the writing. When
    /// the rows cannot be read, it begins anew with what is recorded next.
    pub async fn rows_written(&self) {
        let mut rows = self.rows.lock().await;
        if let Some(log) = rows.as_mut()
            && log.written(&self.world).await.is_err()
        {
            *rows = None;
        }
    }

    /// What happened, as the text of a scenario.
    ///
    /// # Errors
    /// There is nothing to record, the rows before it are not known, or something does not end.
    pub async fn record(&self, request: &RecordRequest) -> Result<RecordedScenario, RecordError> {
        self.begin().await?;
        self.world.settled_within(LIMIT).await?;
        let exchanges = self.world.journal().since(0);
        let phone = request.phone.as_ref().map(|who| self.number(who));
        let chosen = chosen(request, &exchanges, phone.as_deref())?;
        let (Some(first), end) = (chosen.happenings.first(), chosen.end) else {
            return Err(RecordError::Nothing);
        };
        let first = first.seq;
        let [before, mut after] = self.rows_at([first, end], &exchanges).await?;
        let (part, others) = others::split(exchanges, first..end, &chosen.happenings);
        let tables = self.world.database().tables();
        let elsewhere = rows::written(&others, tables);
        if let Some(at) = others::entangled(&part, &others, tables) {
            return Err(RecordError::Entangled { at });
        }
        // What others have written is none of this recording's.
        for table in tables {
            if let Some(rows) = after.get_mut(&table.id) {
                rows.retain(|row| !elsewhere.contains(&rows::place(table, row)));
            }
        }
        let recording =
            Recording::new(&self.world, &self.backend, &part, chosen.happenings, [&before, &after]);
        let turns = recording.turns();
        let (document, notes) = recording.document(&request.name)?;
        let mut heading = "Recorded in a running world.".to_owned();
        if self.backend.external_backend().is_some() {
            heading.push_str(" It was not played: its backend has no world but that one.");
        }
        notes.iter().for_each(|note| {
            heading.push_str("\nNot in this file: ");
            heading.push_str(note);
        });
        let yaml = write::text(&document, &heading, Layout::Blocks);
        let yaml = strangers::replaced(&yaml, &self.known_numbers());
        proof::passes(&yaml, &self.backend).await?;
        Ok(RecordedScenario {
            file: file_name(&request.name),
            name: request.name.clone(),
            yaml,
            turns,
            notes,
        })
    }

    /// The numbers of the account and of the project's people.
    fn known_numbers(&self) -> Vec<String> {
        let settings = self.backend.settings();
        let others = settings.twilio.numbers.iter().map(|other| other.number.to_string());
        let people = settings.people.values().map(ToString::to_string);
        std::iter::once(settings.twilio.number.to_string()).chain(others).chain(people).collect()
    }

    fn number(&self, who: &str) -> String {
        let people = &self.backend.settings().people;
        people.get(who).map_or_else(|| who.to_owned(), ToString::to_string)
    }

    async fn rows_at(
        &self,
        at: [u64; 2],
        exchanges: &[Exchange],
    ) -> Result<[Tables; 2], RecordError> {
        let rows = self.rows.lock().await;
        let Some(log) = rows.as_ref() else { return Err(RecordError::Dropped { wanted: at[0] }) };
        log.rows_at(at, exchanges, self.world.database().tables(), self.backend.web()).await
    }
}

/// What was asked for.
struct Chosen {
    happenings: Vec<Happening>,
    /// The position behind the last exchange.
    end: u64,
}

fn chosen(
    request: &RecordRequest,
    exchanges: &[Exchange],
    phone: Option<&str>,
) -> Result<Chosen, RecordError> {
    let wrong = |message: &str| Err(RecordError::Request(message.into()));
    if request.name.trim().is_empty() {
        return wrong("a scenario needs a name");
    }
    let between = request.from.is_some() || request.to.is_some();
    if usize::from(request.turns.is_some()) + usize::from(request.all) + usize::from(between) > 1 {
        return wrong("give one of turns, all, and from and to");
    }
    if request.turns == Some(0) {
        return wrong("turns is at least 1");
    }
    let next = exchanges.last().map_or(0, |exchange| exchange.seq + 1);
    let end = request.to.map_or(next, |to| to.saturating_add(1)).min(next);
    let from = request.from.unwrap_or(0);
    let mut happenings = happenings::all(exchanges);
    happenings.retain(|happening| (from..end).contains(&happening.seq));
    if let Some(phone) = phone {
        happenings.retain(|happening| happening.sender().is_none_or(|sender| sender == phone));
    }
    if !request.all && !between {
        let turns = request.turns.unwrap_or(1);
        let texts: Vec<usize> = happenings
            .iter()
            .enumerate()
            .filter(|(_, happening)| happening.sender().is_some())
            .map(|(index, _)| index)
            .collect();
        // Without any text, the requests are counted.
        let first = match texts.len() {
            0 => happenings.len().saturating_sub(turns),
            count => texts[count.saturating_sub(turns)],
        };
        happenings.drain(..first);
    }
    Ok(Chosen { happenings, end })
}

/// `tomorrow-at-two.yaml` of `Tomorrow, at two!`
fn file_name(name: &str) -> String {
    let words: Vec<String> = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let name: String = words.join("-").chars().take(80).collect();
    format!("{}.yaml", if name.is_empty() { "recorded" } else { name.trim_end_matches('-') })
}
