//! Marks a booking as done.

use crate::{
    adapters::dynamodb::{DynamoDb, transactions::TransactionOutcome},
    domain::{
        booking::Completion,
        lead::{Lead, LeadStatus},
    },
    ports::{CompleteOutcome, StoreError},
};

impl DynamoDb {
    pub(in super::super) async fn write_completion(
        &self,
        done: &Completion,
    ) -> Result<CompleteOutcome, StoreError> {
        let Completion { booking, slot_key, token, now } = done;
        let is_done =
            |lead: &Lead| lead.status == LeadStatus::Completed && lead.phone == booking.phone;
        let unknown = match self.unchanged_lead_row(booking).await? {
            None => None,
            Some(row) => {
                let mut items = vec![self.complete_lead(&row, *now)?, self.drop_booking(booking)?];
                if let Some(key) = slot_key {
                    items.push(self.complete_slot(booking, key, *now)?);
                }
                match self.transact(Some(token.as_str()), items).await {
                    TransactionOutcome::Written => return Ok(CompleteOutcome::Completed),
                    TransactionOutcome::Rejected(_) => None,
                    TransactionOutcome::Unknown(error) => Some(error),
                }
            }
        };
        match (self.read_lead(&booking.lead_id).await, unknown) {
            (Ok(Some(lead)), _) if is_done(&lead) => Ok(CompleteOutcome::Completed),
            (_, Some(error)) | (Err(error), None) => Err(error),
            (Ok(_), None) => Ok(CompleteOutcome::BookingChanged),
        }
    }
}
