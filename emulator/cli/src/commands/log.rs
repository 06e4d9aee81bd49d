//! `rehearse log`

use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use crate::{
    app::App,
    control::ControlArgs,
    error::{CommandError, Exit},
    signal::Interrupt,
};
use rehearse_control::{Client, ClientError, JournalPage, JournalQuery};
use rehearse_core::journal::{Exchange, ExchangeDetail};
use rehearse_scenario::report::{
    conversation::{ConversationLine, Detail, Reader, Renderer},
    style::{DIM, paint},
};

/// How long one request of `--follow` waits for news, in milliseconds.
const WAIT_MS: u64 = 25_000;
/// How long database calls wait for more of them, so that they share a line.
const PAUSE_MS: u64 = 100;

/// Show the conversation of a running world
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  rehearse log --follow
  rehearse log --phone customer
  rehearse log --json | jq .crossing.kind")]
pub(crate) struct Args {
    /// Go on as things happen, until Ctrl-C.
    #[arg(long, short)]
    follow: bool,
    /// One exchange per line, as JSON.
    #[arg(long)]
    json: bool,
    /// Only the conversation with this number or person.
    #[arg(long, value_name = "NUMBER|NAME")]
    phone: Option<String>,
    #[command(flatten)]
    control: ControlArgs,
}

pub(crate) fn log(args: Args, app: &App) -> Result<Exit, CommandError> {
    let client = Client::new(&args.control.url(app)?)?;
    app.block_on(async {
        let interrupt = Interrupt::listen()?;
        let endpoints = client.endpoints().await?;
        let zone = TimeZone::get(&endpoints.time_zone).unwrap_or(TimeZone::UTC);
        let mut printer = Printer {
            app,
            json: args.json,
            reader: Reader::new(endpoints.people, Detail::Everything)
                .with_tables(endpoints.tables)
                .complete(),
            renderer: Renderer::new(zone, app.ui.width()).with_seconds(),
        };
        let mut follower = Follower::default();
        let mut query = JournalQuery { phone: args.phone.clone(), ..JournalQuery::default() };
        let page = client.journal(&query).await?;
        if page.first > 0 {
            app.ui.remark(dropped(page.first));
        } else if page.entries.is_empty() && !args.json {
            app.ui.note(paint(DIM, "nothing has happened yet"));
        }
        printer.print(&follower.take(page, &mut query))?;
        if !args.follow {
            printer.rest()?;
            return Ok(Exit::Passed);
        }
        let follow = async {
            loop {
                query.wait = if printer.reader.waits() { PAUSE_MS } else { WAIT_MS };
                let page = match client.journal(&query).await {
                    Err(ClientError::Dropped { first }) => {
                        app.ui.remark(dropped(first - query.since.unwrap_or_default()));
                        query.since = Some(first);
                        continue;
                    }
                    page => page?,
                };
                if page.resets != follower.resets {
                    app.ui.note(paint(DIM, "the world was reset"));
                }
                let exchanges = follower.take(page, &mut query);
                if exchanges.is_empty() {
                    printer.rest()?;
                }
                printer.print(&exchanges)?;
            }
        };
        tokio::select! {
            result = follow => result,
            () = interrupt.wait() => Ok(Exit::Interrupted),
        }
    })?
}

/// What to say when the journal has dropped so many exchanges that were not shown.
fn dropped(count: u64) -> String {
    let exchanges = if count == 1 { "exchange is" } else { "exchanges are" };
    format!(
        "{count} earlier {exchanges} not shown: the journal no longer has them ([journal] in rehearse.toml sets how many it keeps)"
    )
}

struct Printer<'a> {
    app: &'a App,
    json: bool,
    reader: Reader,
    renderer: Renderer,
}

