//! A rendezvous: calls that wait for each other, so that a race happens every time.
//!
//! The first calls of a name are held until as many have arrived as take part.
//! Then they go on one after the other, each when the one before has been
//! answered, in an order that a number chooses among all orders.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::{FaultableCall, target::FaultTarget};

/// Where calls meet. Clones share it.
#[derive(Debug, Clone)]
pub struct Rendezvous {
    on: String,
    target: FaultTarget,
    room: Arc<Mutex<RendezvousState>>,
}

#[derive(Debug)]
struct RendezvousState {
    /// For each who takes part, what only its call carries.
    marks: Vec<Vec<String>>,
    order: u64,
    phase: Phase,
    next: u64,
}

#[derive(Debug)]
enum Phase {
    /// Calls arrive.
    Gathering(Vec<Waiting>),
    /// All have arrived: these go on, the last one first.
    Going(Vec<Waiting>),
    /// Not all could arrive any more; so many have, then or later.
    Missed(usize),
}

#[derive(Debug)]
struct Waiting {
    id: u64,
    /// Whose call it is, as far as its marks tell, and what it says.
    identity: (usize, String),
    go: oneshot::Sender<()>,
}

/// A rendezvous that did not take place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed {
    /// Calls that had arrived.
    pub arrived: usize,
    /// Calls that were to arrive.
    pub size: usize,
}

impl Rendezvous {
    /// A rendezvous of calls that are named `on` and aimed at, as many as there are `marks`: for each
    /// who takes part, texts that only its call carries. They go on in the order with the number
    /// `order` among all orders of those who take part; 0 is the order of the marks.
    pub fn new(
        on: impl Into<String>,
        target: FaultTarget,
        marks: Vec<Vec<String>>,
        order: u64,
    ) -> Self {
        let room = RendezvousState { marks, order, phase: Phase::Gathering(Vec::new()), next: 0 };
        Self { on: on.into(), target, room: Arc::new(Mutex::new(room)) }
    }

    /// One of those who take part has ended: if not all have arrived by now, they never will.
    pub fn ended(&self) {
        let mut room = self.room();
        if let Phase::Gathering(waiting) = &room.phase {
            // Whoever waits is let go, since dropping the sender tells them.
            room.phase = Phase::Missed(waiting.len());
        }
    }

    /// How it was missed, if it was.
    pub fn missed(&self) -> Option<Missed> {
        let room = self.room();
        match &room.phase {
            Phase::Gathering(waiting) => Some(waiting.len()),
            Phase::Missed(arrived) => Some(*arrived),
            Phase::Going(_) => None,
        }
        .map(|arrived| Missed { arrived, size: room.marks.len() })
    }

    /// Takes a call in, if it is one of those who meet and the rendezvous has not begun.
    pub(super) fn enter(
        &self,
        call: &FaultableCall<'_>,
        identity: impl FnOnce() -> String,
    ) -> Option<Permit> {
        if call.name != self.on || !self.target.takes(call) {
            return None;
        }
        let mut room = self.room();
        let (go, gone) = oneshot::channel();
        let id = room.next;
        if let Phase::Missed(arrived) = &mut room.phase {
            *arrived += 1;
        }
        if !matches!(room.phase, Phase::Gathering(_)) {
            return None;
        }
        let identity = room.identified(identity());
        let Phase::Gathering(waiting) = &mut room.phase else { return None };
        waiting.push(Waiting { id, identity, go });
        room.next += 1;
        room.begin();
        Some(Permit { rendezvous: self.clone(), id, gone: Some(gone) })
    }

    fn room(&self) -> MutexGuard<'_, RendezvousState> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RendezvousState {
    /// Ids in a request may be random, so that the text alone would order it anyhow.
    fn identified(&self, request: String) -> (usize, String) {
        let carries = |marks: &Vec<String>| marks.iter().any(|mark| request.contains(mark));
        (self.marks.iter().position(carries).unwrap_or(self.marks.len()), request)
    }

    /// Lets the first one go when all are there.
    fn begin(&mut self) {
        let Phase::Gathering(waiting) = &mut self.phase else { return };
        if waiting.len() < self.marks.len() {
            return;
        }
        let mut all = std::mem::take(waiting);
        all.sort_by(|a, b| a.identity.cmp(&b.identity));
        let mut ordered = permuted(all, self.order);
        ordered.reverse();
        self.phase = Phase::Going(ordered);
        self.go_on();
    }

    /// Lets the next one go; those who went away are passed over.
    fn go_on(&mut self) {
        let Phase::Going(waiting) = &mut self.phase else { return };
        while let Some(next) = waiting.pop() {
            if next.go.send(()).is_ok() {
                return;
            }
        }
    }
}

