//! Permissions: what functions did, against what the template lets them do.
//!
//! [`Usage`] collects from journals which action each function used on which
//! resource; [`compare`] holds that against the statements of the template;
//! [`minimal`] is the policy that grants what was used and nothing else.
//! Calls whose endpoint URL names no function are nobody's and are left out.

mod action;
mod compare;
mod minimal;
mod usage;

pub use self::{
    compare::{Finding, Row, compare, unread},
    minimal::minimal,
    usage::{Usage, Use},
};
