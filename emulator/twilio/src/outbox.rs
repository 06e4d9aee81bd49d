//! Messages from the account's numbers: TwiML replies, REST sends and Twilio's own notices.
//!
//! A message without a status callback reaches its final status at once. One with a status callback
//! passes through its statuses in a background task, which calls the backend at each. What a plan puts
//! off waits for its business time, as scheduled messages do.

mod callback;
mod end;
mod files;
mod work;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use tokio::{sync::oneshot, task::JoinSet};

use self::{
    callback::{KeptCallback, add_callback},
    work::Work,
};
use super::{
    Message, Segments, Sid, Status,
    account::Account,
    course::{CourseStep, Happening, StatusChange, course},
    lanes::Lanes,
    media,
    options::Endpoint,
    outgoing::{MAX_BODY, OutgoingMessage},
    webhook::WebhookClient,
};
use rehearse_core::journal::{Cause, Outcome, caused_by, current_cause, with_cause};

/// How long a task that follows a running clock sleeps at most: the clock may be moved meanwhile.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Sends messages. Owns the scheduled ones and the background tasks.
pub(crate) struct Outbox {
    account: Arc<Account>,
    webhooks: Arc<WebhookClient>,
    /// Always locked before the account's state.
    scheduled: Mutex<Vec<ScheduledMessage>>,
    /// What becomes of sent messages at a later business time, in the order in which it was put off.
    put_off: Mutex<Vec<PutOff>>,
    /// Where later statuses of the messages go that have a status callback.
    callbacks: Mutex<HashMap<Sid, KeptCallback>>,
    /// What is happening to messages that have a status callback: the callbacks of one never overlap.
    lanes: Lanes<Work>,
    tasks: Mutex<JoinSet<()>>,
    /// Whether a task releases what is due as a running clock goes on.
    following: AtomicBool,
}

/// A message that waits for its time.
struct ScheduledMessage {
    at: Timestamp,
    sid: Sid,
    message: OutgoingMessage,
    /// The request that created it.
    cause: Option<Cause>,
}

/// What becomes of a message at a later business time.
struct PutOff {
    at: Timestamp,
    sid: Sid,
    sender: String,
    callback: Option<Endpoint>,
    what: Happening,
}

impl Outbox {
    pub fn new(account: Arc<Account>, webhooks: Arc<WebhookClient>) -> Self {
        Self {
            account,
            webhooks,
            scheduled: Mutex::default(),
            put_off: Mutex::default(),
            callbacks: Mutex::default(),
            lanes: Lanes::default(),
            tasks: Mutex::default(),
            following: AtomicBool::new(false),
        }
    }

    /// Sends a TwiML reply and returns its sid.
    ///
    /// # Errors
    /// Twilio's code of why it refuses the reply: 21610, the recipient has opted out; 21617, the body
    /// is too long.
    pub fn reply(self: &Arc<Self>, message: OutgoingMessage) -> Result<Sid, u32> {
        let refusal = if self.account.has_opted_out(&message.from, &message.to) {
            21610
        } else if message.body.chars().count() > MAX_BODY {
            21617
        } else {
            return Ok(self.send(message).sid);
        };
        let outcome = Outcome::default().with_error(refusal.to_string());
        let _ = self.journal(String::new(), &message, outcome);
        Err(refusal)
    }

    /// Accepts a message for sending and returns it with its first status.
    pub fn send(self: &Arc<Self>, mut message: OutgoingMessage) -> Message {
        if message.service_chooses && message.send_at.is_none() {
            self.choose_sender(&mut message);
        }
        let size = self.measure(&message);
        let mut scheduled = self.scheduled();
        let mut state = self.account.state();
        add_callback(&state, &mut message);
        let sid = state.sids.generate(!message.media.is_empty());
        let created = message.created(sid, size, self.account.clock.now());
        state.messages.push(created.clone());
        drop(state);
        if let Some(at) = message.send_at {
            scheduled.push(ScheduledMessage { at, sid, message, cause: current_cause() });
            drop(scheduled);
            self.follow_running_clock();
        } else {
            drop(scheduled);
            self.dispatch(sid, message);
        }
        created
    }