/// A call's place in a rendezvous. Dropping it gives the place up, or lets the next one go.
#[derive(Debug)]
pub struct Permit {
    rendezvous: Rendezvous,
    id: u64,
    gone: Option<oneshot::Receiver<()>>,
}

impl Permit {
    /// Waits until it is this call's turn, or until the rendezvous cannot take place.
    pub async fn turn(&mut self) {
        if let Some(gone) = &mut self.gone {
            // An error is a rendezvous that was missed: the call goes on.
            let _ = gone.await;
            self.gone = None;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut room = self.rendezvous.room();
        // Told to go at the very moment at which its caller went away.
        let was_told = self.gone.as_mut().is_none_or(|gone| gone.try_recv().is_ok());
        match &mut room.phase {
            Phase::Gathering(waiting) => waiting.retain(|w| w.id != self.id),
            Phase::Going(waiting) => {
                waiting.retain(|w| w.id != self.id);
                if was_told {
                    room.go_on();
                }
            }
            Phase::Missed(_) => {}
        }
    }
}

/// The order with this number among all orders of a list; 0 leaves it as it is.
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

    use super::*;

    fn rendezvous(size: usize, order: u64) -> Rendezvous {
        Rendezvous::new("dynamodb.PutItem", FaultTarget::default(), vec![vec![]; size], order)
    }

    fn enter(rendezvous: &Rendezvous, identity: &str) -> Permit {
        rendezvous.enter(&FaultableCall::named("dynamodb.PutItem"), || identity.into()).unwrap()
    }

    fn may_go(permit: &mut Permit) -> bool {
        permit.gone.as_mut().is_none_or(|gone| gone.try_recv().is_ok()) && {
            permit.gone = None;
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
    fn all_wait_for_the_last_and_go_on_one_by_one_whoever_came_first() {
        for arrival in [["a", "b"], ["b", "a"]] {
            let rendezvous = rendezvous(2, 1);
            let mut first = enter(&rendezvous, arrival[0]);
            assert!(!may_go(&mut first));
            assert_eq!(rendezvous.missed(), Some(Missed { arrived: 1, size: 2 }));
            let mut second = enter(&rendezvous, arrival[1]);
            assert!(
                rendezvous
                    .enter(&FaultableCall::named("dynamodb.PutItem"), || "c".into())
                    .is_none(),
                "begun"
            );
            assert_eq!(rendezvous.missed(), None);
            let (a, b) = match arrival[0] {
                "a" => (&mut first, &mut second),
                _ => (&mut second, &mut first),
            };
            // Order 1 of two is the other way round.
            assert!(!may_go(a) && may_go(b), "{arrival:?}");
            drop(std::mem::replace(b, enter(&self::rendezvous(1, 0), "x")));
            assert!(may_go(a));
        }
    }

    #[test]
    fn who_goes_away_holds_nobody_up() {
        let rendezvous = rendezvous(3, 0);
        drop(enter(&rendezvous, "early"));
        let (a, b, mut c) =
            (enter(&rendezvous, "a"), enter(&rendezvous, "b"), enter(&rendezvous, "c"));
        drop(b);
        assert!(!may_go(&mut c));
        // Told to go, and gone without having looked.
        drop(a);
        assert!(may_go(&mut c));
    }

    #[tokio::test]
    async fn a_meeting_that_cannot_take_place_lets_everybody_go() {
        let rendezvous = rendezvous(2, 0);
        let mut waiting = enter(&rendezvous, "a");
        rendezvous.ended();
        waiting.turn().await;
        assert_eq!(rendezvous.missed(), Some(Missed { arrived: 1, size: 2 }));
        assert!(
            rendezvous.enter(&FaultableCall::named("dynamodb.PutItem"), || "late".into()).is_none()
        );
        assert_eq!(rendezvous.missed(), Some(Missed { arrived: 2, size: 2 }), "but too late");
    }

    #[test]
    fn marks_order_the_calls_whatever_else_they_say() {
        for (first, second) in [("1 ann", "2 bob"), ("1 bob", "2 ann")] {
            let marks = vec![vec!["bob".into()], vec!["ann".into()]];
            let rendezvous = Rendezvous::new("dynamodb.PutItem", FaultTarget::default(), marks, 0);
            let (mut first_ticket, second_ticket) =
                (enter(&rendezvous, first), enter(&rendezvous, second));
            assert_eq!(may_go(&mut first_ticket), first.ends_with("bob"));
            drop(second_ticket);
        }
    }

    #[test]
    fn others_pass() {
        let rendezvous = rendezvous(2, 0);
        assert!(rendezvous.enter(&FaultableCall::named("dynamodb.GetItem"), String::new).is_none());
    }
}
