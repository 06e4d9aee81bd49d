//! What of the provider's answers may stand in the log.

/// Longest name that is logged.
const MAX_CHARS: usize = 80;

/// A name of the provider's, such as `invalid_request_error` or `input[3].content`; `unknown` for
/// anything else. Messages may quote the request, which has customers' words, or the key: they are
/// never logged.
pub(super) fn loggable(name: Option<&str>) -> &str {
    let Some(name) = name else { return "none" };
    let is_name = name.len() <= MAX_CHARS
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.[]".contains(c));
    if is_name { name } else { "unknown" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_logged_and_nothing_else() {
        for name in ["invalid_request_error", "input[3].content", "rate-limit"] {
            assert_eq!(loggable(Some(name)), name);
        }
        for other in
            ["", "Is +19042520927 yours?", "19042520927", "a b", "caf\u{e9}", &"a".repeat(81)]
        {
            assert_eq!(loggable(Some(other)), "unknown", "{other}");
        }
        assert_eq!(loggable(None), "none");
    }
}
