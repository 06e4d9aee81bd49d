//! DynamoDB Local in a Docker container.

mod container;
mod daemon;
mod orphans;

pub(super) use container::supervise;
