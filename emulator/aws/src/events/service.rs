//! The events of one world: schedules and asynchronous invocations.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rehearse_core::{
    clock::Clock,
    journal::{ExchangeDetail, Journal, Outcome, caused_by, current_cause, with_cause},
};
use serde_json::Value;
use tokio::{
    runtime::Handle as Runtime,
    sync::{Notify, oneshot, watch},
    task::JoinSet,
};
use uuid::Uuid;

use super::{
    queue::{AfterFailure, GivenUp, Later, QueuedEvent, error_payload},
    timetable::{Planned, Timetable},
};
use crate::{
    gateway::{Invoker, invoke::InvokeError},
    template::Function,
};

/// The schedules and the asynchronous invocations of one world. Clones share them.
#[derive(Clone)]
pub struct Events(pub(super) Arc<EventsInner>);

pub(super) struct EventsInner {
    pub(super) functions: Vec<Function>,
    invoker: Invoker,
    pub(super) journal: Journal,
    pub(super) clock: Clock,
    runtime: Runtime,
    state: Mutex<State>,
    running: watch::Sender<RunningInvocations>,
    /// Notified when something became due at another moment than before.
    pub(super) changed: Notify,
    /// Held by whoever fires what is due, so that two never do at once.
    pub(super) firing: tokio::sync::Mutex<()>,
    /// Held by whoever has halted all of this, so that two never do at once.
    halting: tokio::sync::Mutex<()>,
}

pub(super) struct State {
    pub(super) timetable: Timetable,
    pub(super) later: Vec<Later>,
    /// `None` while halted, and once stopped.
    tasks: Option<JoinSet<()>>,
    /// Whether one of the tasks follows the clock.
    following: bool,
    /// Whether it is stopped for good.
    stopped: bool,
}

#[derive(Debug, Default)]
struct RunningInvocations {
    /// How many there have been. The latest has this number.
    begun: u64,
    /// The logical ids of their functions.
    functions: BTreeMap<u64, String>,
}

/// A running invocation; it ends when this is dropped.
struct Running {
    events: Arc<EventsInner>,
    id: u64,
}

/// Nothing begins while this lives. When it is dropped, schedules begin anew at the clock's time.
#[must_use = "everything goes on when this is dropped"]
#[derive(Debug)]
pub struct Halted<'e> {
    events: &'e Events,
    _alone: tokio::sync::MutexGuard<'e, ()>,
}

