//! What is wrong with a command line, in plain words: clap reads it, and what it says of a slip is
//! mended here, with the suggestions of the rest of the program.

use std::{error::Error as _, ffi::OsString};

use clap::{
    Arg, Command, CommandFactory as _, Error, FromArgMatches as _,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::args::Cli;
use rehearse_core::names::nearest;

/// Reads a command line.
///
/// # Errors
/// When it is wrong, or asks for help or the version.
pub(crate) fn parse(words: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Cli, Error> {
    let words: Vec<OsString> = words.into_iter().map(Into::into).collect();
    let mut command = negative_numbers(Cli::command());
    let read = command.try_get_matches_from_mut(&words).and_then(|matches| {
        Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    });
    read.map_err(|error| mended(error, &words, &mut command))
}

/// `--seed -1` is a wrong number, not an option that nobody knows.
fn negative_numbers(command: Command) -> Command {
    let takes_value = |arg: &Arg| arg.get_action().takes_values() && !arg.is_positional();
    command
        .mut_args(|arg| if takes_value(&arg) { arg.allow_negative_numbers(true) } else { arg })
        .mut_subcommands(negative_numbers)
}

fn mended(mut error: Error, words: &[OsString], command: &mut Command) -> Error {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let Some(typed) = text(ContextKind::InvalidArg) else { return error };
            let Some(typed) = typed.strip_prefix("--") else { return error };
            let typed = typed.split('=').next().unwrap_or(typed).to_owned();
            let meant = meant_command(words, command);
            let names: Vec<&str> = meant.get_arguments().filter_map(Arg::get_long).collect();
            let suggestion = nearest(&typed, names).map(|name| format!("--{name}"));
            // What clap suggests may be an option of another command, or `-- --tga` for a path.
            for kind in [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand] {
                error.remove(kind);
            }
            if let Some(suggestion) = suggestion {
                error.remove(ContextKind::Suggested);
                error.insert(ContextKind::SuggestedArg, ContextValue::String(suggestion));
            }
        }
        ErrorKind::InvalidSubcommand => {
            let Some(typed) = text(ContextKind::InvalidSubcommand) else { return error };
            let meant = meant_command(words, command);
            let names: Vec<&str> = meant.get_subcommands().map(Command::get_name).collect();
            if let Some(name) = nearest(&typed, names) {
                let name = ContextValue::Strings(vec![name.to_owned()]);
                error.insert(ContextKind::SuggestedSubcommand, name);
            }
        }
        ErrorKind::InvalidValue => {
            let typed = text(ContextKind::InvalidValue);
            let valid = match error.get(ContextKind::ValidValue) {
                Some(ContextValue::Strings(valid)) => valid.clone(),
                _ => Vec::new(),
            };
            let name = typed.and_then(|typed| {
                nearest(&typed, valid.iter().map(String::as_str)).map(str::to_owned)
            });
            if let Some(name) = name {
                error.insert(ContextKind::SuggestedValue, ContextValue::String(name));
            }
        }
        ErrorKind::ValueValidation => {
            let why = error.source().map(ToString::to_string).unwrap_or_default();
            let value = text(ContextKind::InvalidValue).unwrap_or_default();
            let (Some(words_of_it), Some(arg)) =
                (number_words(&why, &value), text(ContextKind::InvalidArg))
            else {
                return error;
            };
            let message = format!("invalid value '{value}' for '{arg}': {words_of_it}");
            return meant_command(words, command).error(ErrorKind::ValueValidation, message);
        }
        _ => {}
    }
    error
}

/// The subcommand that the words lead to.
fn meant_command(words: &[OsString], command: &mut Command) -> Command {
    command.build();
    let mut at: &Command = command;
    for word in words.iter().skip(1).filter_map(|word| word.to_str()) {
        at = at.find_subcommand(word).unwrap_or(at);
    }
    at.clone()
}

