//! One failure of one call, as the command line names it: `crash-after@dynamodb.PutItem#2`.

use std::{fmt, str::FromStr, time::Duration};

use rehearse_core::{
    faults::{self, Crash, CrashKind, Cut, DatabaseFault, Failure, Fault},
    names,
};

/// A failure of one call of a run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Injection {
    /// How it fails.
    pub kind: InjectionKind,
    /// The exchange's name in the journal.
    pub on: String,
    /// Which of the calls with this name, from 1. For a crash only those of its function count, for a stale
    /// read only those that may be stale.
    pub call: u32,
    /// The function that makes the call, where it is known: a crash terminates it.
    pub function: Option<String>,
}

/// How a call can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InjectionKind {
    /// The function crashes before the call has any effect.
    CrashBefore,
    /// The function crashes when the call has taken effect.
    CrashAfter,
    /// The connection ends before the call has any effect.
    CutBefore,
    /// The call takes effect, its response is lost.
    CutAfter,
    /// The provider answers 500.
    Error,
    /// The provider refuses the call because there are too many.
    Throttled,
    /// Another transaction holds a row.
    Conflict,
    /// The database has forgotten the transaction's token.
    ExpiredToken,
    /// An eventually consistent read returns the rows of the start.
    Stale,
    /// The response comes when the caller's deadline is over.
    Slow,
    /// There is no response, until the caller gives up.
    Timeout,
    /// Twilio delivers the text twice at once.
    Duplicate,
}

/// Longer than any trial takes: the call hangs until its caller gives up or its function ends.
const NEVER: Duration = Duration::from_secs(600);

impl InjectionKind {
    /// Every kind with its name, in the order of the matrix.
    pub const ALL: [(&str, Self); 12] = [
        ("crash-before", Self::CrashBefore),
        ("crash-after", Self::CrashAfter),
        ("cut-before", Self::CutBefore),
        ("cut-after", Self::CutAfter),
        ("error", Self::Error),
        ("throttled", Self::Throttled),
        ("conflict", Self::Conflict),
        ("expired-token", Self::ExpiredToken),
        ("stale", Self::Stale),
        ("slow", Self::Slow),
        ("timeout", Self::Timeout),
        ("duplicate", Self::Duplicate),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// Whether it ends a function.
    pub fn is_crash(self) -> bool {
        matches!(self, Self::CrashBefore | Self::CrashAfter)
    }

    /// Whether calls with this name can fail so.
    pub fn is_possible_for(self, name: &str) -> bool {
        match (name.split_once('.'), self) {
            (Some(("webhook", "sms")), _) => {
                matches!(self, Self::CutBefore | Self::CutAfter | Self::Error | Self::Duplicate)
            }
            (Some(("webhook", _)), _) => matches!(self, Self::CutBefore | Self::CutAfter),
            // What becomes of a text on its way is no call.
            (Some(("twilio", "delivery")), _) | (_, Self::Duplicate) => false,
            (_, Self::Conflict) => DatabaseFault::Conflict.can_happen_to(name),
            (_, Self::ExpiredToken) => DatabaseFault::ExpiredToken.can_happen_to(name),
            (_, Self::Stale) => DatabaseFault::Stale.can_happen_to(name),
            _ => true,
        }
    }

    /// Whether a trial with it waits for real time to pass.
    pub fn waits(self) -> bool {
        matches!(self, Self::Slow | Self::Timeout)
    }
}

impl Injection {
    /// The fault to arm; `None` for a text that is delivered twice, which is no fault of a call. `slow` is
    /// how long a slow call takes.
    pub(crate) fn fault(&self, slow: Duration) -> Option<Fault> {
        let nothing = Failure::default();
        let cut = |cut| Failure { cut: Some(cut), ..Failure::default() };
        let crash = |moment| {
            let function = self.function.clone().unwrap_or_default();
            let crash = Crash { function, kind: CrashKind::Killed, attempt: None };
            Failure { crash: Some(crash), ..cut(moment) }
        };
        let delay = |delay: Duration| Failure {
            delay_ms: u64::try_from(delay.as_millis()).ok(),
            ..Failure::default()
        };
        let database = |fault| Failure { database_fault: Some(fault), ..Failure::default() };
        let failure = match self.kind {
            InjectionKind::CrashBefore => crash(Cut::Before),
            InjectionKind::CrashAfter => crash(Cut::After),
            InjectionKind::CutBefore => cut(Cut::Before),
            InjectionKind::CutAfter => cut(Cut::After),
            InjectionKind::Error => Failure { status: Some(500), ..nothing },
            InjectionKind::Throttled if self.on.starts_with("dynamodb.") => {
                Failure::named("throttled")?
            }
            InjectionKind::Throttled => Failure { status: Some(429), ..nothing },
            InjectionKind::Conflict => database(DatabaseFault::Conflict),
            InjectionKind::ExpiredToken => database(DatabaseFault::ExpiredToken),
            InjectionKind::Stale => database(DatabaseFault::Stale),
            InjectionKind::Slow => delay(slow),
            InjectionKind::Timeout => delay(NEVER),
            InjectionKind::Duplicate => return None,
        };
        let skip = self.call.saturating_sub(1);
        Some(Fault { on: self.on.clone(), failure, skip, times: Some(1), ..Fault::default() })
    }
}

impl fmt::Display for Injection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}#{}", self.kind.name(), self.on, self.call)?;
        match &self.function {
            Some(function) => write!(f, "@{function}"),
            None => Ok(()),
        }
    }
}

