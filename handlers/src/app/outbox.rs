//! Sends the texts in the outbox, each once.
//!
//! Whoever runs it first claims a text, so that several runs at once do not send it twice. An
//! attempt whose outcome is unknown is looked up at Twilio before the text is sent again. So is a text
//! to the owner that was left to the schedule: whoever could not learn that it was stored has sent it
//! directly.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::{
    app::error_chain::ErrorChain,
    domain::{
        background::BackgroundTask,
        calendar::Calendar,
        form_hold::is_code_of_the_past,
        outbox::{OutboxText, TextKind, Wanted},
        phone::Phone,
        text::is_confirmation,
    },
    ports::{BackgroundWorker, BoxError, IdGenerator, Sms, SmsError, Store, StoreError, Timer},
};

/// Time for which a claim on a text holds: longer than every attempt to send it takes.
const CLAIM: Duration = Duration::from_secs(60);
/// Attempts to send a text in one run.
const ATTEMPTS: u32 = 2;
/// Twilio's code for a recipient who has opted out.
const TWILIO_OPTED_OUT: u32 = 21_610;
/// Age in business time from which a text to a customer is not sent: after an outage of Twilio it
/// would stand in another conversation. The owner tells them instead.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(6);
/// How much earlier than the text itself Twilio may have dated it: clocks differ.
const CLOCK_MARGIN: SignedDuration = SignedDuration::from_mins(1);

/// The use case: sending the texts in the outbox.
#[derive(Clone)]
pub struct OutboxService {
    store: Arc<dyn Store>,
    sms: Arc<dyn Sms>,
    ids: Arc<dyn IdGenerator>,
    timer: Arc<dyn Timer>,
    owner_phone: Option<Phone>,
    calendar: Calendar,
}

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutboxReport {
    /// Texts that Twilio has taken.
    pub sent: usize,
    /// Texts that are not sent: Twilio refused them for good, or they are too old.
    pub refused: usize,
    /// Texts that wait for the next run.
    pub waiting: usize,
}

/// Who has a text sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sender {
    /// Who has stored it and knows that it is stored, or has had it sent before.
    Author,
    /// The schedule, which finds what its author has left.
    Schedule,
}

/// How an attempt at one text ended.
enum Delivery {
    Sent,
    Refused {
        why: Refusal,
        /// Twilio's code, if it gave one.
        code: Option<u32>,
        /// Ids of the texts that tell the owner.
        alert: Vec<String>,
    },
    Waiting,
}

/// Why a text is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// Its recipient has opted out.
    OptedOut,
    /// Twilio refused it for another reason.
    ByTwilio,
    /// It no longer fits the conversation.
    TooOld,
    /// It may have been sent, and Twilio does not list it.
    Unknown,
}

impl OutboxService {
    /// The use case on its ports. `owner_phone` is the owner's own number, if it is known; `calendar`
    /// is the deployed one, which says when he wants news until he has decided it himself.
    pub fn new(
        store: Arc<dyn Store>,
        sms: Arc<dyn Sms>,
        ids: Arc<dyn IdGenerator>,
        timer: Arc<dyn Timer>,
        owner_phone: Option<Phone>,
        calendar: Calendar,
    ) -> Self {
        Self { store, sms, ids, timer, owner_phone, calendar }
    }

    /// Sends every waiting text that nobody else is sending, oldest first.
    ///
    /// # Errors
    /// As for [`OutboxService::send`].
    pub async fn send_waiting(&self, now: Timestamp) -> Result<OutboxReport, StoreError> {
        let ids = self.store.waiting_texts().await?;
        self.send_all(&ids, Sender::Schedule, now).await
    }

    /// Sends those of these texts that nobody else is sending and that have not gone out, in order.
    ///
    /// # Errors
    /// When a row cannot be read or written, after all others were sent; when two in a row fail to be
    /// read or written, which is the database's fault, at once. What was sent stays claimed and is
    /// looked up by the next run.
    pub async fn send(&self, ids: &[String], now: Timestamp) -> Result<OutboxReport, StoreError> {
        self.send_all(ids, Sender::Author, now).await
    }

    async fn send_all(
        &self,
        ids: &[String],
        sender: Sender,
        now: Timestamp,
    ) -> Result<OutboxReport, StoreError> {
        let mut report = OutboxReport::default();
        let (mut failure, mut has_failed) = (None, false);
        // The owner is told of a text that was refused by another text.
        let mut ids = VecDeque::from(self.wanted(ids, now).await);
        while let Some(id) = ids.pop_front() {
            let result = self.send_one(&id, sender, now).await;
            let failed_before = std::mem::replace(&mut has_failed, result.is_err());
            match result {
                Ok(None) => {}
                Ok(Some(Delivery::Sent)) => report.sent += 1,
                Ok(Some(Delivery::Refused { alert, .. })) => {
                    report.refused += 1;
                    ids.extend(alert);
                }
                Ok(Some(Delivery::Waiting)) => report.waiting += 1,
                Err(error @ StoreError::Malformed { .. }) => {
                    tracing::error!(id, error = %ErrorChain(&error), "a text of the outbox cannot be read");
                    failure = Some(error);
                }
                // One failure may be the row's, two in a row are the database's.
                Err(error) if failed_before => return Err(error),
                Err(error) => {
                    tracing::error!(id, error = %ErrorChain(&error), "a text of the outbox failed");
                    failure = Some(error);
                }
            }
        }
        if report.waiting > 0 {
            tracing::error!(waiting = report.waiting, "texts stay in the outbox");
        }
        failure.map_or(Ok(report), Err)
    }

