//! The runner against a small backend of another trade: a notebook by text
//! message. It knows nothing of the emulator but the URLs in its environment.

mod backend;
mod events;
mod external;
mod failing;
mod library;
mod passing;
mod races;
mod support;
mod sweep;
