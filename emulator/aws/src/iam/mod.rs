//! Permissions: what functions did, compared with what the template lets them do.
//!
//! [`Usage`] collects from journals which action each function used on which
//! resource; [`compare`] compares that with the statements of the template;
//! [`minimal_policies`] has policies that grant exactly what was used.
//! Calls whose endpoint URL names no function belong to none and are left out.

mod compare;
mod minimal;
mod required;
mod usage;

pub use self::{
    compare::{Finding, PermissionUse, compare, unchecked_policies},
    minimal::minimal_policies,
    usage::{Permission, Usage},
};