/// What the standard library says of a number that it cannot read, in plain words.
fn number_words(why: &str, value: &str) -> Option<String> {
    if let Some((_, range)) = why.split_once(" is not in ") {
        let (least, most) = range.split_once("..")?;
        return Some(match most.trim_start_matches('=') {
            "" => format!("a whole number from {least} is needed"),
            most => format!("a whole number from {least} to {most} is needed"),
        });
    }
    let negative = value.starts_with('-');
    Some(
        match why {
            "invalid digit found in string" if negative && value[1..].parse::<u64>().is_ok() => {
                "it must not be negative"
            }
            "invalid digit found in string" | "cannot parse integer from empty string" => {
                "a whole number is needed, such as 7"
            }
            "number would be zero for non-zero type" => "it must be at least 1",
            "number too large to fit in target type" => "the number is too large",
            "number too small to fit in target type" => "the number is too small",
            "invalid float literal" | "cannot parse float from empty string" => {
                "a number is needed, such as 0.2"
            }
            "provided string was not `true` or `false`" => "true or false is needed",
            _ => return None,
        }
        .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &[&str]) -> String {
        let words = std::iter::once("rehearse").chain(line.iter().copied());
        parse(words).unwrap_err().to_string()
    }

    #[test]
    fn a_mistyped_option_suggests_what_was_meant() {
        for (line, meant) in [
            (&["run", "--tga", "x"][..], "'--tag'"),
            (&["run", "--tga=x"], "'--tag'"),
            (&["run", "--fail-fats"], "'--fail-fast'"),
            (&["run", "--last"], "'--last-failed'"),
            (&["send", "x", "--form", "owner"], "'--from'"),
            (&["fault", "arm", "x", "--skpi", "1"], "'--skip'"),
            (&["log", "--colour", "never"], "'--color'"),
            (&["db", "dump", "--contorl", "x"], "'--control'"),
        ] {
            let said = said(line);
            assert!(said.contains(meant) && said.contains("similar argument"), "{line:?}: {said}");
        }
        let said = said(&["run", "--zzzzzz"]);
        assert!(!said.contains("similar"), "{said}");
    }

    #[test]
    fn a_mistyped_command_or_word_suggests_what_was_meant() {
        for (line, meant) in [
            (&["rn"][..], "'run'"),
            (&["snd", "x"], "'send'"),
            (&["cover"], "'coverage'"),
            (&["db", "dmup"], "'dump'"),
            (&["run", "--color", "nevr"], "'never'"),
            (&["completions", "zhs"], "'zsh'"),
        ] {
            assert!(said(line).contains(meant), "{line:?}: {}", said(line));
        }
    }

    #[test]
    fn help_can_be_asked_for_as_a_command() {
        let error = parse(["rehearse", "help", "run"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DisplayHelp);
        assert!(error.to_string().contains("--last-failed"), "{error}");
        assert!(said(&["help", "rn"]).contains("rn"));
    }

    #[test]
    fn numbers_are_refused_in_plain_words() {
        for (line, words) in [
            (&["run", "--seed", "-1"][..], "'-1' for '--seed <N>': it must not be negative"),
            (&["run", "--seed", "x"], "a whole number is needed, such as 7"),
            (&["run", "--jobs", "0"], "it must be at least 1"),
            (&["run", "-j", "-3"], "it must not be negative"),
            (&["run", "--repeat", "0"], "it must be at least 1"),
            (&["run", "--seed", "99999999999999999999999"], "the number is too large"),
            (&["explore", "--seeds", "0"], "a whole number from 1"),
            (&["coverage", "--fail-under", "101"], "a whole number from 0 to 100 is needed"),
            (&["coverage", "--fail-under", "-5"], "a whole number from 0 to 100 is needed"),
            (&["up", "--port-base", "0"], "a whole number from 1 to 65475 is needed"),
            (&["up", "--twilio-port", "70000"], "a whole number from 0 to 65535 is needed"),
        ] {
            let said = said(line);
            assert!(said.contains(words), "{line:?}: {said}");
            assert!(!said.contains("-- -"), "no path is suggested: {said}");
        }
    }
}
