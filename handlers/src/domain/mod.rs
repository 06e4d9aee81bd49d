//! What the shop knows and decides: pure, synchronous, without clock or chance.

pub mod booking;
pub mod catalogue;
mod digest;
pub mod label;
pub mod lead;
pub mod owner;
pub mod phone;
pub mod sales;
pub mod slot;
pub mod turn;