impl Events {
    /// The events of these functions, which `invoker` runs. A task follows `clock` if it runs.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub(super) fn new(
        functions: Vec<Function>,
        invoker: Invoker,
        journal: Journal,
        clock: Clock,
    ) -> Self {
        let schedules = functions.iter().flat_map(|function| {
            let planned = |schedule| Planned { function: function.id.clone(), schedule };
            function.schedules.iter().cloned().map(planned)
        });
        let timetable = Timetable::new(schedules.collect(), clock.now());
        let tasks = Some(JoinSet::new());
        let state = State { timetable, later: Vec::new(), tasks, following: false, stopped: false };
        let events = Self(Arc::new(EventsInner {
            functions,
            invoker,
            journal,
            clock,
            runtime: Runtime::current(),
            state: Mutex::new(state),
            running: watch::Sender::default(),
            changed: Notify::new(),
            firing: tokio::sync::Mutex::default(),
            halting: tokio::sync::Mutex::default(),
        }));
        events.follow_running_clock();
        events
    }

    /// The function that a name means; see [`Function::is_named`].
    pub(super) fn function(&self, name: &str) -> Option<&Function> {
        self.0.functions.iter().find(|function| function.is_named(name))
    }

    /// Invokes a function asynchronously, as soon as `after` is over; `cause` says why.
    pub(super) fn accept(
        &self,
        function: &str,
        payload: Value,
        cause: String,
        id: Arc<str>,
        after: impl Future<Output = ()> + Send + 'static,
    ) {
        drop(self.begin_after(self.queued(function, payload, cause, id), true, after));
    }

    /// Invokes a function and waits for its result; it runs on when this is dropped.
    pub(super) async fn invoke(
        &self,
        function: &str,
        payload: Value,
        cause: String,
        id: Arc<str>,
    ) -> Result<Value, InvokeError> {
        let result = self.begin(self.queued(function, payload, cause, id), false).await;
        result.unwrap_or_else(|_| Err(InvokeError::Failed("the world has stopped".into())))
    }

    /// Waits until no invocation is under way that an event or an invocation caused. What is due at
    /// a later business time is not under way.
    pub async fn settled(&self) {
        // The sender is in `self`, so it is never closed.
        let _ = self.0.running.subscribe().wait_for(|all| all.functions.is_empty()).await;
    }

    /// How many such invocations there have been; `None` while one is under way.
    pub fn begun_if_idle(&self) -> Option<u64> {
        let running = self.0.running.borrow();
        running.functions.is_empty().then_some(running.begun)
    }

    /// The functions that such invocations run now, once for each.
    pub fn under_way(&self) -> Vec<String> {
        self.0.running.borrow().functions.values().cloned().collect()
    }

    /// Stops what is under way, waits until it has ended, and forgets what is due. Nothing begins until
    /// the result is dropped.
    pub async fn halt(&self) -> Halted<'_> {
        let alone = self.0.halting.lock().await;
        // Made before the wait, so that everything goes on if nobody waits any more.
        let halted = Halted { events: self, _alone: alone };
        let tasks = {
            let mut state = self.state();
            state.later.clear();
            state.timetable.restart(self.0.clock.now());
            state.following = false;
            state.tasks.take()
        };
        if let Some(mut tasks) = tasks {
            tasks.shutdown().await;
        }
        halted
    }

    /// Begins with nothing due but what schedules bring from now on.
    fn begin_anew(&self) {
        {
            let mut state = self.state();
            if state.stopped {
                return;
            }
            // Once more: what was under way may have failed while it was being stopped.
            state.later.clear();
            state.timetable.restart(self.0.clock.now());
            state.tasks = Some(JoinSet::new());
        }
        self.follow_running_clock();
    }

    /// Has a task fire what is due as time passes, if the clock runs by itself. Whoever lets a clock run
    /// that stood still calls this. One task follows, however often this is called.
    pub fn follow_running_clock(&self) {
        if !self.0.clock.is_running() || self.0.functions.is_empty() {
            return;
        }
        let mut state = self.state();
        let State { tasks, following, .. } = &mut *state;
        // While all is halted nothing begins: the end of the halt calls this again.
        if let Some(tasks) = tasks
            && !std::mem::replace(following, true)
        {
            let events = self.clone();
            tasks.spawn_on(async move { events.follow().await }, &self.0.runtime);
        }
    }

    /// Stops everything, for good.
    pub(super) fn stop(&self) {
        let tasks = {
            let mut state = self.state();
            state.stopped = true;
            state.tasks.take()
        };
        drop(tasks);
    }

    fn queued(
        &self,
        function: &str,
        payload: Value,
        cause: String,
        request_id: Arc<str>,
    ) -> QueuedEvent {
        QueuedEvent {
            function: function.into(),
            name: format!("invocation.{function}"),
            cause,
            caused_by: current_cause(),
            request_id,
            payload,
            accepted: self.0.clock.now(),
            attempt: 1,
            throttled: 0,
        }
    }

    /// Begins an attempt, as a task that nobody needs to wait for. One that is `asynchronous` is
    /// repeated if it fails.
    pub(super) fn begin(
        &self,
        event: QueuedEvent,
        asynchronous: bool,
    ) -> oneshot::Receiver<Result<Value, InvokeError>> {
        self.begin_after(event, asynchronous, std::future::ready(()))
    }

    fn begin_after(
        &self,
        event: QueuedEvent,
        asynchronous: bool,
        after: impl Future<Output = ()> + Send + 'static,
    ) -> oneshot::Receiver<Result<Value, InvokeError>> {
        let (sender, receiver) = oneshot::channel();
        let running = self.running(&event.function);
        let events = self.clone();
        self.spawn(async move {
            after.await;
            let result = events.attempt(&event).await;
            if asynchronous && let Err(error) = &result {
                events.failed(event, error);
            }
            // Before somebody hears of it: an invocation has ended when its result is there.
            drop(running);
            let _ = sender.send(result);
        });
        receiver
    }

    async fn attempt(&self, event: &QueuedEvent) -> Result<Value, InvokeError> {
        let begin = |detail| self.0.journal.begin(event.name.as_str(), detail);
        let exchange = with_cause(event.caused_by, || {
            begin(ExchangeDetail::Invocation {
                function: event.function.clone(),
                cause: event.cause.clone(),
                request_id: event.request_id.to_string(),
                attempt: event.attempt,
                event: event.payload.clone(),
            })
        });
        let (id, payload) = (Arc::clone(&event.request_id), event.payload.to_string());
        let result = self.0.invoker.invoke(&event.function, id, payload, &exchange);
        let result = caused_by(Some(exchange.cause()), result).await;
        exchange.end(match &result {
            Ok(value) => Outcome { status: None, error: None, response: value.clone() },
            Err(error) => {
                let response = error_payload(error);
                Outcome { status: None, error: Some(error.code().into()), response }
            }
        });
        result
    }

    fn failed(&self, event: QueuedEvent, error: &InvokeError) {
        let Some(function) = self.function(&event.function) else { return };
        let now = self.0.clock.now();
        match event.clone().after_failure(error, &function.asynchronous, now) {
            AfterFailure::Later(later) => {
                self.state().later.push(later);
                self.0.changed.notify_one();
            }
            AfterFailure::GiveUp(given_up) => self.give_up(&event, &given_up),
        }
    }

    /// Gives an event up: its record goes to the function's destination of failures.
    pub(super) fn give_up(&self, event: &QueuedEvent, given_up: &GivenUp) {
        let Some(function) = self.function(&event.function) else { return };
        let line = format!("rehearse: the event was given up ({})", given_up.condition);
        self.log(&function.id, Some(&event.request_id), line);
        let Some(destination) = &function.asynchronous.on_failure else { return };
        let record = event.record(given_up, &function.arn(), self.0.clock.now());
        let detail = ExchangeDetail::Destination {
            function: function.id.clone(),
            destination: destination.clone(),
            record: record.clone(),
        };
        let note = || self.0.journal.note("lambda.destination", detail);
        with_cause(event.caused_by, note);
        if let Some(target) = self.function(destination) {
            let cause = format!("destination of {}", function.id);
            let id = Uuid::new_v4().to_string();
            let accept = || {
                self.accept(&target.id, record, cause, id.into(), std::future::ready(()));
            };
            with_cause(event.caused_by, accept);
        }
    }

    fn running(&self, function: &str) -> Running {
        let mut id = 0;
        self.0.running.send_modify(|all| {
            all.begun += 1;
            id = all.begun;
            all.functions.insert(id, function.to_owned());
        });
        Running { events: Arc::clone(&self.0), id }
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Some(tasks) = self.state().tasks.as_mut() {
            while tasks.try_join_next().is_some() {}
            tasks.spawn_on(work, &self.0.runtime);
        }
    }

    pub(super) fn log(&self, function: &str, request_id: Option<&str>, line: String) {
        let (function, request_id) = (function.to_owned(), request_id.map(str::to_owned));
        let name = format!("log.{function}");
        self.0.journal.note(name, ExchangeDetail::Log { function, request_id, line });
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.events.running.send_modify(|all| drop(all.functions.remove(&self.id)));
    }
}

impl Drop for Halted<'_> {
    fn drop(&mut self) {
        self.events.begin_anew();
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("under_way", &self.under_way()).finish_non_exhaustive()
    }
}
