//! Random conversations, each from a seed, of what a project's scenarios are made of.
//!
//! A scenario asks what its author thought of. An exploration mixes what scenarios have: their texts and
//! people, what the model calls and says, requests, waits, and adds failures of calls, repeats and
//! values at the edges of what the tools' schemas allow. What comes of it is judged by the sentences
//! that must hold whatever happens ([`Invariants`](crate::invariants::Invariants)), so it needs to know
//! nothing of the backend.

mod arguments;
mod generate;
mod ingredients;
mod shrink;
mod text;

pub use self::{generate::generate, ingredients::Ingredients, shrink::smaller, text::text};