    /// Sends the scheduled messages whose time has come, and has happen what was put off until now.
    pub fn release_due(self: &Arc<Self>) {
        let now = self.account.clock.now();
        let mut due = take_due(&mut self.scheduled(), |message| message.at <= now);
        due.sort_by_key(|message| message.at);
        for ScheduledMessage { sid, mut message, cause, .. } in due {
            if message.service_chooses {
                self.choose_sender(&mut message);
                // The number's own callback was not known before.
                add_callback(&self.account.state(), &mut message);
                let size = self.measure(&message);
                if let Some(kept) = self.account.state().messages.get_mut(sid) {
                    (kept.segments, kept.encoding) = (size.count, size.encoding);
                }
            }
            with_cause(cause, || self.dispatch(sid, message));
        }
        let mut due = take_due(&mut self.put_off(), |put_off| put_off.at <= now);
        due.sort_by_key(|put_off| put_off.at);
        // One message's backend may be slow to answer; the others do not wait for it.
        let mut messages: Vec<(Sid, Vec<PutOff>)> = Vec::new();
        for put_off in due {
            match messages.iter_mut().find(|(sid, _)| *sid == put_off.sid) {
                Some((_, own)) => own.push(put_off),
                None => messages.push((put_off.sid, vec![put_off])),
            }
        }
        for (sid, due) in messages {
            if self.lanes.is_busy(sid)
                || due.iter().any(|put_off| matches!(put_off.what, Happening::CallBack(_)))
            {
                let work =
                    |PutOff { sender, callback, what, .. }| Work::new(sender, callback, what);
                self.queue(sid, due.into_iter().map(work));
                continue;
            }
            for PutOff { sender, what, .. } in due {
                if let Happening::Change(change) = what {
                    self.go_on(sid, &sender, change);
                }
            }
        }
    }

    /// The next business time until `until` at which something is due.
    pub fn next_due(&self, until: Timestamp) -> Option<Timestamp> {
        let scheduled = self.scheduled().iter().map(|message| message.at).min();
        let put_off = self.put_off().iter().map(|put_off| put_off.at).min();
        scheduled.into_iter().chain(put_off).min().filter(|at| *at <= until)
    }

    /// Cancels a scheduled message; `false` when there is no message with this sid that waits for
    /// its time.
    pub fn cancel(self: &Arc<Self>, sid: Sid) -> bool {
        let canceled = {
            let mut scheduled = self.scheduled();
            let Some(index) = scheduled.iter().position(|message| message.sid == sid) else {
                return false;
            };
            scheduled.remove(index)
        };
        let change = StatusChange { status: Status::Canceled, error: None };
        let sender = canceled.message.from;
        self.change_status(sid, &sender, change);
        if let Some(callback) = canceled.message.status_callback {
            self.keep_callback(sid, &callback, current_cause().or(canceled.cause));
            self.queue(sid, [Work::new(sender, Some(callback), Happening::CallBack(change))]);
        }
        true
    }

    /// Stops the background tasks.
    pub fn stop(&self) {
        self.tasks().abort_all();
    }

    /// Stops the background tasks and drops the scheduled messages and what was put off.
    pub fn reset(&self) {
        self.stop();
        self.scheduled().clear();
        self.put_off().clear();
        self.callbacks().clear();
        self.lanes.clear();
        self.following.store(false, Ordering::Relaxed);
    }

    /// Drops the scheduled messages, which are canceled, and what was put off: those messages have the
    /// last status that was still to come. No callback is called.
    pub fn forget_due(&self) {
        let scheduled = std::mem::take(&mut *self.scheduled());
        for ScheduledMessage { sid, message, .. } in scheduled {
            let change = StatusChange { status: Status::Canceled, error: None };
            self.change_status(sid, &message.from, change);
        }
        // A message without its last status would be under way, and so be kept, for ever.
        let mut put_off = std::mem::take(&mut *self.put_off());
        put_off.sort_by_key(|put_off| put_off.at);
        for PutOff { sid, sender, what, .. } in put_off {
            if let Happening::Change(change) = what {
                self.go_on(sid, &sender, change);
            }
        }
    }

    /// Gives a sent message another status, as a late report of the carrier does, and calls its status
    /// callback if it has one. Returns the message; `None` when no message that was sent has this sid.
    pub async fn report(
        self: &Arc<Self>,
        sid: Sid,
        status: Status,
        error: Option<u32>,
    ) -> Option<Message> {
        let _activity = self.account.activity.begin();
        let change = StatusChange { status, error };
        let sent =
            |message: &&Message| message.via.is_some() && message.status != Status::Scheduled;
        let sender = {
            let state = self.account.state();
            state.messages.get(sid).filter(sent)?.from.clone().unwrap_or_default()
        };
        let callback = self.callbacks().get(&sid).map(|kept| kept.endpoint.clone());
        let Some(callback) = callback else {
            self.change_status(sid, &sender, change);
            return self.account.state().messages.get(sid).cloned();
        };
        let (done, happened) = oneshot::channel();
        let changed =
            Work { reported: true, ..Work::new(sender.clone(), None, Happening::Change(change)) };
        let told = Work {
            done: Some(done),
            ..Work::new(sender, Some(callback), Happening::CallBack(change))
        };
        self.queue(sid, [changed, told]);
        // It never happens when everything was reset meanwhile.
        let _ = happened.await;
        self.account.state().messages.get(sid).cloned()
    }