impl Printer<'_> {
    fn print(&mut self, exchanges: &[Exchange]) -> Result<(), CommandError> {
        if self.json {
            for exchange in exchanges {
                let line = serde_json::to_string(exchange)
                    .map_err(|e| CommandError::environment("failed to write JSON").because(e))?;
                self.app.ui.line(line)?;
            }
            return Ok(());
        }
        let lines = self.reader.next(exchanges);
        self.show(lines)
    }

    /// Prints what waited for more.
    fn rest(&mut self) -> Result<(), CommandError> {
        let rest = self.reader.rest();
        self.show(rest)
    }

    fn show(
        &mut self,
        lines: impl IntoIterator<Item = ConversationLine>,
    ) -> Result<(), CommandError> {
        for line in lines {
            for row in self.renderer.rows(&line) {
                self.app.ui.line(row)?;
            }
        }
        Ok(())
    }
}

/// Returns every exchange once: texts when they arrive, everything else when it has ended.
#[derive(Debug, Default)]
struct Follower {
    resets: u64,
    /// Positions of exchanges that were given although an earlier one is still under way.
    given: BTreeSet<u64>,
}

impl Follower {
    fn take(&mut self, page: JournalPage, query: &mut JournalQuery) -> Vec<Exchange> {
        if page.resets != self.resets {
            self.resets = page.resets;
            self.given.clear();
            // The page may begin in the middle of the new journal: ask again from its start.
            if query.since.is_some() {
                (query.since, query.changes) = (None, None);
                return Vec::new();
            }
        }
        query.changes = Some(page.changes);
        let mut fresh = Vec::new();
        let mut first_open = None;
        let mut next = 0;
        for exchange in page.entries {
            next = exchange.seq + 1;
            let told = exchange.outcome.is_some()
                || matches!(exchange.detail, ExchangeDetail::SmsReceived { .. });
            if !told {
                first_open = first_open.or(Some(exchange.seq));
            } else if self.given.insert(exchange.seq) {
                fresh.push(exchange);
            }
        }
        let since = first_open.unwrap_or(next.max(query.since.unwrap_or_default()));
        self.given.retain(|seq| *seq >= since);
        query.since = Some(since);
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearse_core::{
        clock::Clock,
        journal::{Journal, Outcome},
    };

    fn line(text: &str) -> ExchangeDetail {
        ExchangeDetail::Log { function: "F".into(), request_id: None, line: text.into() }
    }

    fn page(journal: &Journal, query: &JournalQuery, resets: u64) -> JournalPage {
        let entries = journal.since(query.since.unwrap_or_default());
        let (first, next) = (journal.first(), journal.mark());
        JournalPage { resets, changes: 0, first, next, more: false, entries }
    }

    #[test]
    fn an_exchange_is_given_once_and_only_when_it_has_ended() {
        let journal = Journal::new(Clock::running());
        let mut follower = Follower::default();
        let mut query = JournalQuery::default();
        let mut names = || -> Vec<String> {
            let page = page(&journal, &query, 0);
            follower.take(page, &mut query).into_iter().map(|e| e.name).collect()
        };
        let slow = journal.begin("slow", line("1"));
        journal.note("fast", line("2"));
        assert_eq!(names(), ["fast"]);
        assert_eq!(names(), [""; 0]);
        slow.end(Outcome::default());
        assert_eq!(names(), ["slow"]);
        journal.note("next", line("3"));
        assert_eq!(names(), ["next"]);
        assert!(follower.given.is_empty());
    }

    #[test]
    fn after_a_reset_the_new_journal_is_read_from_its_start() {
        let journal = Journal::new(Clock::running());
        let mut follower = Follower::default();
        let mut query = JournalQuery::default();
        journal.note("old", line("1"));
        journal.note("old", line("2"));
        assert_eq!(follower.take(page(&journal, &query, 0), &mut query).len(), 2);
        journal.clear();
        for _ in 0..4 {
            journal.note("new", line("3"));
        }
        let first = follower.take(page(&journal, &query, 1), &mut query);
        let then = follower.take(page(&journal, &query, 1), &mut query);
        assert_eq!((first.len(), then.len()), (0, 4));
    }
}
