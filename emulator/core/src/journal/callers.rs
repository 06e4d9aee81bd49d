//! Who calls the emulator: the running work of backends, and the exchange that each works on.
//!
//! Clients of Twilio, OpenAI and AWS forward no header of ours, but they keep the path of their base URL.
//! So each instance of a function gets endpoints with a path of its own (`/caller/Dispatcher-3`), and since
//! an instance works on one event at a time, as on Lambda, a call of it belongs to that event. A call
//! without such a path belongs to the only work that is running, or to nothing.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::http::{Uri, uri::PathAndQuery};

use super::{Cause, PendingExchange};

/// What an endpoint's path begins with before the caller's name.
const PREFIX: &str = "/caller/";
/// How many instances are remembered that work on nothing: those of processes that have ended, too.
const MOST_IDLE: usize = 1000;

/// The running work of a world's backend. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Callers(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    next: u64,
    running: Vec<Running>,
    /// What each instance works on, or worked on last.
    latest: HashMap<String, Cause>,
}

#[derive(Debug)]
struct Running {
    id: u64,
    function: Option<String>,
    cause: Cause,
    /// The exchange that caused this work, which is no longer the innermost then.
    parent: Option<u64>,
}

/// Work that is running. Dropping it ends it.
#[must_use = "dropping it ends the work"]
#[derive(Debug)]
pub struct RunningWork {
    callers: Callers,
    id: u64,
}

/// A URL's path for an instance's endpoints.
pub fn path_of(caller: &str) -> String {
    format!("{PREFIX}{caller}")
}

/// Splits `/caller/Dispatcher-3/v1/responses` into the caller and the rest of the path.
pub fn split_caller(path: &str) -> (Option<&str>, &str) {
    let Some(rest) = path.strip_prefix(PREFIX) else { return (None, path) };
    let (caller, rest) = rest.find(['/', '?']).map_or((rest, "/"), |at| rest.split_at(at));
    ((!caller.is_empty()).then_some(caller), rest)
}

/// Removes the caller from a request's path; returns the exchange that the request belongs to.
pub fn take_caller(uri: &mut Uri, callers: &Callers) -> Option<Cause> {
    let whole = uri.path_and_query().map_or("/", |whole| whole.as_str());
    let (caller, rest) = split_caller(whole);
    let cause = callers.cause_of(caller, None);
    let rest = caller.and_then(|_| PathAndQuery::try_from(rest).ok());
    if let Some(rest) = rest {
        let mut parts = mem::take(uri).into_parts();
        parts.path_and_query = Some(rest);
        *uri = Uri::from_parts(parts).unwrap_or_default();
    }
    cause
}

impl Callers {
    /// An instance begins to work on an exchange; `function` and `instance` are `None` for a backend
    /// that somebody else runs. `parent` is the exchange that caused this one.
    pub fn begin(
        &self,
        function: Option<&str>,
        instance: Option<&str>,
        cause: Cause,
        parent: Option<Cause>,
    ) -> RunningWork {
        let mut state = self.lock();
        let id = state.next;
        state.next += 1;
        if let Some(instance) = instance {
            if state.latest.len() >= MOST_IDLE {
                let State { running, latest, .. } = &mut *state;
                latest.retain(|_, of| running.iter().any(|work| work.cause == *of));
            }
            state.latest.insert(instance.to_owned(), cause);
        }
        let (function, parent) = (function.map(str::to_owned), parent.map(|cause| cause.seq()));
        state.running.push(Running { id, function, cause, parent });
        RunningWork { callers: self.clone(), id }
    }

    /// A backend that somebody else runs begins to work on an exchange.
    pub fn begin_outside(&self, exchange: &PendingExchange) -> RunningWork {
        self.begin(None, None, exchange.cause(), exchange.caused_by())
    }

    /// The exchange that a call belongs to: the one of the instance that its path names, or the only one
    /// of a function, or the only one at all.
    pub fn cause_of(&self, caller: Option<&str>, function: Option<&str>) -> Option<Cause> {
        let state = self.lock();
        if let Some(caller) = caller {
            // One that still starts works on nothing yet.
            return state.latest.get(caller).copied();
        }
        let is_outer = |work: &Running| {
            state.running.iter().any(|inner| inner.parent == Some(work.cause.seq()))
        };
        let mut innermost = state.running.iter().filter(|work| {
            function.is_none_or(|function| work.function.as_deref() == Some(function))
                && !is_outer(work)
        });
        innermost.next().filter(|_| innermost.next().is_none()).map(|work| work.cause)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RunningWork {
    fn drop(&mut self) {
        self.callers.lock().running.retain(|work| work.id != self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Clock,
        journal::{ExchangeDetail, Journal, with_cause},
    };

    fn exchange(journal: &Journal) -> PendingExchange {
        let detail = ExchangeDetail::Http {
            function: None,
            method: "GET".into(),
            path: "/".into(),
            body: String::new(),
            headers: Vec::new(),
        };
        journal.begin("http.GET /", detail)
    }

    #[test]
    fn paths_are_split() {
        let path = format!("{}/v1/responses", path_of("Front-3"));
        assert_eq!(split_caller(&path), (Some("Front-3"), "/v1/responses"));
        assert_eq!(split_caller("/caller/Front-3"), (Some("Front-3"), "/"));
        assert_eq!(split_caller("/caller/Front-3?a=1"), (Some("Front-3"), "?a=1"));
        assert_eq!(split_caller("/caller/"), (None, "/"));
        assert_eq!(split_caller("/v1/responses"), (None, "/v1/responses"));
    }

    #[test]
    fn a_call_belongs_to_what_its_instance_works_on() {
        let journal = Journal::new(Clock::running());
        let callers = journal.callers();
        let (one, two) = (exchange(&journal), exchange(&journal));
        let first = callers.begin(Some("F"), Some("F-1"), one.cause(), None);
        let second = callers.begin(Some("F"), Some("F-2"), two.cause(), None);
        assert_eq!(callers.cause_of(Some("F-1"), None), Some(one.cause()));
        assert_eq!(callers.cause_of(Some("F-2"), Some("F")), Some(two.cause()));
        assert_eq!(callers.cause_of(Some("F-3"), Some("F")), None, "it still starts");
        assert_eq!(callers.cause_of(None, Some("F")), None, "it may be either");
        drop(second);
        assert_eq!(callers.cause_of(None, Some("F")), Some(one.cause()));
        assert_eq!(callers.cause_of(None, Some("G")), None);
        drop(first);
        assert_eq!(callers.cause_of(None, None), None);
        assert_eq!(callers.cause_of(Some("F-1"), None), Some(one.cause()), "what it goes on with");
    }

    #[test]
    fn a_call_without_a_path_belongs_to_the_innermost_work() {
        let journal = Journal::new(Clock::running());
        let callers = journal.callers();
        let webhook = exchange(&journal);
        let outer = callers.begin_outside(&webhook);
        assert_eq!(callers.cause_of(None, None), Some(webhook.cause()));
        let request = with_cause(Some(webhook.cause()), || exchange(&journal));
        let inner = callers.begin(Some("F"), Some("F-1"), request.cause(), request.caused_by());
        assert_eq!(callers.cause_of(None, None), Some(request.cause()));
        drop((outer, inner));
    }
}
