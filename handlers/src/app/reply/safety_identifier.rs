//! Identifies a customer to the model's provider.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::domain::{digest::hex, phone::Phone};

/// 64 hexadecimal digits, the same for every text of a customer. They do not reveal the number
/// without the key.
pub(super) fn safety_identifier(key: &[u8], phone: &Phone) -> String {
    // HMAC accepts keys of any length, so this never fails.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mac| hex(mac.chain_update(phone.as_str()).finalize().into_bytes().as_slice()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identifier_depends_on_key_and_phone() {
        let phone = |text| Phone::parse(text).unwrap();
        let one = safety_identifier(b"key", &phone("+19042520927"));
        assert_eq!(one.len(), 64);
        assert_eq!(one, safety_identifier(b"key", &phone("904-252-0927")));
        assert_ne!(one, safety_identifier(b"key", &phone("+19042520928")));
        assert_ne!(one, safety_identifier(b"other", &phone("+19042520927")));
    }
}
