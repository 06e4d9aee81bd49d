//! A rendezvous: calls that wait for each other, so that a race happens every time.
//!
//! Calls of a name are held until the expected number of them has arrived. Then they go on one
//! after the other, each when the one before has its response. A number chooses one of all possible
//! orders.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::{FaultableCall, target::FaultTarget};

/// Holds calls until all of them have arrived. Clones share it.
#[derive(Debug, Clone)]
pub struct Rendezvous {
    on: String,
    target: FaultTarget,
    state: Arc<Mutex<RendezvousState>>,
}

#[derive(Debug)]
struct RendezvousState {
    /// For each expected call, texts of which only this call's request contains one.
    marks: Vec<Vec<String>>,
    order: u64,
    phase: Phase,
    next_id: u64,
}

#[derive(Debug)]
enum Phase {
    /// Calls arrive and wait.
    Gathering(Vec<WaitingCall>),
    /// All have arrived. These still wait for their permit; the next one is at the end.
    Releasing(Vec<WaitingCall>),
    /// It was given up before all had arrived. The number counts those that came, then or later.
    Missed(usize),
}

#[derive(Debug)]
struct WaitingCall {
    id: u64,
    /// Position of the marks that its request contains, and the request's text. Calls are sorted by
    /// this before the order is applied.
    identity: (usize, String),
    release: oneshot::Sender<()>,
}

/// A rendezvous for which not all calls have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed {
    /// Calls that have arrived.
    pub arrived: usize,
    /// Calls that were expected.
    pub size: usize,
}

impl Rendezvous {
    /// A rendezvous of calls that are named `on` and that `target` matches. It expects one call for
    /// each item of `marks`; an item lists texts of which only this call's request contains one.
    /// `order` is a number that chooses one of all possible orders; 0 is the order of `marks`.
    pub fn new(
        on: impl Into<String>,
        target: FaultTarget,
        marks: Vec<Vec<String>>,
        order: u64,
    ) -> Self {
        let phase = Phase::Gathering(Vec::new());
        let state = RendezvousState { marks, order, phase, next_id: 0 };
        Self { on: on.into(), target, state: Arc::new(Mutex::new(state)) }
    }

    /// Gives up if not all calls have arrived, and lets those go on that wait. Called when one of
    /// the participants has ended and so will make no call any more.
    pub fn participant_ended(&self) {
        let mut state = self.lock();
        if let Phase::Gathering(waiting) = &state.phase {
            // Dropping the senders lets the waiting calls go on.
            state.phase = Phase::Missed(waiting.len());
        }
    }

    /// How many calls are missing, unless all have arrived.
    pub fn missed(&self) -> Option<Missed> {
        let state = self.lock();
        match &state.phase {
            Phase::Gathering(waiting) => Some(waiting.len()),
            Phase::Missed(arrived) => Some(*arrived),
            Phase::Releasing(_) => None,
        }
        .map(|arrived| Missed { arrived, size: state.marks.len() })
    }

    /// Adds a call, if it belongs to the rendezvous and not all calls have arrived yet.
    pub(super) fn join(
        &self,
        call: &FaultableCall<'_>,
        identity: impl FnOnce() -> String,
    ) -> Option<Permit> {
        if call.name != self.on || !self.target.matches(call) {
            return None;
        }
        let mut state = self.lock();
        if let Phase::Missed(arrived) = &mut state.phase {
            *arrived += 1;
        }
        if !matches!(state.phase, Phase::Gathering(_)) {
            return None;
        }
        let identity = state.identify(identity());
        let id = state.next_id;
        let (release, released) = oneshot::channel();
        let Phase::Gathering(waiting) = &mut state.phase else { return None };
        waiting.push(WaitingCall { id, identity, release });
        state.next_id += 1;
        state.release_when_complete();
        Some(Permit { rendezvous: self.clone(), id, released: Some(released) })
    }

    fn lock(&self) -> MutexGuard<'_, RendezvousState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RendezvousState {
    /// Finds the marks that a request contains. Its text alone would not do: ids in it may be random.
    fn identify(&self, request: String) -> (usize, String) {
        let carries = |marks: &Vec<String>| marks.iter().any(|mark| request.contains(mark));
        (self.marks.iter().position(carries).unwrap_or(self.marks.len()), request)
    }

    /// Orders the calls and releases the first one, when all have arrived.
    fn release_when_complete(&mut self) {
        let Phase::Gathering(waiting) = &mut self.phase else { return };
        if waiting.len() < self.marks.len() {
            return;
        }
        let mut all = std::mem::take(waiting);
        all.sort_by(|a, b| a.identity.cmp(&b.identity));
        let mut ordered = permuted(all, self.order);
        ordered.reverse();
        self.phase = Phase::Releasing(ordered);
        self.release_next();
    }

    /// Releases the next call whose caller still waits.
    fn release_next(&mut self) {
        let Phase::Releasing(waiting) = &mut self.phase else { return };
        while let Some(next) = waiting.pop() {
            if next.release.send(()).is_ok() {
                return;
            }
        }
    }
}

/// A call's permission to go on, to be kept until the call has its response. Dropping it releases the
/// next call; dropping it before it is granted gives up the place.
#[derive(Debug)]
pub struct Permit {
    rendezvous: Rendezvous,
    id: u64,
    /// `None` once the call was released and has noticed it.
    released: Option<oneshot::Receiver<()>>,
}

