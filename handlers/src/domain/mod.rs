//! What the shop knows and decides. Pure and synchronous, without clock or randomness.

pub mod background;
pub mod booking;
pub mod calendar;
pub mod catalogue;
pub mod claims;
pub mod customer_data;
pub mod day_schedule;
pub(crate) mod digest;
pub mod discount;
pub mod label;
pub mod lead;
pub mod migration;
pub mod opt_out;
pub mod outbox;
pub mod owner;
pub mod owner_command;
pub mod pace;
pub mod phone;
pub mod prompt;
pub mod sales;
pub mod secret;
pub mod slot;
pub mod text;
pub mod time_off;
pub mod turn;
pub mod usage;