    /// Hands a message to the carrier once its files are here. Those on this machine are fetched meanwhile.
    fn dispatch(self: &Arc<Self>, sid: Sid, message: OutgoingMessage) {
        let hosts = &self.account.options.hosts;
        if !message.media.iter().any(|url| media::is_here(url, hosts)) {
            let files = message.media.iter().map(|url| media::stand_in(url)).collect();
            self.keep_media(sid, files);
            return self.hand_over(sid, message, None);
        }
        let outbox = Arc::clone(self);
        // The cause of a task does not pass to those that it spawns.
        self.spawn(caused_by(current_cause(), async move {
            let failure = match outbox.fetch_media(&message.media).await {
                Ok(files) => {
                    outbox.keep_media(sid, files);
                    None
                }
                Err(code) => Some(code),
            };
            outbox.hand_over(sid, message, failure);
        }));
    }

    /// Hands a message to the carrier, and has happen what becomes of it. A failure to get its files ends it.
    fn hand_over(self: &Arc<Self>, sid: Sid, message: OutgoingMessage, failure: Option<u32>) {
        let (end, plan) = match failure {
            Some(code) => (StatusChange { status: Status::Failed, error: Some(code) }, None),
            None => self.end(&message),
        };
        let outcome = match end {
            StatusChange { status: Status::Failed, error: Some(code) } => {
                Outcome::default().with_error(code.to_string())
            }
            _ => Outcome::default(),
        };
        let cause = self.journal(sid.to_string(), &message, outcome);
        if end.status == Status::Sent
            && let Some(message) = self.account.state().messages.get_mut(sid)
        {
            message.ends_as_sent = true;
        }
        let OutgoingMessage { from: sender, status_callback: callback, .. } = message;
        if let Some(callback) = &callback {
            self.keep_callback(sid, callback, Some(cause));
        }
        let mut steps = course(message.service.is_some(), end, plan.as_ref());
        if callback.is_none() {
            steps.retain(|step| matches!(step.what, Happening::Change(_)));
        }
        let (at_once, later): (Vec<CourseStep>, Vec<CourseStep>) =
            steps.into_iter().partition(|step| step.after.is_zero());
        if !later.is_empty() {
            let now = self.account.clock.now();
            let put_off = later.into_iter().map(|CourseStep { after, what }| PutOff {
                at: now.checked_add(after).unwrap_or(Timestamp::MAX),
                sid,
                sender: sender.clone(),
                callback: callback.clone(),
                what,
            });
            self.put_off().extend(put_off);
            self.follow_running_clock();
        }
        if callback.is_some() {
            let work = |step: CourseStep| Work::new(sender.clone(), callback.clone(), step.what);
            self.queue(sid, at_once.into_iter().map(work));
        } else {
            for step in at_once {
                if let Happening::Change(change) = step.what {
                    self.go_on(sid, &sender, change);
                }
            }
        }
    }

    fn journal(&self, sid: String, message: &OutgoingMessage, outcome: Outcome) -> Cause {
        let detail = message.detail(sid, self.measure(message));
        let exchange = self.account.journal.begin("sms.sent", detail);
        let cause = exchange.cause();
        exchange.end(outcome);
        cause
    }

    fn measure(&self, message: &OutgoingMessage) -> Segments {
        let kind = self.account.state().number(&message.from).map(|number| number.config.kind);
        message.measure(kind.unwrap_or_default())
    }

    /// Has a task release what is due as time passes, if the clock runs by itself. It ends when nothing
    /// waits any more, and counts as no activity.
    pub fn follow_running_clock(self: &Arc<Self>) {
        if !self.account.clock.is_running() || self.following.swap(true, Ordering::Relaxed) {
            return;
        }
        let outbox = Arc::clone(self);
        let mut tasks = self.tasks();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            loop {
                outbox.release_due();
                let Some(at) = outbox.next_due(Timestamp::MAX) else {
                    outbox.following.store(false, Ordering::Relaxed);
                    // Something may have come to wait before the line above.
                    if outbox.next_due(Timestamp::MAX).is_none()
                        || outbox.following.swap(true, Ordering::Relaxed)
                    {
                        return;
                    }
                    continue;
                };
                let wait = at.duration_since(outbox.account.clock.now());
                let wait = Duration::try_from(wait).unwrap_or_default();
                tokio::time::sleep(wait.min(LOOK_AGAIN)).await;
            }
        });
    }

    /// Runs a task in the background, until it is done or [`Outbox::stop`].
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let activity = self.account.activity.begin();
        let mut tasks = self.tasks();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            let _activity = activity;
            task.await;
        });
    }

    fn scheduled(&self) -> MutexGuard<'_, Vec<ScheduledMessage>> {
        self.scheduled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put_off(&self) -> MutexGuard<'_, Vec<PutOff>> {
        self.put_off.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes out what is due, in the order in which it stands.
fn take_due<T>(waiting: &mut Vec<T>, is_due: impl Fn(&T) -> bool) -> Vec<T> {
    let (due, rest) = std::mem::take(waiting).into_iter().partition(is_due);
    *waiting = rest;
    due
}
