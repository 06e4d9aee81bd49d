//! Errors and panics as one line of text.

use std::{any::Any, error::Error, io};

/// An error and its causes in one line: `failed to read a.yaml: there is no such file or folder`.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = plain(error);
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&plain(error));
        cause = error.source();
    }
    text
}

/// An error in plain words: those of the system say what happened and what to do, without its numbers.
fn plain(error: &(dyn Error + 'static)) -> String {
    error.downcast_ref().map_or_else(|| error.to_string(), io_words)
}

/// What an error of the system means, and what to do about it: in place of `No such file or directory
/// (os error 2)`.
pub fn io_words(error: &io::Error) -> String {
    use io::ErrorKind as Kind;

    // An error with words of its own explains itself, unless it only wraps one of the system.
    let text = error.to_string();
    if error.raw_os_error().is_none() && !text.contains("(os error") {
        return text;
    }
    let words = match error.kind() {
        Kind::NotFound => "there is no such file or folder; check the path",
        Kind::PermissionDenied => "you may not; change the permissions, or choose another place",
        Kind::IsADirectory => "it is a folder; name a file",
        Kind::NotADirectory => "a part of the path is a file, not a folder; check the path",
        Kind::AlreadyExists => "it is there already; choose another name, or remove it",
        Kind::StorageFull | Kind::QuotaExceeded => "the disk is full; make room, and try again",
        Kind::ReadOnlyFilesystem => "the disk is read-only; choose another place",
        Kind::InvalidFilename => "that cannot be the name of a file; choose another",
        Kind::AddrInUse => "another program has this port; end it, or choose another port",
        Kind::ConnectionRefused => "nothing listens there; start it, or check the address",
        _ => {
            let words = text.split(" (os error").next().unwrap_or(&text);
            return words.to_owned();
        }
    };
    words.to_owned()
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
    fn errors_of_the_system_say_what_to_do_and_no_number() {
        for number in [1, 2, 13, 20, 21, 28, 17, 30, 36, 98, 111, 5] {
            let error = io::Error::from_raw_os_error(number);
            let words = io_words(&error);
            assert!(!words.contains("os error"), "{words}");
            // Of errors that name their cause, each says what to do.
            assert!(words.contains("; ") || number == 5 || number == 36, "{number}: {words}");
        }
        let wrapped = io::Error::new(io::ErrorKind::NotFound, "No such file (os error 2) at \"a\"");
        assert!(io_words(&wrapped).starts_with("there is no such file"));
        assert_eq!(io_words(&io::Error::other("no space")), "no space");
        let missing = std::fs::read("/nowhere/at/all").unwrap_err();
        assert!(with_causes(&missing).starts_with("there is no such file"), "{missing}");
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