impl Permit {
    /// Waits until this call may go on, or until the rendezvous is given up.
    pub async fn granted(&mut self) {
        if let Some(released) = &mut self.released {
            // An error means that the rendezvous was given up: the call goes on.
            let _ = released.await;
            self.released = None;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.rendezvous.lock();
        // A call may be dropped after its release and before it has noticed: it was granted, too.
        let was_granted = self.released.as_mut().is_none_or(|released| released.try_recv().is_ok());
        match &mut state.phase {
            Phase::Gathering(waiting) => waiting.retain(|w| w.id != self.id),
            Phase::Releasing(waiting) => {
                waiting.retain(|w| w.id != self.id);
                if was_granted {
                    state.release_next();
                }
            }
            Phase::Missed(_) => {}
        }
    }
}

/// The list in one of all its orders, chosen by a number; 0 leaves it as it is.
fn permuted<T>(mut list: Vec<T>, number: u64) -> Vec<T> {
    let mut number = number;
    let mut ordered = Vec::with_capacity(list.len());
    while !list.is_empty() {
        let among = list.len() as u64;
        // Below the length, which is a usize.
        ordered.push(list.remove((number % among) as usize));
        number /= among;
    }
    ordered
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rehearse_testutils::until;

    use super::*;

    fn rendezvous(size: usize, order: u64) -> Rendezvous {
        Rendezvous::new("dynamodb.PutItem", FaultTarget::default(), vec![vec![]; size], order)
    }

    fn join(rendezvous: &Rendezvous, identity: &str) -> Permit {
        rendezvous.join(&FaultableCall::named("dynamodb.PutItem"), || identity.into()).unwrap()
    }

    fn may_go(permit: &mut Permit) -> bool {
        permit.released.as_mut().is_none_or(|released| released.try_recv().is_ok()) && {
            permit.released = None;
            true
        }
    }

    #[test]
    fn numbers_give_every_order_once() {
        let orders: BTreeSet<Vec<u8>> = (0..24).map(|n| permuted(vec![1, 2, 3, 4], n)).collect();
        assert_eq!(orders.len(), 24);
        assert_eq!(permuted(vec![1, 2, 3], 0), [1, 2, 3]);
        assert_eq!(permuted(vec![1, 2, 3], 6), permuted(vec![1, 2, 3], 0), "from the start");
    }

    #[test]
    fn all_wait_for_the_last_and_go_on_one_by_one_in_any_order_of_arrival() {
        for arrival in [["a", "b"], ["b", "a"]] {
            let rendezvous = rendezvous(2, 1);
            let mut first = join(&rendezvous, arrival[0]);
            assert!(!may_go(&mut first));
            assert_eq!(rendezvous.missed(), Some(Missed { arrived: 1, size: 2 }));
            let mut second = join(&rendezvous, arrival[1]);
            assert!(
                rendezvous.join(&FaultableCall::named("dynamodb.PutItem"), || "c".into()).is_none(),
                "already complete"
            );
            assert_eq!(rendezvous.missed(), None);
            let (a, b) = match arrival[0] {
                "a" => (&mut first, &mut second),
                _ => (&mut second, &mut first),
            };
            // Order 1 of two is the other way round.
            assert!(!may_go(a) && may_go(b), "{arrival:?}");
            drop(std::mem::replace(b, join(&self::rendezvous(1, 0), "x")));
            assert!(may_go(a));
        }
    }

    #[test]
    fn a_dropped_call_does_not_hold_up_the_others() {
        let rendezvous = rendezvous(3, 0);
        drop(join(&rendezvous, "early"));
        let (a, b, mut c) =
            (join(&rendezvous, "a"), join(&rendezvous, "b"), join(&rendezvous, "c"));
        drop(b);
        assert!(!may_go(&mut c));
        // Released, and dropped before it noticed.
        drop(a);
        assert!(may_go(&mut c));
    }

    #[tokio::test]
    async fn a_rendezvous_that_is_given_up_lets_all_calls_go_on() {
        let rendezvous = rendezvous(2, 0);
        let mut waiting = join(&rendezvous, "a");
        rendezvous.participant_ended();
        until("the call to go on", waiting.granted()).await;
        assert_eq!(rendezvous.missed(), Some(Missed { arrived: 1, size: 2 }));
        assert!(
            rendezvous.join(&FaultableCall::named("dynamodb.PutItem"), || "late".into()).is_none()
        );
        assert_eq!(rendezvous.missed(), Some(Missed { arrived: 2, size: 2 }), "but too late");
    }

    #[test]
    fn marks_order_the_calls_and_not_the_rest_of_their_text() {
        for (first, second) in [("1 ann", "2 bob"), ("1 bob", "2 ann")] {
            let marks = vec![vec!["bob".into()], vec!["ann".into()]];
            let rendezvous = Rendezvous::new("dynamodb.PutItem", FaultTarget::default(), marks, 0);
            let (mut first_permit, second_permit) =
                (join(&rendezvous, first), join(&rendezvous, second));
            assert_eq!(may_go(&mut first_permit), first.ends_with("bob"));
            drop(second_permit);
        }
    }

    #[test]
    fn calls_of_another_name_pass() {
        let rendezvous = rendezvous(2, 0);
        assert!(rendezvous.join(&FaultableCall::named("dynamodb.GetItem"), String::new).is_none());
    }
}
