//! Running a scenario: one file per kind of step, one per kind of comparison.

mod assign;
mod people;
mod rows;
mod texts;
