//! The form's fields, parsed once into domain values.

use std::fmt;

use jiff::civil;

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
        Ok(Self {
            phone: phone(fields)?,
            slot: Slot::new(date(fields)?, time(fields)?),
            repair: repair(fields)?,
            device: device(fields)?,
            customer_name: optional("customer_name", fields.customer_name.as_deref())?,
            address: address(fields)?,
        })
    }

    /// Everything that is missing or wrong, in the order of the form.
    pub fn problems(fields: &FormFields) -> Vec<SchedulerError> {
        let name = optional("customer_name", fields.customer_name.as_deref());
        [
            repair(fields).err(),
            date(fields).err(),
            time(fields).err(),
            device(fields).err(),
            address(fields).err(),
            name.err(),
            phone(fields).err(),
        ]
        .into_iter()
        .flatten()
        .collect()
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

fn phone(fields: &FormFields) -> Result<Phone, SchedulerError> {
    let phone = required("phone", fields.phone.as_deref())?;
    Phone::parse(phone).map_err(|error| invalid_with_name("phone", &error))
}

fn date(fields: &FormFields) -> Result<civil::Date, SchedulerError> {
    let date = required("date", fields.date.as_deref())?;
    slot::parse_date(date).map_err(|error| invalid("date", &error))
}

fn time(fields: &FormFields) -> Result<SlotTime, SchedulerError> {
    let time = required("time", fields.time.as_deref())?;
    SlotTime::parse(time).map_err(|error| invalid("time", &error))
}

fn repair(fields: &FormFields) -> Result<Repair, SchedulerError> {
    let repair = required("repair_type", fields.repair_type.as_deref())?;
    Repair::parse(repair).map_err(|error| invalid("repair_type", &error))
}

fn device(fields: &FormFields) -> Result<String, SchedulerError> {
    let device = optional("device", fields.device.as_deref())?;
    Ok(device.unwrap_or_else(|| UNKNOWN_DEVICE.to_owned()))
}

fn address(fields: &FormFields) -> Result<Option<String>, SchedulerError> {
    label::parse_address(fields.address.as_deref().unwrap_or_default())
        .map_err(|error| invalid_with_name("address", &error))
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
