//! The use cases. They reach the outside through `ports` only and have no clock, randomness or
//! tasks of their own, so tests control everything that happens.

pub mod bookings;
pub mod current_calendar;
pub mod customers;
pub mod error_chain;
pub mod outbox;
pub mod owner_calendar;
pub mod owner_desk;
pub mod owner_news;
pub mod owner_page;
pub mod owner_state;
pub mod rate_limit;
pub mod reply;
pub mod scheduler;
