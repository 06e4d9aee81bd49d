//! Short texts that people type: names and devices.

/// Longest name or device, in characters.
pub const MAX_LABEL_CHARS: usize = 60;

/// The device's name when the customer has not named it.
pub const UNKNOWN_DEVICE: &str = "Unknown Device";

/// Why a name or device is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// Longer than [`MAX_LABEL_CHARS`].
    #[error("at most {MAX_LABEL_CHARS} characters")]
    TooLong,
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
    let text = text.trim();
    if text.chars().any(is_control) {
        return Err(LabelError::Control);
    }
    if text.chars().count() > MAX_LABEL_CHARS {
        return Err(LabelError::TooLong);
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
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
    fn names_and_devices_are_trimmed_and_checked() {
        assert_eq!(parse("  Ann <b>Lee</b> "), Ok(Some("Ann <b>Lee</b>".to_owned())));
        assert_eq!(parse("   "), Ok(None));
        assert_eq!(parse("a\nb"), Err(LabelError::Control));
        assert_eq!(parse("a\u{2028}b"), Err(LabelError::Control));
        assert_eq!(parse("Ann \u{202e}eeL"), Err(LabelError::Control));
        assert_eq!(parse(&"é".repeat(60)).map(|l| l.map(|l| l.chars().count())), Ok(Some(60)));
        assert_eq!(parse(&"é".repeat(61)), Err(LabelError::TooLong));
    }
}
