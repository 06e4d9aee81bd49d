//! Errors and panics as one line of text.

use std::{any::Any, error::Error};

/// An error and its causes in one line: `failed to read a.yaml: No such file or directory`.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// The message of a panic, as [`std::panic::catch_unwind`] or a joined thread returns it.
/// `no message` when the panic carries neither a `&str` nor a `String`.
pub fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("failed to start")]
    struct Outer(#[source] std::fmt::Error);

    #[test]
    fn causes_follow_the_error_that_they_caused() {
        let cause = std::fmt::Error.to_string();
        assert_eq!(with_causes(&Outer(std::fmt::Error)), format!("failed to start: {cause}"));
    }

    #[test]
    fn a_panic_message_is_found_in_either_kind_of_text() {
        let panic = std::panic::catch_unwind(|| panic!("plain")).unwrap_err();
        assert_eq!(panic_message(panic.as_ref()), "plain");
        let panic = std::panic::catch_unwind(|| panic!("{}", 7)).unwrap_err();
        assert_eq!(panic_message(panic.as_ref()), "7");
        assert_eq!(panic_message(&7), "no message");
    }
}
