//! What is stored about a customer, for whoever has the right to see it.

use serde_json::{Map, Value};

/// A stored row as plain JSON, with the attribute names of its table, ordered by name.
pub type DataRow = Map<String, Value>;

/// Every row that names a customer, by where it is stored.
///
/// Has no `Debug`, so that it cannot reach a log by accident.
#[derive(Clone, Default, PartialEq)]
pub struct CustomerData {
    /// Whether the customer opted out of texts.
    pub opted_out: bool,
    /// The customer's bookings, and what guards their number.
    pub bookings: Vec<DataRow>,
    /// The leads, those that have ended included.
    pub leads: Vec<DataRow>,
    /// The times of the schedule that name the customer.
    pub schedule: Vec<DataRow>,
    /// Turns, memory, queue, discount and sales, and the lists of turns and of the form's holds that
    /// name the customer.
    pub conversation: Vec<DataRow>,
    /// Texts that wait for the owner's answer, and those that he has answered.
    pub unanswered: Vec<DataRow>,
    /// Texts to the customer that have not gone out, and texts to others that name the number.
    pub outbox: Vec<DataRow>,
}
