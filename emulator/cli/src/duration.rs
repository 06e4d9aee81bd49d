//! Durations on the command line.

use std::time::Duration;

use jiff::SignedDuration;

/// Parses a duration such as `10s` or `500ms`.
///
/// # Errors
/// When the text is not a duration, or is negative.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let invalid = || format!("'{text}' is not a length of time such as 10s or 500ms");
    let duration: SignedDuration = text.parse().map_err(|_| invalid())?;
    duration.try_into().map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_and_negative_durations_refused() {
        assert_eq!(parse("10s").unwrap(), Duration::from_secs(10));
        assert_eq!(parse("500ms").unwrap(), Duration::from_millis(500));
        for invalid in ["-1s", "ten", "10"] {
            assert!(parse(invalid).unwrap_err().contains(invalid));
        }
    }
}
