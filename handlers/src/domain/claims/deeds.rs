//! Statements of what was done for the customer, by their form and not by their words.
//!
//! Nobody can list every way of saying that something is booked. But whoever says it tells what
//! somebody did, what has become of an appointment, or where the customer now stands.

use std::ops::Range;

use super::{
    deeds_spanish,
    sentence::Sentence,
    set_phrases,
    status::Change,
    vocabulary::{APPOINTMENT, CANCELLED, MOVED, Words},
    words::Token,
};

/// Past tenses and participles that change no booking: what is said, seen and thought, and what is
/// true of things.
pub(super) static HARMLESS: Words = Words::new(
    "need feed speed indeed exceed proceed succeed bed red asked answered checked looked searched \
     tried wanted needed wished liked loved enjoyed mentioned noticed replied texted messaged \
     called emailed contacted talked chatted told said offered listed suggested proposed quoted \
     promised showed shared explained described meant missed received understood heard read \
     apologized apologised closed opened fixed repaired replaced cleaned restored tested cracked \
     broken damaged dropped charged used based located interested excited pleased worried confused \
     supposed required limited included priced allowed advised recommended preferred welcomed \
     appreciated valued honored expected delayed related stopped started finished failed happened \
     seemed turned stayed lasted agreed decided figured hoped guessed assumed believed planned \
     helped worked handled served bothered disappointed forgotten learned picked requested chosen passed forwarded notified informed approved granted applied qualified \
     discounted taken filled claimed snapped occupied gone full busy declined refused rejected \
     denied available recorded logged noted encontrado revisado mirado buscado preguntado entendido \
     hablado olvidado llamado intentado mencionado pensado recibido equivocado ocupado ocupada \
     cerrado cerrada llegado visto dicho encontre revise mire busque pregunte entendi hable olvide \
     llame intente mencione pense recibi vi equivoque explique comente conte aprobado limitado incluido incluida",
);
/// What may be going on without a change: "I'm checking it".
static HARMLESS_NOW: Words = Words::new(
    "checking looking asking texting wondering thinking hoping trying sending getting reading \
     seeing offering talking going telling helping passing giving letting showing missing taking \
     expecting",
);
/// Past tenses without "-ed" that change something.
const IRREGULAR: &[&str] = &["put", "set", "made", "held", "kept", "done", "hecho", "puesto"];
/// What may stand between a subject and its verb.
static ADVERBS: Words = Words::new(
    "just already also now then so all went gone ahead and have has did been even successfully \
     officially really still definitely totally both finally currently hereby ya",
);
pub(super) const SUBJECTS: &[&str] = &["i", "we", "brandon", "he", "linda"];
/// What is booked and nothing else.
pub(super) const EVENTS: &[&str] =
    &["appointment", "booking", "reservation", "cancellation", "cita", "reserva", "reservacion"];
/// How somebody is who has no appointment.
static STATES: Words = Words::new(
    "welcome right sure correct able free interested after not near late early here more very kind \
     always currently ok okay happy worried unsure better best most closest the one our my next \
     first to from cracked broken new curious ready busy off out",
);
const POSSIBLE: &[&str] = &["can", "could", "would", "should", "may", "might", "shall"];

/// The claim that a token makes by its place in the clause.
pub(super) fn deed(sentence: &Sentence, clause: &Range<usize>, at: usize) -> Option<Change> {
    let place = Place { sentence, clause, at };
    place
        .done_by_somebody()
        .or_else(|| place.being_done())
        .or_else(|| place.done_to_the_appointment())
        .or_else(|| place.customer_stands())
        .or_else(|| place.customer_has())
        .or_else(|| place.meeting())
        .or_else(|| place.confirming())
        .or_else(|| place.supposed())
        .or_else(|| set_phrases::deed(&place))
        .or_else(|| deeds_spanish::deed(&place))
}

