//! Promises that somebody will call or text.

use super::{sentence::Sentence, words::Token};

const WHO: &[&str] = &[
    "brandon",
    "he",
    "we",
    "someone",
    "somebody",
    "i",
    "owner",
    "technician",
    "human",
    "team",
    "boss",
    "they",
    "manager",
    "person",
    "staff",
    "shop",
    "alguien",
    "dueno",
    "nosotros",
    "linda",
];
const SPANISH: &[&str] = &[
    "llamara",
    "llamaremos",
    "llamare",
    "contactara",
    "contactaremos",
    "contactare",
    "escribira",
    "escribiremos",
    "respondera",
    "responderemos",
    "comunicara",
    "comunicaremos",
    "avisara",
    "avisaremos",
    "avisare",
    "devolvera",
    "llamamos",
    "contactamos",
    "avisamos",
    "llama",
    "escribe",
    "contacta",
];
const ACTS: &[&str] = &[
    "call", "text", "phone", "ring", "message", "contact", "reach", "respond", "reply", "answer",
    "follow", "callback", "email", "inform", "notify", "update", "calling",
];

/// Whether the sentence promises that somebody will be in touch.
pub(super) fn promises(sentence: &Sentence) -> bool {
    sentence.clauses.iter().any(|clause| {
        let words = sentence.words(clause.clone());
        !sentence.is_denied(clause.clone()) && !sentence.asks(clause.start) && promised(words)
    })
}

fn promised(words: &[Token]) -> bool {
    let any = |list: &[&str]| words.iter().any(|t| t.any(list));
    let pair = |a: &[&str], b: &[&str]| {
        words.windows(2).any(|w| matches!(w, [x, y] if x.any(a) && y.any(b)))
    };
    let future = any(&["will", "ill"])
        || pair(&["going"], &["to"])
        || pair(&["have", "get", "ask"], &["brandon", "him", "someone", "somebody"]);
    let act = words.iter().enumerate().any(|(at, t)| {
        let next = |list: &[&str]| words.get(at + 1).is_some_and(|t| t.any(list));
        let to_you =
            words.iter().skip(at + 1).take(3).any(|t| t.any(&["you", "u", "back", "out", "up"]));
        (t.any(ACTS) && to_you)
            || (t.any(&["get", "be", "gets"])
                && words.iter().skip(at + 1).take(4).any(|t| t.any(&["back", "touch"]))
                && !next(&["a"]))
            || (t.is("let") && next(&["you"]) && words.get(at + 2).is_some_and(|t| t.is("know")))
            || (t.is("give") && next(&["you"]) && any(&["call", "ring", "shout", "buzz"]))
    });
    let who = any(WHO);
    let hear = future && pair(&["hear"], &["from", "back"]);
    let passes = any(&["i", "we"])
        && (any(&["pass", "forward", "relay"]) && any(&["brandon", "him", "along", "on"])
            || pair(&["let", "tell", "ask", "notify"], &["brandon", "him"]));
    let spanish = any(&["te", "le", "se", "lo", "la"])
        && (any(SPANISH) && any(&["te", "le", "se"]))
        || pair(&["va", "vamos", "voy"], &["a"])
            && any(&["llamarte", "llamar", "contactarte", "escribirte", "contactar", "avisar"]);
    let call_comes = future
        && any(&["you"])
        && pair(&["a"], &["call", "callback", "text"])
        && any(&["get", "receive", "expect"])
        || pair(&["expect"], &["a"]) && any(&["call", "callback"]);
    (future && who && act) || hear || passes || spanish || call_comes
}
