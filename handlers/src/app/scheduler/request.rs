//! The form's fields, parsed once into domain values.

use std::fmt;

use super::SchedulerError;
use crate::domain::{
    catalogue::Repair,
    digest::sha256_hex,
    label::{self, UNKNOWN_DEVICE},
    phone::Phone,
    slot::{self, Slot, SlotTime},
};

/// The fields of the form as they were sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormFields {
    /// The customer's phone.
    pub phone: Option<String>,
    /// `YYYY-MM-DD`.
    pub date: Option<String>,
    /// A time of day, such as `2:00 PM`.
    pub time: Option<String>,
    /// A repair on the price list.
    pub repair_type: Option<String>,
    /// The device, when known.
    pub device: Option<String>,
    /// The customer's name, when known.
    pub customer_name: Option<String>,
    /// Where to drive to, for a visit.
    pub address: Option<String>,
}

/// The fields of the form as domain values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormRequest {
    pub(super) phone: Phone,
    pub(super) slot: Slot,
    pub(super) repair: Repair,
    pub(super) device: String,
    pub(super) customer_name: Option<String>,
    pub(super) address: Option<String>,
}

impl FormRequest {
    /// Parses the fields.
    ///
    /// # Errors
    /// [`SchedulerError::Missing`] or [`SchedulerError::Invalid`] for the first field that is
    /// missing or wrong.
    pub fn parse(fields: &FormFields) -> Result<Self, SchedulerError> {
        let phone = required("phone", fields.phone.as_deref())?;
        let date = required("date", fields.date.as_deref())?;
        let time = required("time", fields.time.as_deref())?;
        let repair = required("repair_type", fields.repair_type.as_deref())?;
        let phone = Phone::parse(phone).map_err(|error| invalid_with_name("phone", &error))?;
        let date = slot::parse_date(date).map_err(|error| invalid("date", &error))?;
        let time = SlotTime::parse(time).map_err(|error| invalid("time", &error))?;
        let repair = Repair::parse(repair).map_err(|error| invalid("repair_type", &error))?;
        Ok(Self {
            phone,
            slot: Slot::new(date, time),
            repair,
            device: optional("device", fields.device.as_deref())?
                .unwrap_or_else(|| UNKNOWN_DEVICE.to_owned()),
            customer_name: optional("customer_name", fields.customer_name.as_deref())?,
            address: label::parse_address(fields.address.as_deref().unwrap_or_default())
                .map_err(|error| invalid_with_name("address", &error))?,
        })
    }

    /// A hash that is equal for equal requests.
    pub(super) fn fingerprint(&self) -> String {
        let (at, repair) = (self.slot.wall_clock(), self.repair.slug());
        let name = self.customer_name.as_deref().unwrap_or_default();
        let mut parts = vec![self.phone.as_str(), &at, &repair, &self.device, name];
        // Records of requests without an address stay valid.
        parts.extend(self.address.as_deref());
        sha256_hex(&parts)
    }
}

/// An error whose text names the field already.
pub(super) fn invalid(field: &'static str, why: &impl fmt::Display) -> SchedulerError {
    SchedulerError::Invalid { field, message: why.to_string() }
}

fn invalid_with_name(field: &'static str, why: &impl fmt::Display) -> SchedulerError {
    SchedulerError::Invalid { field, message: format!("Invalid {field}: {why}") }
}

pub(super) fn required<'a>(
    field: &'static str,
    value: Option<&'a str>,
) -> Result<&'a str, SchedulerError> {
    value.map(str::trim).filter(|value| !value.is_empty()).ok_or(SchedulerError::Missing(field))
}

fn optional(field: &'static str, value: Option<&str>) -> Result<Option<String>, SchedulerError> {
    label::parse(value.unwrap_or_default()).map_err(|error| invalid_with_name(field, &error))
}
