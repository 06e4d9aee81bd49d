//! Short texts that people give: names and devices.

/// Longest name or device, in characters.
pub const MAX_LABEL_CHARS: usize = 60;

/// What a device is called when nobody named it.
pub const UNKNOWN_DEVICE: &str = "Unknown Device";

/// Why a name or device is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// Longer than [`MAX_LABEL_CHARS`].
    #[error("at most {MAX_LABEL_CHARS} characters")]
    TooLong,
    /// Line breaks and other characters that are not text.
    #[error("control characters are not allowed")]
    Control,
}

/// Trims and checks a name or device; `None` when there is nothing in it.
///
/// Markup is left as it is: it is text, and whoever writes it into a document escapes it.
///
/// # Errors
/// When it is too long or has control characters.
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

/// Also line breaks that are no control characters, and what turns the writing around: a name
/// must not rearrange the text that it stands in.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels() {
        assert_eq!(parse("  Ann <b>Lee</b> "), Ok(Some("Ann <b>Lee</b>".to_owned())));
        assert_eq!(parse("   "), Ok(None));
        assert_eq!(parse("a\nb"), Err(LabelError::Control));
        assert_eq!(parse("a\u{2028}b"), Err(LabelError::Control));
        assert_eq!(parse("Ann \u{202e}eeL"), Err(LabelError::Control));
        assert_eq!(parse(&"é".repeat(60)).map(|l| l.map(|l| l.chars().count())), Ok(Some(60)));
        assert_eq!(parse(&"é".repeat(61)), Err(LabelError::TooLong));
    }
}