    /// Without the news that the owner does not want now. What he never wants is removed.
    async fn wanted(&self, ids: &[String], now: Timestamp) -> Vec<String> {
        if !ids.iter().any(|id| TextKind::of(id).is_some()) {
            return ids.to_vec();
        }
        let calendar = match self.store.calendar_settings().await {
            Ok(settings) => self.calendar.with_settings(settings),
            Err(error) => {
                tracing::warn!(error = %ErrorChain(&error), "failed to read when the owner wants texts");
                self.calendar.clone()
            }
        };
        let mut wanted = Vec::with_capacity(ids.len());
        for id in ids {
            match TextKind::of(id).map_or(Wanted::Now, |kind| kind.wanted(&calendar, now)) {
                Wanted::Now => wanted.push(id.clone()),
                Wanted::Later => {}
                // It keeps no other text from going out, and is removed by a later run.
                Wanted::Never => {
                    if let Err(error) = self.store.remove_text(id).await {
                        tracing::warn!(error = %ErrorChain(&error), "failed to remove an unwanted text");
                    }
                }
            }
        }
        wanted
    }

    async fn send_one(
        &self,
        id: &str,
        sender: Sender,
        now: Timestamp,
    ) -> Result<Option<Delivery>, StoreError> {
        let holder = self.ids.generate();
        let unix_ms = self.timer.unix_ms();
        let claim_ms = i64::try_from(CLAIM.as_millis()).unwrap_or(i64::MAX);
        let until_ms = unix_ms.saturating_add(claim_ms);
        let claimed = self.store.claim_text(id, &holder, unix_ms, until_ms).await?;
        let Some((text, earlier)) = claimed else { return Ok(None) };
        if is_code_of_the_past(&text, now) {
            tracing::info!("a code is not sent, nobody could use it any more");
            self.store.remove_text(id).await?;
            return Ok(None);
        }
        let is_left_over = sender == Sender::Schedule && self.may_be_sent_directly(&text);
        let mut delivery = self.deliver(&text, earlier > 0 || is_left_over, now).await;
        match &mut delivery {
            Delivery::Sent => self.store.remove_text(id).await?,
            Delivery::Refused { why, code, alert } => {
                if code.is_some_and(|code| code == TWILIO_OPTED_OUT) {
                    // Twilio knows of an opt-out that we do not.
                    self.store.set_opted_out(&text.to, true, now).await?;
                }
                if text.kind() == Some(TextKind::Code) {
                    // To a number that a stranger may have made up: no news for the owner, and no
                    // code is kept.
                    tracing::info!(?code, "a code is not sent");
                    self.store.remove_text(id).await?;
                    return Ok(Some(delivery));
                }
                if self.owner_phone.as_ref() == Some(&text.to) {
                    // An alarm counts these lines.
                    tracing::error!(?code, "a text to the owner was refused");
                }
                // That nothing reaches who wants no texts is no news, unless it was a confirmation
                // or the owner's own words.
                let is_missed =
                    is_confirmation(&text.body) || text.kind() == Some(TextKind::OwnersWords);
                if *why == Refusal::OptedOut && !is_missed {
                    tracing::info!("a text of the outbox is not sent, its recipient has opted out");
                } else {
                    tracing::error!(?why, ?code, "a text of the outbox is not sent");
                    *alert = self.tell_owner(&text, *why, *code, now).await?;
                }
                self.store.refuse_text(id, *code, now).await?;
            }
            Delivery::Waiting => self.store.release_text(id, &holder).await?,
        }
        Ok(Some(delivery))
    }

    /// Whether its author sends such a text directly when it is not known to be stored: an alert, and no news
    /// of bookings, which is stored with the change. The same news may rightly come twice.
    fn may_be_sent_directly(&self, text: &OutboxText) -> bool {
        let is_news =
            matches!(text.kind(), Some(TextKind::Booked | TextKind::Cancelled | TextKind::Moved));
        self.owner_phone.as_ref() == Some(&text.to) && !is_news
    }

