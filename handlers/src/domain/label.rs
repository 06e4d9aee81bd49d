//! Short texts that people type: names, devices and addresses.

/// Longest name or device, in characters.
pub const MAX_LABEL_CHARS: usize = 60;

/// Longest address, in characters.
pub const MAX_ADDRESS_CHARS: usize = 200;

/// The device's name when the customer has not named it.
pub const UNKNOWN_DEVICE: &str = "Unknown Device";

/// Why a name, device or address is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// Longer than this many characters.
    #[error("at most {0} characters")]
    TooLong(usize),
    /// Contains line breaks or other characters that are not text.
    #[error("control characters are not allowed")]
    Control,
}

/// Trims and checks a name or device; `None` when it is blank.
///
/// Markup is left as it is, because whoever writes the text into a document escapes it.
///
/// # Errors
/// [`LabelError::Control`] or [`LabelError::TooLong`].
pub fn parse(text: &str) -> Result<Option<String>, LabelError> {
    parse_up_to(text, MAX_LABEL_CHARS)
}

/// The same for an address, which may have [`MAX_ADDRESS_CHARS`].
///
/// # Errors
/// [`LabelError::Control`] or [`LabelError::TooLong`].
pub fn parse_address(text: &str) -> Result<Option<String>, LabelError> {
    parse_up_to(text, MAX_ADDRESS_CHARS)
}

fn parse_up_to(text: &str, most: usize) -> Result<Option<String>, LabelError> {
    let text = text.trim();
    if text.chars().any(is_control) {
        return Err(LabelError::Control);
    }
    if text.chars().count() > most {
        return Err(LabelError::TooLong(most));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// Makes with which a device's name begins.
const MAKES: [&str; 26] = [
    "iphone", "ipad", "ipod", "apple", "samsung", "galaxy", "google", "pixel", "oneplus",
    "motorola", "moto", "lg", "nokia", "xiaomi", "redmi", "huawei", "honor", "sony", "xperia",
    "htc", "nothing", "oppo", "realme", "tcl", "phone", "android",
];
/// Other words of devices' names.
const MODEL_WORDS: [&str; 30] = [
    "pro", "max", "plus", "mini", "ultra", "se", "air", "note", "fold", "flip", "z", "edge", "fe",
    "lite", "x", "xr", "xs", "xl", "s", "a", "g", "tab", "stylus", "power", "play", "gen", "nord",
    "poco", "active", "5g",
];
/// Most words of a device's name.
const MAX_DEVICE_WORDS: usize = 6;

/// The device if it is the name of a model: `iPhone 14 Pro Max`, `Samsung Galaxy S23`. Anything
/// else that people type is `None` and stands in no text of the shop.
pub fn known_device(device: &str) -> Option<&str> {
    let device = device.trim();
    let words: Vec<String> = device.split(' ').map(str::to_ascii_lowercase).collect();
    let makes = words.first().is_some_and(|first| {
        // "iPhone14"
        MAKES.contains(&first.trim_end_matches(|c: char| c.is_ascii_digit()))
    });
    let numbers = words.iter().filter(|word| word.contains(|c: char| c.is_ascii_digit())).count();
    let known = words.iter().skip(1).all(|word| {
        MAKES.contains(&word.as_str()) || MODEL_WORDS.contains(&word.as_str()) || is_model(word)
    });
    let first_is_short = words.first().is_some_and(|first| first.len() <= 10);
    (makes && known && first_is_short && numbers <= 2 && words.len() <= MAX_DEVICE_WORDS)
        .then_some(device)
}

/// Whether a word belongs to the name of a device: `iPhone`, `14`, `Pro`.
pub(crate) fn is_device_word(word: &str) -> bool {
    MAKES.contains(&word) || MODEL_WORDS.contains(&word) || is_model(word)
}

/// `14`, `S23`, `A54`, `6s`, `S22+`, `2023`.
fn is_model(word: &str) -> bool {
    let word = word.trim_matches(['(', ')']);
    let digits = word.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let letters = word.len() - digits.len();
    let tail = digits.trim_start_matches(|c: char| c.is_ascii_digit());
    let count = digits.len() - tail.len();
    let year = count == 4 && digits.starts_with("20");
    letters <= 2
        && ((1..=3).contains(&count) || year)
        && ["", "s", "e", "c", "a", "t", "x", "xl", "+", "th", "g", "r"].contains(&tail)
}

/// Includes line separators that are no control characters, and characters that change the
/// direction of writing: a name must not rearrange the text around it.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_models_are_devices() {
        for device in [
            "iPhone",
            "iPhone 12",
            "iPhone 14 Pro Max",
            "iPhone SE 2022",
            "Samsung Galaxy S24",
            "Galaxy S23",
            "Pixel 8",
            "iPad",
            "Samsung Galaxy Z Flip 5",
            "Moto G7 Power",
            "iPhone15",
        ] {
            assert_eq!(known_device(device), Some(device));
        }
        for typed in [
            "",
            UNKNOWN_DEVICE,
            "ACTION NEEDED pay $20 at http://evil.example",
            "iPhone call 555",
            "iPhone 9045550100",
            "purple",
            "iPhone\u{a0}14",
            "LEAD-20260210-201000-abcdef",
            "iPhone evil.example",
            "phone me on 904 555 0100",
        ] {
            assert_eq!(known_device(typed), None, "{typed}");
        }
    }

    #[test]
    fn names_and_devices_are_trimmed_and_checked() {
        assert_eq!(parse("  Ann <b>Lee</b> "), Ok(Some("Ann <b>Lee</b>".to_owned())));
        assert_eq!(parse("   "), Ok(None));
        assert_eq!(parse("a\nb"), Err(LabelError::Control));
        assert_eq!(parse("a\u{2028}b"), Err(LabelError::Control));
        assert_eq!(parse("Ann \u{202e}eeL"), Err(LabelError::Control));
        assert_eq!(parse(&"é".repeat(60)).map(|l| l.map(|l| l.chars().count())), Ok(Some(60)));
        assert_eq!(parse(&"é".repeat(61)), Err(LabelError::TooLong(60)));
    }
}
