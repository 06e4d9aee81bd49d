//! Use cases. They reach the world through `ports` only and own no clock, no chance and no task:
//! whoever polls them and implements the ports decides everything that happens.

pub mod bookings;
pub mod error_chain;
pub mod owner_state;
pub mod reply;
pub mod scheduler;