    /// Stores what the owner is told of a customer's text that is not sent. Returns its ids.
    async fn tell_owner(
        &self,
        text: &OutboxText,
        refusal: Refusal,
        code: Option<u32>,
        now: Timestamp,
    ) -> Result<Vec<String>, StoreError> {
        let Some(owner) = self.owner_phone.as_ref().filter(|owner| **owner != text.to) else {
            return Ok(Vec::new());
        };
        let why = match (code, refusal) {
            (Some(code), _) => format!("Twilio refused it, code {code}"),
            (None, Refusal::OptedOut) => "they want no more texts".to_owned(),
            (None, Refusal::ByTwilio) => "Twilio refused it".to_owned(),
            (None, Refusal::TooOld) => {
                format!("it was more than {} hours old", MAX_AGE.as_hours())
            }
            (None, Refusal::Unknown) => "Twilio gave no answer".to_owned(),
        };
        let outcome = match refusal {
            Refusal::Unknown => "may not have been sent",
            _ => "was not sent",
        };
        let body = format!(
            "A text to {} {outcome} ({why}). Please call them. It said: \"{}\"",
            text.to.as_str(),
            text.body
        );
        let alert = OutboxText::messages(&format!("refused#{}", text.id), owner, &body, now);
        self.store.enqueue_once(&alert).await?;
        Ok(alert.into_iter().map(|text| text.id).collect())
    }

    /// Sends a text unless an earlier attempt, or one of this run, was carried out. `may_be_sent` says
    /// that there may have been an earlier one.
    async fn deliver(&self, text: &OutboxText, may_be_sent: bool, now: Timestamp) -> Delivery {
        let to_owner = self.owner_phone.as_ref() == Some(&text.to);
        // A conversation's text must not reach a customer who opted out meanwhile.
        if !to_owner && !text.despite_opt_out {
            match self.store.opted_out(&text.to).await {
                Ok(false) => {}
                Ok(true) => return Delivery::refused(Refusal::OptedOut, None),
                Err(error) => {
                    tracing::warn!(error = %ErrorChain(&error), "failed to read an opt-out, sending later");
                    return Delivery::Waiting;
                }
            }
        }
        let wants_report = !to_owner && is_confirmation(&text.body);
        // What the owner himself says he may mean however late it goes out.
        let is_answer = !to_owner && text.kind() != Some(TextKind::OwnersWords);
        let too_old = is_answer && now.duration_since(text.created) > MAX_AGE;
        // Twilio's list may lag behind what was sent. A code does no harm twice; and without an owner
        // who could be told, words twice are better than none.
        let is_code = text.kind() == Some(TextKind::Code);
        let once_at_most = !to_owner && !is_code && self.owner_phone.is_some();
        let mut unknown = may_be_sent;
        for attempt in 0..ATTEMPTS {
            if unknown {
                match self.sms.was_sent(&text.to, &text.body, text.created - CLOCK_MARGIN).await {
                    Ok(true) => return Delivery::Sent,
                    Ok(false) if attempt > 0 && once_at_most => {
                        return Delivery::refused(Refusal::Unknown, None);
                    }
                    Ok(false) => {}
                    Err(error) => {
                        tracing::warn!(error = %ErrorChain(&error), "failed to look a text up");
                        return Delivery::Waiting;
                    }
                }
            }
            if too_old {
                return Delivery::refused(Refusal::TooOld, None);
            }
            match self.sms.send(&text.to, &text.body, wants_report).await {
                Ok(()) => return Delivery::Sent,
                Err(SmsError::OptedOut) => {
                    return Delivery::refused(Refusal::OptedOut, Some(TWILIO_OPTED_OUT));
                }
                Err(SmsError::Refused { code }) => {
                    return Delivery::refused(Refusal::ByTwilio, code);
                }
                Err(SmsError::Unavailable(error)) => {
                    tracing::warn!(error = %ErrorChain(error.as_ref()), "failed to send a text");
                    return Delivery::Waiting;
                }
                Err(SmsError::Unknown(error)) => {
                    tracing::warn!(error = %ErrorChain(error.as_ref()), "a text may have been sent");
                    unknown = true;
                }
            }
        }
        Delivery::Waiting
    }
}

/// Has texts sent that were stored just now. A failure delays them: the schedule sends them within a
/// minute.
pub async fn start_sending(
    background: &dyn BackgroundWorker,
    texts: &[OutboxText],
    now: Timestamp,
) {
    if texts.is_empty() {
        return;
    }
    let ids = texts.iter().map(|text| text.id.clone()).collect();
    if let Err(error) = background.start(&BackgroundTask::SendTexts { ids, now }).await {
        tracing::error!(error = %ErrorChain(error.as_ref()), "failed to have the outbox sent");
    }
}

impl Delivery {
    fn refused(why: Refusal, code: Option<u32>) -> Self {
        Self::Refused { why, code, alert: Vec::new() }
    }
}

/// Sends within the request that asks for it, where no other function does.
#[async_trait]
impl BackgroundWorker for OutboxService {
    async fn start(&self, task: &BackgroundTask) -> Result<(), BoxError> {
        match task {
            BackgroundTask::SendTexts { ids, now } => {
                self.send(ids, *now).await?;
                Ok(())
            }
            BackgroundTask::DoWaiting { now } => {
                self.send_waiting(*now).await?;
                Ok(())
            }
            BackgroundTask::FinishTurn { .. } => Err("no function finishes late turns".into()),
        }
    }
}
