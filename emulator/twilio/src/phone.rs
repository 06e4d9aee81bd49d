//! The kinds of senders and recipients that Twilio distinguishes.

/// Whether a text is a number in E.164 format: `+` and 8 to 15 digits, ten after `+1`.
pub(super) fn is_e164(text: &str) -> bool {
    let Some(digits) = text.strip_prefix('+') else { return false };
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    match digits.strip_prefix('1') {
        Some(national) => plain && national.len() == 10 && !national.starts_with(['0', '1']),
        None => plain && (8..=15).contains(&digits.len()),
    }
}

/// Whether a text is a short code: three to six digits.
pub(super) fn is_short_code(text: &str) -> bool {
    (3..=6).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a text is an alphanumeric sender: at most eleven letters, digits, spaces and `&_+-`, with
/// at least one letter.
pub(super) fn is_alphanumeric_sender(text: &str) -> bool {
    (1..=11).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b" &_+-".contains(&b))
        && text.bytes().any(|b| b.is_ascii_alphabetic())
}

/// A number with its last four characters replaced by `X`, as Twilio's errors show it.
pub(super) fn masked(text: &str) -> String {
    let shown = text.chars().count().saturating_sub(4);
    let mut masked: String = text.chars().take(shown).collect();
    masked.extend(text.chars().skip(shown).map(|_| 'X'));
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e164_numbers_are_recognized() {
        for good in ["+15551234567", "+447911123456", "+15005550006"] {
            assert!(is_e164(good), "{good}");
        }
        for bad in [
            "",
            "+",
            "5551234567",
            "+1555123456",
            "+155512345678",
            " 15551234567",
            "+1555123456a",
            "+0447911123456",
            "+1234567890123456",
            "+10551234567",
        ] {
            assert!(!is_e164(bad), "{bad}");
        }
    }

    #[test]
    fn the_last_four_digits_are_masked() {
        assert_eq!(masked("+15555551234"), "+1555555XXXX");
        assert_eq!(masked("12"), "XX");
    }

    #[test]
    fn short_codes_and_alphanumeric_senders_are_recognized() {
        assert!(is_short_code("12345") && !is_short_code("12") && !is_short_code("1234567"));
        assert!(is_alphanumeric_sender("Shop 1") && !is_alphanumeric_sender("12345"));
        assert!(!is_alphanumeric_sender("TwelveLetter"));
    }
}
