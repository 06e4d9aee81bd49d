//! The page with the booking form.

use super::{values, var_reader::VarReader};
use crate::domain::phone::Phone;

/// The page with the booking form.
#[derive(Debug, Clone)]
pub struct BookPageConfig {
    /// Which pages may embed it: the sources of the directive `frame-ancestors`.
    pub frame_ancestors: String,
    /// The shop's number, for whoever wants to change a booking.
    pub shop_phone: Option<Phone>,
}

impl BookPageConfig {
    pub(super) fn read(reader: &mut VarReader<'_>) -> Option<Self> {
        let shop_phone = reader.optional("TWILIO_PHONE_NUMBER", values::phone);
        reader
            .with_default("BOOK_FRAME_ANCESTORS", "'none'", values::frame_ancestors)
            .map(|frame_ancestors| Self { frame_ancestors, shop_phone })
    }
}
