//! Containers whose process was killed before it could remove them.
//!
//! Each container says in a label whose it is. The next process that starts one
//! removes those of processes that are no more. What is meant to stay has no
//! such label.

use std::{collections::HashMap, fs};

use testcontainers::bollard::{
    Docker,
    query_parameters::{ListContainersOptionsBuilder, RemoveContainerOptionsBuilder},
};

/// The label.
pub(super) const LABEL: &str = "rehearse.life";

/// This process, told from every other one: boot, space of process ids, id and start. Nothing
/// where the system does not say so; its containers are never removed by others.
pub(super) fn life() -> Option<String> {
    Some(format!("{} {} {}", place()?, std::process::id(), started(std::process::id())?))
}

/// Removes the containers of processes of this machine that are no more.
pub(super) async fn remove_all(docker: &Docker) {
    let Some(place) = place() else { return };
    let with_label = HashMap::from([("label", vec![LABEL])]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&with_label).build();
    // A daemon that cannot say it will fail to start one, too, and that is told.
    let Ok(containers) = docker.list_containers(Some(options)).await else { return };
    for container in containers {
        let life = container.labels.as_ref().and_then(|labels| labels.get(LABEL));
        let (Some(life), Some(id)) = (life, container.id) else { continue };
        if is_over(life, &place) {
            let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
            // Somebody else may be removing it.
            let _ = docker.remove_container(&id, Some(options)).await;
        }
    }
}

fn is_over(life: &str, place: &str) -> bool {
    let Some((process, start)) = life
        .strip_prefix(place)
        .and_then(|rest| rest.trim().split_once(' '))
        .and_then(|(id, start)| Some((id.parse().ok()?, start)))
    else {
        return false;
    };
    started(process).is_none_or(|started| started != start)
}

/// Where process ids mean the same.
fn place() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let space = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), space.display()))
}

/// When a process started, in ticks since the boot.
fn started(process: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name is in parentheses and may have any; field 22 is the 20th after it.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19).map(str::to_owned)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_over_when_its_process_is_gone_or_another_one() {
        let (place, life) = (place().unwrap(), life().unwrap());
        assert!(!is_over(&life, &place), "this process lives");
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let gone = format!("{place} {} 1", child.id());
        child.wait().unwrap();
        assert!(is_over(&gone, &place));
        let reused = format!("{place} {} 1", std::process::id());
        assert!(is_over(&reused, &place), "another process has its id now");
        assert!(!is_over("another boot pid:[1] 1 1", &place), "who knows");
        assert!(!is_over("", &place) && !is_over(&place, &place));
    }
}
