//! A sentence of the model with its clauses and what they say.

use std::ops::Range;

use jiff::civil;

use super::{
    dates::{self, DateMention},
    facts::Facts,
    times::{self, TimeMention},
    vocabulary::{CONDITIONS, NEGATIONS, WordList},
    words::{self, Token},
};

/// A sentence, read.
pub(super) struct Sentence {
    pub(super) tokens: Vec<Token>,
    pub(super) clauses: Vec<Range<usize>>,
    pub(super) times: Vec<TimeMention>,
    pub(super) dates: Vec<DateMention>,
    question: bool,
    asks_from_start: bool,
}

/// Words with which a question begins.
const QUESTION_OPENERS: &[&str] = &[
    "is",
    "are",
    "am",
    "do",
    "does",
    "did",
    "can",
    "could",
    "would",
    "should",
    "shall",
    "want",
    "was",
    "were",
    "will",
    "have",
    "has",
    "what",
    "when",
    "which",
    "how",
    "where",
    "who",
    "why",
    "may",
    "any",
    "quieres",
    "puedo",
    "te",
    "le",
    "que",
    "cual",
    "cuando",
    "como",
    "donde",
    "prefieres",
    "deseas",
    "gustaria",
    "or",
    "ready",
];
/// "No problem" denies nothing.
const POLITE_AFTER_NO: &[&str] = &[
    "problem", "problems", "worries", "worry", "prob", "doubt", "sweat", "stress", "issue",
    "issues", "joke", "kidding", "catch", "strings", "fuss", "need", "trouble", "hassle",
];
/// "Don't forget", "can't wait" and "not just" deny nothing either.
const POLITE_AFTER_NOT: &[&str] = &["wait", "forget", "hesitate", "worry", "just", "only", "to"];

/// A longer sentence is read in parts, so that the time which that takes grows with its length only
/// in proportion. No sentence of an honest text is as long.
const LONGEST: usize = 120;
/// What a part has of the one before: a claim at a cut stands whole in one of them.
const OVERLAP: usize = 40;

/// Reads a sentence, a very long one in parts that overlap.
pub(super) fn read(tokens: &[Token], facts: &Facts) -> Vec<Sentence> {
    let mut from = 0;
    let mut parts = Vec::new();
    loop {
        let end = tokens.len().min(from + LONGEST);
        let part = tokens.get(from..end).unwrap_or_default();
        let mut sentence = Sentence::of(part.to_vec(), facts.today());
        sentence.leave_out_addresses(facts);
        parts.push(sentence);
        if end == tokens.len() {
            return parts;
        }
        from = end - OVERLAP;
    }
}

impl Sentence {
    pub(super) fn read(text: &str, today: civil::Date) -> Self {
        Self::of(words::tokens(text), today)
    }

    fn of(tokens: Vec<Token>, today: civil::Date) -> Self {
        let times = times::times(&tokens);
        let dates = dates::dates(&tokens, today);
        let question =
            tokens.iter().rev().find(|t| !t.any(&["\"", "'", ")"])).is_some_and(|t| t.is("?"));
        let mut opening = tokens.iter().skip_while(|t| {
            t.is_sign()
                || t.any(&["so", "and", "ok", "okay", "great", "sure", "hi", "hey", "thanks", "y"])
        });
        let asks_from_start = question
            && opening.next().is_some_and(|t| t.any(QUESTION_OPENERS))
            && !opening.next().is_some_and(|t| t.is("do"));
        let clauses = clauses(&tokens);
        Self { tokens, clauses, times, dates, question, asks_from_start }
    }

    /// "3 PM Road" and "12 5th Ave" are no time and no date once somebody gave them as an address.
    fn leave_out_addresses(&mut self, facts: &Facts) {
        let is_at = |address: &[String], at: usize| {
            self.tokens.get(at..at + address.len()).is_some_and(|words| {
                words.iter().map(|t| t.text.as_str()).eq(address.iter().map(String::as_str))
            })
        };
        let mut spans: Vec<Range<usize>> = Vec::new();
        for address in facts.addresses() {
            let places = (0..self.tokens.len()).filter(|at| is_at(address, *at));
            spans.extend(places.map(|at| at..at + address.len()));
        }
        let is_outside = |at: usize| !spans.iter().any(|span| span.contains(&at));
        self.times.retain(|time| is_outside(time.at));
        self.dates.retain(|date| is_outside(date.at));
    }

    /// The clause that a token stands in.
    pub(super) fn clause(&self, at: usize) -> Range<usize> {
        self.clauses
            .iter()
            .find(|clause| clause.contains(&at))
            .cloned()
            .unwrap_or(0..self.tokens.len())
    }

    pub(super) fn words(&self, clause: Range<usize>) -> &[Token] {
        self.tokens.get(clause).unwrap_or_default()
    }

    /// Whether a token stands in a question.
    pub(super) fn asks(&self, at: usize) -> bool {
        if !self.question {
            return false;
        }
        let clause = self.clause(at);
        // Spanish shows where a question begins.
        if self.has(&["\u{bf}"]) {
            return self.words(0..at).iter().any(|t| t.is("\u{bf}"));
        }
        let last = self.clauses.last().is_some_and(|last| *last == clause);
        // A statement with "?" behind it and nothing that asks is still a statement: "You're
        // booked, anything else?"
        let behind_opener =
            self.clauses.iter().filter(|other| other.start <= clause.start).any(|other| {
                let mut words = self.words(other.clone()).iter().skip_while(|t| t.is_sign());
                words.next().is_some_and(|t| t.any(QUESTION_OPENERS))
                    // "Will do, you're booked" opens no question.
                    && !words.next().is_some_and(|t| t.is("do"))
            });
        last || behind_opener || self.asks_from_start
    }

