//! Permissions: what functions did, against what the template lets them do.
//!
//! [`Usage`] collects from journals which action each function used on which
//! resource; [`compare`] holds that against the statements of the template;
//! [`minimal_policies`] is the policy that grants what was used and nothing else.
//! Calls whose endpoint URL names no function are nobody's and are left out.

mod compare;
mod minimal;
mod required;
mod usage;

pub use self::{
    compare::{Finding, PermissionUse, compare, unchecked_policies},
    minimal::minimal_policies,
    usage::{Permission, Usage},
};
