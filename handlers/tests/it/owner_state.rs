//! The use case behind `/state`, on ports in memory.

use handlers::{
    app::owner_state::OwnerStateError,
    domain::{
        changed_by::ChangedBy,
        owner::{OwnerPatch, OwnerStatus},
    },
};
use serde_json::json;

use memory_ports::{NOW, World};

fn patch(value: serde_json::Value) -> OwnerPatch {
    OwnerPatch::from_json(value.as_object().unwrap()).unwrap()
}

#[test]
fn two_concurrent_changes_are_both_kept_until_a_reset() {
    let world = World::new();
    let state = world.owner_state();
    let now = NOW.parse().unwrap();
    let (gym, ceiling) = (patch(json!({ "status": "gym" })), patch(json!({ "max_discount": 5 })));
    let (one, two) = world.run(async {
        futures::join!(
            state.update(&gym, ChangedBy::OwnersPage, now),
            state.update(&ceiling, ChangedBy::OwnersPage, now)
        )
    });
    one.unwrap();
    two.unwrap();
    let owner = world.run(state.get()).unwrap();
    assert_eq!((owner.status, owner.max_discount, owner.version), (OwnerStatus::Gym, 5, 2));
    let owner = world.run(state.reset(ChangedBy::Api, now)).unwrap();
    assert_eq!((owner.status, owner.version), (OwnerStatus::Available, 3));
}

#[test]
fn a_failed_read_is_an_error_and_no_default() {
    let world = World::new();
    world.store.fail("owner");
    let state = world.owner_state();
    assert!(matches!(world.run(state.get()), Err(OwnerStateError::Store(_))));
}

#[test]
fn a_change_without_a_field_writes_nothing_and_is_refused_when_it_is_outdated() {
    let world = World::new();
    let state = world.owner_state();
    let now = NOW.parse().unwrap();
    let update = |change| {
        let change = patch(change);
        world.run(async { state.update(&change, ChangedBy::OwnersPage, now).await })
    };
    let written = update(json!({ "status": "gym" })).unwrap();
    for nothing in [json!({}), json!({ "if_version": 1 })] {
        assert_eq!(update(nothing).unwrap(), written);
    }
    assert_eq!(world.run(state.get()).unwrap(), written);
    let outdated = update(json!({ "if_version": 0 }));
    assert!(matches!(outdated, Err(OwnerStateError::Outdated(_))), "{outdated:?}");
}
