//! The runner against a small backend of another trade: a notebook by text
//! message. It knows nothing of the emulator but the URLs in its environment.

mod backend;
mod clock;
mod events;
mod external;
mod failing;
mod invoking;
mod late;
mod library;
mod passing;
mod races;
mod services;
mod support;
mod sweep;