    /// Whether a token stands in a clause that is denied.
    pub(super) fn is_denied(&self, clause: Range<usize>) -> bool {
        let words = self.words(clause);
        words.iter().enumerate().any(|(at, word)| {
            let next = |n: usize, list: &[&str]| words.get(at + n).is_some_and(|t| t.any(list));
            let before = at.checked_sub(1).and_then(|at| words.get(at));
            let polite = match word.text.as_str() {
                "no" => {
                    next(1, POLITE_AFTER_NO)
                        || (next(1, &["te"]) && next(2, &["preocupes", "apures", "olvides"]))
                        || (next(1, &["hay"]) && next(2, &["problema", "de", "cuidado"]))
                }
                "not" => next(1, POLITE_AFTER_NOT) || before.is_some_and(|t| t.is("why")),
                // "Instead, I booked 3" denies nothing, "instead of 3" does.
                "instead" => !next(1, &["of"]),
                _ => false,
            };
            word.any(&NEGATIONS) && !polite
        })
    }

    /// Whether the statement at a token depends on a condition before it.
    pub(super) fn is_conditional(&self, at: usize) -> bool {
        let clause = self.clause(at);
        let words = self.words(clause.start..at);
        let own = words.iter().enumerate().any(|(n, t)| {
            // "Before your appointment" is a time and no condition.
            // So is "after checking the calendar".
            let time = t.any(&["before", "after"])
                && words
                    .get(n + 1)
                    .is_some_and(|t| t.any(&["your", "tu", "su"]) || t.text.ends_with("ing"));
            // "As requested" is none either, "as soon as" is.
            let as_is = t.is("as")
                && !words.get(n + 1).is_some_and(|t| t.any(&["soon", "long", "as"]))
                && !n.checked_sub(2).and_then(|n| words.get(n)).is_some_and(|t| t.is("as"));
            t.any(&CONDITIONS) && !time && !as_is
        });
        let before = self.clauses.iter().rev().find(|other| other.end <= clause.start).is_some_and(
            |other| {
                let mut words = self.words(other.clone()).iter().skip_while(|t| t.is_sign());
                let first = words.next();
                let time = first.is_some_and(|t| t.any(&["before", "after"]))
                    && words.next().is_some_and(|t| t.text.ends_with("ing"));
                !time && first.is_some_and(|t| t.any(&CONDITIONS))
            },
        );
        own || before
    }

    /// The dates that a token at this place speaks of: those in its sentence.
    pub(super) fn dates_near(&self, at: usize) -> Option<&[civil::Date]> {
        let before = self.dates.iter().rev().find(|date| date.at <= at);
        before
            .or_else(|| self.dates.iter().find(|date| date.at > at && !self.is_reason(date.at, at)))
            .map(|date| date.dates.as_slice())
    }

    /// Whether a token stands in a clause that gives the reason for what another one says: "2 PM,
    /// since 3 PM is too late today".
    fn is_reason(&self, at: usize, of: usize) -> bool {
        let clause = self.clause(at);
        !clause.contains(&of)
            && self
                .words(clause)
                .iter()
                .find(|t| !t.is_sign())
                .is_some_and(|t| t.any(&["since", "because", "as", "so", "but", "porque", "pues"]))
    }

    /// Whether a question only wants the statement at a token confirmed: "You're booked, ok?"
    pub(super) fn is_tagged(&self, at: usize) -> bool {
        let mut end = self.tokens.iter().rev().skip_while(|t| t.any(&["?", "\"", "'", ")"]));
        let opens = self.words(self.clause(at)).iter().find(|t| !t.is_sign());
        end.next().is_some_and(|t| t.any(&["ok", "okay", "right", "alright", "vale", "verdad"]))
            && !opens.is_some_and(|t| t.any(QUESTION_OPENERS))
    }

    /// Whether a token belongs to a time or a date.
    pub(super) fn is_time_or_date(&self, at: usize) -> bool {
        self.times.iter().any(|time| (time.at..time.end).contains(&at))
            || self.dates.iter().any(|date| (date.at..date.end).contains(&at))
    }

    pub(super) fn has<W: WordList + ?Sized>(&self, words: &W) -> bool {
        self.tokens.iter().any(|t| t.any(words))
    }
}

/// Splits at commas, colons, full stops, semicolons, dashes, brackets, "but", and "so" before what was
/// done: "I couldn't get 3, so I booked 2".
fn clauses(tokens: &[Token]) -> Vec<Range<usize>> {
    let mut clauses = Vec::new();
    let mut from = 0;
    for (at, token) in tokens.iter().enumerate() {
        let next_joined = tokens.get(at + 1).is_some_and(|next| next.joined);
        let dash = token.is("-") && !(token.joined && next_joined);
        let splits = token.any(&[",", ";", "(", ")", "but", "pero", "!", "\u{1f600}"])
            || (token.is(":") && !next_joined)
            || (token.is(".") && at + 1 < tokens.len())
            || (token.is("so")
                && tokens.get(at + 1).is_some_and(|next| {
                    next.any(&["i", "we", "you", "your", "it", "brandon", "he"])
                }))
            || dash;
        if splits && at > from {
            clauses.push(from..at);
            from = at;
        }
    }
    if from < tokens.len() {
        clauses.push(from..tokens.len());
    }
    clauses
}
