//! Which calls fail, and what is counted.

use super::*;

fn fault(skip: u32, times: Option<u32>) -> Fault {
    let failure = Failure { status: Some(503), ..Failure::default() };
    Fault { on: "openai.responses".into(), failure, skip, times, ..Fault::default() }
}

#[test]
fn a_fault_fails_calls_of_its_name_after_skip_and_for_times() {
    let faults = Faults::default();
    faults.arm(fault(1, Some(2)));
    assert_eq!(faults.next_failure("twilio.messages.create"), None);
    let hits: Vec<bool> =
        (0..5).map(|_| faults.next_failure("openai.responses").is_some()).collect();
    assert_eq!(hits, [false, true, true, false, false]);
}

#[test]
fn a_call_that_one_fault_lets_through_may_meet_another() {
    let faults = Faults::default();
    let first = faults.arm(fault(1, Some(1)));
    let busy = Failure { status: Some(429), ..Failure::default() };
    let second = faults.arm(Fault { failure: busy.clone(), ..fault(0, None) });
    assert_eq!(faults.next_failure("openai.responses"), Some(busy));
    assert!(!faults.is_spent(first));
    assert_eq!(faults.next_failure("openai.responses"), Some(fault(0, None).failure));
    assert!(faults.is_spent(first) && !faults.is_spent(second));
}

#[test]
fn without_times_every_call_fails_until_cleared() {
    let faults = Faults::default();
    faults.arm(fault(0, None));
    assert!((0..100).all(|_| faults.next_failure("openai.responses").is_some()));
    faults.clear();
    assert_eq!(faults.next_failure("openai.responses"), None);
}

fn database_fault(on: &str, database_fault: DatabaseFault) -> Fault {
    let failure = Failure { database_fault: Some(database_fault), ..Failure::default() };
    Fault { on: on.into(), failure, ..Fault::default() }
}

#[test]
fn a_star_is_every_operation_that_can_fail_so() {
    let faults = Faults::default();
    faults.arm(database_fault("dynamodb.*", DatabaseFault::Conflict));
    assert!(faults.next_failure("dynamodb.PutItem").is_some());
    assert!(faults.next_failure("dynamodb.TransactWriteItems").is_some());
    assert_eq!(
        faults.next_failure("dynamodb.Query"),
        None,
        "a read cannot be in conflict with a transaction"
    );
    assert_eq!(faults.next_failure("openai.responses"), None);
}

#[test]
fn a_consistent_read_is_matched_and_never_stale() {
    let faults = Faults::default();
    let handle = faults
        .arm(Fault { times: Some(1), ..database_fault("dynamodb.Query", DatabaseFault::Stale) });
    let read = |eventually_consistent| FaultableCall {
        eventually_consistent,
        ..FaultableCall::named("dynamodb.Query")
    };
    assert!(faults.next_fault(&read(false)).is_none());
    assert_eq!((faults.matched(handle), faults.latest_stale()), (1, Some(handle)));
    assert!(faults.next_fault(&read(true)).is_some());
    assert_eq!((faults.matched(handle), faults.latest_stale()), (2, None), "spent");
}

#[test]
fn one_fault_is_disarmed_and_the_others_keep_their_counts() {
    let faults = Faults::default();
    let [first, second] = [0, 1].map(|skip| faults.arm(fault(skip, Some(1))));
    assert!(faults.next_failure("openai.responses").is_some());
    let disarmed = faults.disarm(first).unwrap();
    assert_eq!((disarmed.matched, disarmed.injected, disarmed.spent), (1, 1, true));
    assert!(faults.disarm(first).is_none());
    assert_eq!(faults.next_failure("openai.responses"), None, "the second skips one");
    assert!(faults.next_failure("openai.responses").is_some());
    let left = faults.list();
    assert_eq!(left.len(), 1);
    assert_eq!((left[0].handle, left[0].matched, left[0].injected), (second, 2, 1));
    faults.clear();
    assert_ne!(faults.arm(fault(0, None)), second, "a handle is never used again");
}

#[test]
fn a_chance_fails_some_calls_and_the_same_ones_for_a_seed() {
    let failed = |seed| {
        let faults = Faults::default();
        faults.seed(seed);
        let chance = Chance::of(0.3);
        faults.arm(Fault { chance, ..fault(0, None) });
        (0..1000).map(|_| faults.next_failure("openai.responses").is_some()).collect::<Vec<_>>()
    };
    let count = failed(7).iter().filter(|failed| **failed).count();
    assert!((250..350).contains(&count), "{count}");
    assert_eq!(failed(7), failed(7));
    assert_ne!(failed(7), failed(8));
}
