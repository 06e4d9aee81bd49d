//! Removes containers whose process was killed before it could remove them.
//!
//! A label on each container identifies its process. The next process that starts a container
//! removes those whose process no longer runs. Containers that are to be kept have no such label.

use std::{collections::HashMap, fs};

use testcontainers::bollard::{
    Docker,
    query_parameters::{ListContainersOptionsBuilder, RemoveContainerOptionsBuilder},
};

/// The label that identifies a container's process.
pub(super) const LABEL: &str = "rehearse.life";

/// Identifies this process among all others: boot, process namespace, process id and start time.
/// `None` where the system does not provide these (it needs `/proc`); then no other process removes
/// the container.
pub(super) fn this_process() -> Option<String> {
    Some(format!("{} {} {}", machine()?, std::process::id(), started(std::process::id())?))
}

/// Removes the containers of processes on this machine that no longer run.
pub(super) async fn remove_all(docker: &Docker) {
    let Some(machine) = machine() else { return };
    let with_label = HashMap::from([("label", vec![LABEL])]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&with_label).build();
    // If the daemon fails here, starting a container fails too, and that error is reported.
    let Ok(containers) = docker.list_containers(Some(options)).await else { return };
    for container in containers {
        let owner = container.labels.as_ref().and_then(|labels| labels.get(LABEL));
        let (Some(owner), Some(id)) = (owner, container.id) else { continue };
        if has_ended(owner, &machine) {
            let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
            // Another process may be removing it too.
            let _ = docker.remove_container(&id, Some(options)).await;
        }
    }
}

/// Whether the process with this label has ended; `false` for processes on other machines.
fn has_ended(owner: &str, machine: &str) -> bool {
    let Some((process, start)) = owner
        .strip_prefix(machine)
        .and_then(|rest| rest.trim().split_once(' '))
        .and_then(|(id, start)| Some((id.parse().ok()?, start)))
    else {
        return false;
    };
    started(process).is_none_or(|started| started != start)
}

/// The boot and the process namespace, within which process ids are unique.
fn machine() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let space = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), space.display()))
}

/// When a process started, in ticks since boot; `None` if it does not exist.
fn started(process: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The process name is in parentheses and may contain any; field 22 is the 20th after it.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19).map(str::to_owned)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_ended_when_it_is_gone_or_its_id_belongs_to_another_one() {
        let (machine, owner) = (machine().unwrap(), this_process().unwrap());
        assert!(!has_ended(&owner, &machine), "this process runs");
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let gone = format!("{machine} {} 1", child.id());
        child.wait().unwrap();
        assert!(has_ended(&gone, &machine));
        let reused = format!("{machine} {} 1", std::process::id());
        assert!(has_ended(&reused, &machine), "another process has its id now");
        assert!(!has_ended("another boot pid:[1] 1 1", &machine), "another machine");
        assert!(!has_ended("", &machine) && !has_ended(&machine, &machine));
    }
}