/// "You are no longer booked", "ya no tienes cita".
pub(super) fn no_longer(sentence: &Sentence, clause: &Range<usize>, at: usize) -> Option<Change> {
    let place = Place { sentence, clause, at };
    let ended = match (place.word(0), place.word(1)) {
        ("no", "longer") => {
            place.within(2, 5, |t| {
                t.any(&["booked", "scheduled", "confirmed"])
                    || t.any(&["exists", "exist"])
                    || t.any(&["calendar", "schedule"])
            }) || place.within(2, 5, |t| t.any(EVENTS))
        }
        // "No more appointment", not "no more appointments".
        ("no", "more") => place.within(2, 3, |t| t.any(EVENTS)),
        ("ya", "no") => {
            (place.within(2, 5, |t| t.any(EVENTS)) || place.before().iter().any(|t| t.any(EVENTS)))
                && place.within(2, 4, |t| t.any(&["tienes", "tiene", "hay", "esta", "existe"]))
        }
        ("not", _) => {
            place.within(1, 8, |t| t.any(&["anymore", "more"]))
                && place.within(1, 6, |t| t.any(&["booked", "scheduled", "schedule", "calendar"]))
        }
        _ => false,
    };
    ended.then_some(Change::Cancelled)
}

/// A token in its clause.
pub(super) struct Place<'a> {
    pub(super) sentence: &'a Sentence,
    clause: &'a Range<usize>,
    pub(super) at: usize,
}

