//! The instances of a function that runs in this process: each a router with an environment of its own,
//! which works on one event at a time, as a process does on Lambda. So every call that it makes belongs to
//! one event.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::Router;

use super::{FunctionEnvironment, invoke::InvokeError};
use crate::function::BuildError;

/// Most instances that work on an event at once. Further events share one more router, and what calls
/// belong to which of them is not known.
const MOST: usize = 32;

type Build = Arc<dyn Fn(&BTreeMap<String, String>) -> Result<Router, BuildError> + Send + Sync>;

/// A function's instances, each built when it is needed first.
pub struct Instances {
    function: String,
    build: Build,
    environment: FunctionEnvironment,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The most recently used is last, and the next to get an event.
    idle: Vec<(String, Router)>,
    /// How many were built or tried; their names count it.
    built: usize,
    failed: usize,
    shared: Option<Router>,
}

/// An instance while it works on an event.
pub(super) struct BusyInstance<'i> {
    instances: &'i Instances,
    /// `None` for the router that is shared.
    pub(super) name: Option<String>,
    pub(super) router: Router,
}

impl Instances {
    /// Builds the first instance of the function with this logical id.
    ///
    /// # Errors
    /// What `build` returns.
    pub fn new(
        function: &str,
        environment: FunctionEnvironment,
        build: impl Fn(&BTreeMap<String, String>) -> Result<Router, BuildError> + Send + Sync + 'static,
    ) -> Result<Self, BuildError> {
        let instances = Self {
            function: function.to_owned(),
            build: Arc::new(build),
            environment,
            state: Mutex::default(),
        };
        let first = instances.build(1)?;
        *instances.lock() = State { idle: vec![first], built: 1, ..State::default() };
        Ok(instances)
    }

    /// An instance for one event.
    pub(super) fn take(&self) -> Result<BusyInstance<'_>, InvokeError> {
        let failed = |error: BuildError| InvokeError::Failed(format!("it did not start: {error}"));
        let mut state = self.lock();
        if let Some((name, router)) = state.idle.pop() {
            return Ok(BusyInstance { instances: self, name: Some(name), router });
        }
        if state.built - state.failed < MOST {
            state.built += 1;
            let number = state.built;
            drop(state);
            let built = self.build(number).inspect_err(|_| self.lock().failed += 1);
            let (name, router) = built.map_err(failed)?;
            return Ok(BusyInstance { instances: self, name: Some(name), router });
        }
        let router = match &state.shared {
            Some(router) => router.clone(),
            None => {
                let router = (self.build)(&self.environment.shared()).map_err(failed)?;
                state.shared.insert(router).clone()
            }
        };
        Ok(BusyInstance { instances: self, name: None, router })
    }

    fn build(&self, number: usize) -> Result<(String, Router), BuildError> {
        let name = format!("{}-{number}", self.function);
        let router = (self.build)(&self.environment.of_instance(&name))?;
        Ok((name, router))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for BusyInstance<'_> {
    fn drop(&mut self) {
        if let Some(name) = self.name.take() {
            self.instances.lock().idle.push((name, self.router.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instances() -> Instances {
        let environment = FunctionEnvironment::new(|path| {
            BTreeMap::from([("ENDPOINT".to_owned(), format!("http://host{path}"))])
        });
        Instances::new("Front", environment, |variables| {
            assert!(variables["ENDPOINT"].starts_with("http://host"));
            Ok(Router::new())
        })
        .unwrap()
    }

    #[test]
    fn an_instance_works_on_one_event_at_a_time_and_is_used_again() {
        let instances = instances();
        let one = instances.take().unwrap();
        let two = instances.take().unwrap();
        assert_eq!((one.name.as_deref(), two.name.as_deref()), (Some("Front-1"), Some("Front-2")));
        drop(one);
        assert_eq!(instances.take().unwrap().name.as_deref(), Some("Front-1"));
    }

    #[test]
    fn more_events_than_instances_share_a_router() {
        let instances = instances();
        let busy: Vec<_> = (0..MOST + 2).map(|_| instances.take().unwrap()).collect();
        assert_eq!(busy.iter().filter(|busy| busy.name.is_none()).count(), 2);
    }
}
