//! The SMS-to-booking backend: `domain` decides, `app` acts through `ports`.

pub mod app;
pub mod domain;
pub mod ports;
pub mod tools;
