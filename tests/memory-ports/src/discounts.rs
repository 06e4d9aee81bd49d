//! Discounts in memory.

use handlers::domain::{
    discount::{DiscountGrant, discounts_count_from},
    lead::Lead,
    phone::Phone,
};
use jiff::Timestamp;

use super::rows::Rows;

/// A customer's last grant.
#[derive(Debug)]
pub struct DiscountRow {
    grant: DiscountGrant,
    /// When a booking used it.
    used: Option<Timestamp>,
}

impl Rows {
    pub fn grant_discount(&mut self, grant: &DiscountGrant) -> bool {
        let phone = &grant.key.phone;
        if let Some(DiscountRow { grant: last, used }) = self.discounts.get(phone) {
            let is_same = (&last.key.sid, last.ordinal) == (&grant.key.sid, grant.ordinal);
            let counts = used.unwrap_or(last.now) >= discounts_count_from(grant.now);
            if counts && (used.is_some() || !is_same) {
                return is_same;
            }
        }
        let row = DiscountRow { grant: grant.clone(), used: None };
        self.discounts.insert(phone.clone(), row);
        true
    }

    pub fn open_discount(&self, phone: &Phone, now: Timestamp) -> Option<u8> {
        let DiscountRow { grant, used } = self.discounts.get(phone)?;
        (used.is_none() && grant.now >= discounts_count_from(now)).then_some(grant.percent)
    }

    pub fn may_use_discount(&self, phone: &Phone, percent: u8) -> bool {
        let row = self.discounts.get(phone);
        row.is_some_and(|row| row.used.is_none() && row.grant.percent == percent)
    }

    pub fn use_discount(&mut self, lead: &Lead) {
        self.discounts.get_mut(&lead.phone).unwrap().used = Some(lead.timestamp);
    }
}
