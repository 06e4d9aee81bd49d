//! Exports and erases what is stored about a customer.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    domain::{calendar::Calendar, customer_data::CustomerData, phone::Phone},
    ports::{EraseOutcome, Store, StoreError},
};

/// The use case: a customer asks what is stored, or wants it gone.
#[derive(Clone)]
pub struct CustomerService {
    store: Arc<dyn Store>,
    calendar: Calendar,
}

/// What an erasure did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Whether it was done.
    pub outcome: EraseOutcome,
    /// Whether the customer has opted out of texts, which stays stored.
    pub opted_out: bool,
}

impl CustomerService {
    /// The use case on a store. The calendar says which bookings are over.
    pub fn new(store: Arc<dyn Store>, calendar: Calendar) -> Self {
        Self { store, calendar }
    }

    /// Returns all that is stored about a customer; costs what [`Store::customer_data`] does.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn export(&self, phone: &Phone) -> Result<CustomerData, StoreError> {
        let data = self.store.customer_data(phone).await?;
        tracing::info!(customer = phone.masked(), "a customer's data was exported");
        Ok(data)
    }

    /// Erases a customer, unless they have a booking that is not over at `now`. An opt-out stays. A
    /// repeat finishes what a failure left.
    ///
    /// # Errors
    /// When the database fails. What was erased until then stays erased.
    pub async fn erase(&self, phone: &Phone, now: Timestamp) -> Result<Erasure, StoreError> {
        let opted_out = self.store.opted_out(phone).await?;
        let outcome = self.store.erase_customer(phone, self.calendar.local(now)).await?;
        let customer = phone.masked();
        match &outcome {
            EraseOutcome::Erased(rows) => tracing::info!(customer, rows, "a customer was erased"),
            EraseOutcome::HasOpenBookings(open) => {
                tracing::info!(customer, bookings = open.len(), "not erased, bookings are open");
            }
        }
        Ok(Erasure { outcome, opted_out })
    }
}