/// Why a text names no injection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InjectionError(String);

impl FromStr for Injection {
    type Err = InjectionError;

    fn from_str(text: &str) -> Result<Self, InjectionError> {
        let shape = || {
            let example =
                "cut-after@dynamodb.PutItem#2 or crash-before@openai.responses#1@Dispatcher";
            InjectionError(format!("'{text}' is no failure of a call, such as {example}"))
        };
        let mut parts = text.split('@');
        let (Some(kind), Some(call), function, None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(shape());
        };
        let all = InjectionKind::ALL;
        let Some((_, kind)) = all.into_iter().find(|(name, _)| *name == kind) else {
            let known = all.map(|(name, _)| name);
            let hint = match names::nearest(kind, known) {
                Some(nearest) => format!("did you mean '{nearest}'?"),
                None => format!("it can be {}", known.join(", ")),
            };
            return Err(InjectionError(format!("no call fails with '{kind}'; {hint}")));
        };
        let (on, call) = call.split_once('#').ok_or_else(shape)?;
        let call = call.parse().ok().filter(|call| *call > 0).ok_or_else(|| {
            InjectionError(format!("'{call}' is not the number of a call: 1 is the first"))
        })?;
        if !faults::NAMES.contains(&on) {
            let hint = names::nearest(on, faults::NAMES)
                .map_or(String::new(), |nearest| format!("; did you mean '{nearest}'?"));
            return Err(InjectionError(format!("no exchange that can fail is named '{on}'{hint}")));
        }
        if !kind.is_possible_for(on) {
            let possible = all.iter().filter(|(_, kind)| kind.is_possible_for(on));
            let possible: Vec<&str> = possible.map(|(name, _)| *name).collect();
            let hint = match possible.as_slice() {
                [] => "a sweep does not make it fail".into(),
                possible => format!("it can be {}", possible.join(", ")),
            };
            return Err(InjectionError(format!("{on} cannot fail with '{}'; {hint}", kind.name())));
        }
        match (kind.is_crash(), function) {
            (true, None | Some("")) => {
                let why = format!("'{text}' does not say which function crashes: add @ and its id");
                return Err(InjectionError(why));
            }
            (false, Some(_)) => {
                let why = format!("'{text}' names a function, and only a crash is of one");
                return Err(InjectionError(why));
            }
            _ => {}
        }
        Ok(Self { kind, on: on.into(), call, function: function.map(Into::into) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_injection_is_read_as_it_is_written() {
        for text in [
            "crash-after@dynamodb.PutItem#2@Dispatcher",
            "cut-before@openai.responses#1",
            "duplicate@webhook.sms#3",
        ] {
            assert_eq!(text.parse::<Injection>().unwrap().to_string(), text);
        }
        assert_eq!(InjectionKind::ALL.len(), InjectionKind::Duplicate as usize + 1);
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_do() {
        for (text, says) in [
            ("crash@dynamodb.PutItem#1", "did you mean 'crash-"),
            ("error@dynamodb.PutItems#1", "did you mean 'dynamodb.PutItem'?"),
            ("error@dynamodb.PutItem#0", "1 is the first"),
            ("error@dynamodb.PutItem", "such as cut-after@"),
            ("crash-after@dynamodb.PutItem#1", "which function crashes"),
            ("cut-after@dynamodb.PutItem#1@Dispatcher", "only a crash is of one"),
            ("duplicate@dynamodb.PutItem#1", "cannot fail with 'duplicate'"),
            ("conflict@openai.responses#1", "cannot fail with 'conflict'; it can be crash-before"),
            ("error@twilio.delivery#1", "does not make it fail"),
            ("error", "such as cut-after@"),
        ] {
            let error = text.parse::<Injection>().unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
