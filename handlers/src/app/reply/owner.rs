//! Answers the owner's texts: they are commands or notes, and never a turn of a customer.
//!
//! Like any text, one is claimed and its answer stored, so that a webhook's repeat gets the same
//! answer and does nothing twice.

use jiff::Timestamp;

use super::{
    InboundText, ReplyService, TurnError,
    progress::{Progress, TurnState},
    run_alongside,
};
use crate::{
    app::{
        current_calendar::current_calendar,
        error_chain::ErrorChain,
        owner_desk::{OwnerDesk, Recipients},
    },
    domain::{
        outbox::{OutboxText, OwnerAnswer, TextKind},
        owner_command::{COMMANDS, OwnerCommand, parse},
        phone::Phone,
        text::{self, OWNER_NAME},
        turn::MemoryTurn,
    },
    ports::TurnClaim,
};

/// Sent to the owner when his text could not be handled, or it is not known whether it was.
const NOT_DONE: &str =
    "Something failed, and I may not have done that. Please check, and text me again.";
/// Most texts of a customer that one answer of the owner marks as answered: a transaction holds 100
/// rows.
const MAX_ANSWERED: usize = 50;

impl ReplyService {
    /// Answers a text of the owner. No messages mean silence.
    pub(super) async fn answer_owner(&self, text: &InboundText) -> Vec<String> {
        let progress = Progress::default();
        let turn = Box::pin(self.run_owner_turn(text, &progress));
        let turn = run_alongside(turn, Box::pin(self.keep_renewing_claim(&progress)));
        match self.with_timeout(self.time_left(text), turn).await {
            Some(Ok(messages)) => messages,
            Some(Err(error)) => {
                tracing::error!(sid = text.sid, error = %ErrorChain(&error), "a text of the owner failed");
                vec![NOT_DONE.to_owned()]
            }
            None => {
                tracing::error!(sid = text.sid, "a text of the owner took too long");
                vec![NOT_DONE.to_owned()]
            }
        }
    }

    async fn run_owner_turn(
        &self,
        text: &InboundText,
        progress: &Progress,
    ) -> Result<Vec<String>, TurnError> {
        let attempt = self.attempt(text);
        if self.handle_keyword(&attempt, progress).await? {
            return Ok(Vec::new());
        }
        let mut claimed = self.claim(&attempt, progress).await?;
        if claimed == TurnClaim::Busy {
            claimed = self.wait_for_other_attempt(&attempt, progress).await?;
        }
        let now = match claimed {
            TurnClaim::Answered(messages) => return Ok(messages),
            TurnClaim::Busy => return Err(TurnError::ClaimLost),
            // A repeat means the same day as the first attempt.
            TurnClaim::Acquired(record) => record.now,
        };
        let answer = self.obey(text, now).await?;
        // He does as he likes, but after STOP no text reaches him.
        let silent = matches!(self.ports.store.opted_out(&text.phone).await, Ok(true));
        let messages =
            if silent { Vec::new() } else { text::split_into_messages(&text::to_gsm7(&answer)) };
        self.finish(&attempt, progress, messages, false).await
    }

    /// Carries out what the owner asks for, and says what was done.
    async fn obey(&self, text: &InboundText, now: Timestamp) -> Result<String, TurnError> {
        let store = self.ports.store.as_ref();
        let (_, calendar) = current_calendar(store, &self.calendar).await?;
        let desk = OwnerDesk { store, calendar: &calendar, now };
        let command = parse(&text.body, self.calendar.today(now));
        tracing::info!(sid = text.sid, "a text of the owner");
        Ok(match command {
            OwnerCommand::Tell { digits, body } => self.tell(text, &desk, &digits, &body).await?,
            OwnerCommand::List(date) => desk.list(date).await?,
            OwnerCommand::Block { date, span } => desk.block(date, span).await?,
            OwnerCommand::Open { date, span } => desk.open(date, span).await?,
            OwnerCommand::Unclear(why) => format!("{why} {COMMANDS}"),
            OwnerCommand::Note => format!("Noted, nothing done. {COMMANDS}"),
        })
    }

    /// Sends the owner's words to the one customer whose number ends in `digits`.
    async fn tell(
        &self,
        text: &InboundText,
        desk: &OwnerDesk<'_>,
        digits: &str,
        body: &str,
    ) -> Result<String, TurnError> {
        let Recipients { mut phones, unanswered } = desk.recipients(digits).await?;
        phones.retain(|phone| *phone != text.phone);
        let customer = match phones.as_slice() {
            [customer] => customer,
            [] => {
                return Ok(format!(
                    "Not sent: no customer with a booking or a text of these days has a number \
                     that ends in {digits}."
                ));
            }
            several => return Ok(ask_which(digits, several)),
        };
        if self.ports.store.opted_out(customer).await? {
            return Ok(format!("Not sent: {} wants no more texts.", customer.as_str()));
        }
        let texts = OutboxText::messages(
            &OutboxText::id_of(TextKind::OwnersWords, &text.sid),
            customer,
            body,
            desk.now,
        );
        let answered = unanswered.into_iter().filter(|key| key.phone == *customer);
        let answer = OwnerAnswer {
            to: customer.clone(),
            texts: texts.clone(),
            memory: MemoryTurn {
                by_owner: true,
                user: format!("[{OWNER_NAME} writes to the customer himself]"),
                assistant: body.to_owned(),
                at_ms: Some(desk.now.as_millisecond()),
            },
            answered: answered.map(|key| key.sid).take(MAX_ANSWERED).collect(),
            now: desk.now,
        };
        self.ports.store.answer_by_owner(&answer).await?;
        self.send_texts(&texts, &TurnState::default(), desk.now).await;
        let pictures = if text.media > 0 { " Pictures are not passed on." } else { "" };
        Ok(format!("On its way to {}.{pictures}", customer.as_str()))
    }
}

fn ask_which(digits: &str, phones: &[Phone]) -> String {
    let numbers: Vec<&str> = phones.iter().map(Phone::as_str).collect();
    let example = numbers.first().copied().unwrap_or_default();
    format!(
        "Not sent: {} customers have numbers that end in {digits}: {}. Whom do you mean? Text the \
         whole number, such as: to {example}: ...",
        numbers.len(),
        numbers.join(", ")
    )
}