impl Place<'_> {
    pub(super) fn token(&self, n: usize) -> Option<&Token> {
        self.sentence.tokens.get(self.at + n).filter(|_| self.at + n < self.clause.end)
    }

    pub(super) fn word(&self, n: usize) -> &str {
        self.token(n).map(|t| t.text.as_str()).unwrap_or_default()
    }

    pub(super) fn before(&self) -> &[Token] {
        self.sentence.words(self.clause.start..self.at)
    }

    pub(super) fn after(&self, n: usize) -> &[Token] {
        self.sentence.words((self.at + n).min(self.clause.end)..self.clause.end)
    }

    pub(super) fn within(&self, from: usize, until: usize, is: impl Fn(&Token) -> bool) -> bool {
        self.after(from).iter().take(until.saturating_sub(from)).any(is)
    }

    /// Whether the clause names a time or date from this token on.
    pub(super) fn is_dated(&self) -> bool {
        let is_here = |at: usize| (self.at..self.clause.end).contains(&at);
        self.sentence.times.iter().any(|time| is_here(time.at))
            || self.sentence.dates.iter().any(|date| is_here(date.at))
    }

    fn is_mention(&self, at: usize) -> bool {
        self.sentence.times.iter().any(|time| time.at == at)
            || self.sentence.dates.iter().any(|date| date.at == at)
    }

    /// Whether the clause only speaks of what could be.
    pub(super) fn is_possible(&self) -> bool {
        let before = self.before();
        before
            .iter()
            .enumerate()
            .any(|(n, t)| t.any(POSSIBLE) && !before.get(n + 1).is_some_and(|next| next.is("not")))
    }

    /// The change that a past tense names.
    fn change(&self) -> Option<Change> {
        let word = self.token(0)?;
        let english = word.text.len() > 3 && word.text.ends_with("ed");
        let is_deed = (english || word.any(IRREGULAR)) && !word.any(&HARMLESS);
        is_deed.then_some(if word.any(&CANCELLED) {
            Change::Cancelled
        } else if word.any(&MOVED) {
            Change::Moved
        } else {
            Change::Deed
        })
    }

    /// "I grabbed the 2 PM slot for you", "we've set aside two o'clock".
    fn done_by_somebody(&self) -> Option<Change> {
        let change = self.change()?;
        let before = self.before();
        let subject = before.iter().rev().find(|t| !t.any(&ADVERBS) && !t.is_sign());
        // "You snagged the last spot".
        let you = subject.is_some_and(|t| t.is("you"))
            && self.within(1, 7, |t| t.any(&["slot", "spot", "schedule", "calendar"]));
        let by_somebody = you || subject.is_some_and(|t| t.any(SUBJECTS));
        let first = subject.is_none() && self.within(1, 2, |t| t.any(&["you", "your"]));
        let mut objects = (self.at + 1..self.clause.end).take(6);
        let object = objects.any(|at| {
            let Some(token) = self.sentence.tokens.get(at) else { return false };
            token.any(&["you", "u", "your", "things"])
                || (token.any(&APPOINTMENT) && !self.word(0).eq("made"))
                || token.any(EVENTS)
                || token.any(&["schedule", "calendar"])
                || self.sentence.times.iter().any(|time| time.at == at)
        });
        // "It" may be anything that was made or done.
        let it = !self.token(0)?.any(IRREGULAR)
            && self.within(1, 2, |t| t.any(&["it", "that", "everything"]));
        ((by_somebody || first) && (object || it)).then_some(change)
    }

    /// "I'm putting you down for Friday", "I'm adding you to the schedule".
    fn being_done(&self) -> Option<Change> {
        let word = self.token(0)?;
        let acts = word.text.ends_with("ing")
            && !word.any(&HARMLESS_NOW)
            && matches!(self.before(), [.., who, be]
                if who.any(SUBJECTS) && be.any(&["am", "are", "is"]));
        let placed = self.is_dated()
            || self.within(1, 6, |t| t.any(&["down", "in", "schedule", "calendar", "books"]));
        (acts && placed && self.within(1, 2, |t| t.any(&["you", "your", "it", "that"])))
            .then_some(Change::Deed)
    }

    /// "Your time has been set aside", "appointment created".
    fn done_to_the_appointment(&self) -> Option<Change> {
        let change = self.change()?;
        let before = self.before();
        let mut backwards = before
            .iter()
            .rev()
            .skip_while(|t| t.any(&ADVERBS) && !t.any(&["been", "have", "has", "did"]));
        let passive = backwards.next().is_some_and(|t| {
            t.any(&["is", "are", "was", "were", "been", "got", "gets", "have", "has"])
        });
        let is_event = |t: &Token| t.any(EVENTS) || t.any(&["change", "request", "cambio"]);
        let event = before.iter().any(is_event);
        let yours = before.iter().any(|t| t.any(&APPOINTMENT))
            && before.iter().chain(self.after(1)).any(|t| t.any(&["your", "you"]));
        let timed = self.sentence.times.iter().any(|time| self.clause.contains(&time.at))
            && self.after(1).iter().take(3).any(|t| t.is("you"));
        let you =
            passive && before.iter().any(|t| t.is("been")) && before.iter().any(|t| t.is("you"));
        let headline = before.last().is_some_and(is_event) && before.len() <= 3;
        ((passive && (event || yours || timed || you)) || headline).then_some(change)
    }

    /// "You're down for Tuesday", "you are now on Friday at 10".
    fn customer_stands(&self) -> Option<Change> {
        if !matches!((self.word(0), self.word(1)), ("you", "are")) || self.is_possible() {
            return None;
        }
        let skip = self.after(2).iter().take_while(|t| t.any(&ADVERBS)).count() + 2;
        let next = self.token(skip)?;
        if next.any(&STATES) || next.text.ends_with("ing") {
            return None;
        }
        let placed = next.any(&["in", "down", "on", "up", "good", "at", "for", "set"])
            || self.is_mention(self.at + skip);
        let in_the = next.any(&["in", "on"]) && self.word(skip + 1) == "the";
        let ends = next.any(&["in", "down"])
            && self.token(skip + 1).is_none_or(|t| t.is_sign() || t.any(&["for", "at"]));
        let listed = in_the && self.within(skip + 2, skip + 3, |t| t.any(&["books", "list"]));
        ((placed && self.is_dated()) || ends || listed).then_some(Change::Booked)
    }

    /// "You have the 2 PM spot", "Brandon has you at 2", "we've got you for tomorrow".
    fn customer_has(&self) -> Option<Change> {
        if !self.token(0)?.any(&["have", "has", "got", "get", "put", "signed", "added", "entered"])
            || self.is_possible()
            || self.before().iter().any(|t| t.any(&["to", "will", "let", "do"]))
        {
            return None;
        }
        let held = self.word(1) == "you"
            && self.token(2).is_some_and(|t| {
                t.any(&["in", "down", "on", "for", "at", "up", "over", "the"])
                    || self.is_mention(self.at + 2)
            })
            && (self.is_dated() || self.word(2) == "in")
            && !self.after(2).iter().any(|t| t.any(&["%", "percent", "off"]));
        let you = self.before().iter().rev().take(3).any(|t| t.is("you"));
        let owned = you
            && self.token(1).is_some_and(|t| t.any(&["a", "an", "the", "your", "that"]))
            && self.within(2, 6, |t| t.any(&APPOINTMENT))
            && (self.is_dated() || self.within(2, 6, |t| t.any(EVENTS)));
        (held || owned).then_some(Change::Booked)
    }

    /// "See ya tomorrow at 3", "Brandon will be waiting for you at 2".
    fn meeting(&self) -> Option<Change> {
        let meets = match (self.word(0), self.word(1), self.word(2)) {
            ("see" | "seeing" | "catch" | "meet" | "await" | "awaiting", "you" | "ya", _) => {
                // "See you tomorrow" says goodbye; "can't wait to see you" is no possibility.
                let wait = self.before().iter().any(|t| t.is("wait"));
                let timed = self.sentence.times.iter().any(|time| self.clause.contains(&time.at));
                wait || (timed && !self.before().iter().any(|t| t.any(POSSIBLE)))
            }
            ("waiting" | "ready" | "here", "for", "you") => !self.is_possible(),
            ("forward", "to", _) => {
                !self.is_possible()
                    && self
                        .within(2, 5, |t| t.any(&["your", "seeing", "meeting", "having", "visit"]))
            }
            _ => false,
        };
        (meets && self.is_dated()).then_some(Change::Booked)
    }

    /// "I can confirm your appointment", "happy to confirm your booking".
    fn confirming(&self) -> Option<Change> {
        let before = self.before();
        let able =
            before.iter().rev().take(3).any(|t| {
                t.any(&["can", "happy", "glad", "pleased", "hereby", "delighted", "this"])
            });
        let of_appointment = self.within(1, 4, |t| t.any(EVENTS))
            || (self.within(1, 4, |t| t.any(&["your", "you"]))
                && self.within(1, 5, |t| t.any(&["slot", "spot", "are", "visit"])));
        let later = self
            .after(1)
            .iter()
            .any(|t| t.any(&["if", "once", "when", "after", "as", "unless", "until"]));
        let confirms = self.word(0) == "confirm"
            && able
            && of_appointment
            && !later
            && !before.iter().any(|t| t.any(&["will", "if", "once", "before"]));
        // "Your confirmation: Wed at 2", "Appointment: Wed at 2".
        let heading = self.token(0).is_some_and(|t| t.any(EVENTS) || t.is("confirmation"))
            && self.token(1).is_none()
            && before.iter().all(|t| t.is_sign() || t.any(&["your", "tu", "su", "new"]))
            && self.sentence.tokens.get(self.clause.end).is_some_and(|t| t.is(":"))
            && !self.sentence.times.is_empty();
        (confirms || heading).then_some(Change::Booked)
    }

    /// "Arrive five minutes before your appointment on Friday": there is none to arrive for.
    fn supposed(&self) -> Option<Change> {
        let before = self.before();
        let supposed = self.token(0)?.any(EVENTS)
            && before.last().is_some_and(|t| t.any(&["your", "tu", "su"]))
            && before
                .iter()
                .any(|t| t.any(&["arrive", "bring", "come", "before", "remember", "forget"]))
            && self.is_dated()
            && !self.is_possible()
            && !before.iter().any(|t| t.any(&["to", "let", "need", "book"]));
        supposed.then_some(Change::Booked)
    }
}
