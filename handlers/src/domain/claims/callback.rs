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
    "devolvemos",
    "devuelvo",
    "aviso",
    "pondra",
    "pondremos",
    "pongo",
];
const ACTS: &[&str] = &[
    "call",
    "text",
    "phone",
    "ring",
    "message",
    "contact",
    "reach",
    "respond",
    "reply",
    "answer",
    "follow",
    "callback",
    "email",
    "inform",
    "notify",
    "update",
    "calling",
    "contacting",
    "texting",
    "phoning",
    "ringing",
    "reaching",
    "calls",
    "texts",
    "contacts",
    "phones",
];
/// Ways of saying that somebody was told.
const TOLD: &[&str] = &[
    "told", "let", "tell", "ask", "asked", "notify", "notified", "informed", "alerted", "messaged",
];
const PASSED: &[&str] = &["pass", "passed", "passing", "forward", "forwarded", "relay", "relayed"];

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
        || pair(&["make"], &["sure"])
        || pair(&["have", "get", "ask"], &["brandon", "him", "someone", "somebody"]);
    let act = words.iter().enumerate().any(|(at, t)| {
        let next = |list: &[&str]| words.get(at + 1).is_some_and(|t| t.any(list));
        let to_you =
            words.iter().skip(at + 1).take(3).any(|t| t.any(&["you", "u", "back", "out", "up"]));
        // "He will phone."
        let ends = words.get(at + 1).is_none_or(Token::is_sign);
        (t.any(ACTS) && to_you)
            || (ends
                && t.any(&["call", "phone", "ring", "text"])
                && any(&["he", "brandon", "they"]))
            || (t.any(&["get", "be", "gets"])
                && words.iter().skip(at + 1).take(4).any(|t| t.any(&["back", "touch", "contact"]))
                && !next(&["a"]))
            || (t.is("let") && next(&["you"]) && words.get(at + 2).is_some_and(|t| t.is("know")))
            || (t.is("give") && next(&["you"]) && any(&["call", "ring", "shout", "buzz"]))
    });
    let who = any(WHO);
    let hear = future && pair(&["hear"], &["from", "back"]);
    let passes = any(&["i", "we"])
        && (any(PASSED) && any(&["brandon", "him", "along", "on"])
            || pair(TOLD, &["brandon", "him"]));
    let contact = any(&["contacto", "llamada", "mensaje"]);
    let needs_object = ["devolvemos", "devuelvo", "pondra", "pondremos", "pongo", "aviso"];
    let told =
        any(&["aviso", "avise", "avisare", "digo", "dije", "dire"]) && pair(&["a"], &["brandon"]);
    let spanish = any(SPANISH)
        && any(&["te", "le", "se", "me", "nos"])
        && (contact || words.iter().any(|t| t.any(SPANISH) && !t.any(&needs_object)))
        || told
        || pair(&["va", "vamos", "voy"], &["a"])
            && any(&[
                "llamarte",
                "llamar",
                "contactarte",
                "escribirte",
                "escribir",
                "responder",
                "contactar",
                "avisar",
            ]);
    let be_called = future && pair(&["be"], &["contacted", "called", "texted", "notified"]);
    let passes = passes || (any(&["paso", "pasare"]) && any(&["mensaje"]) && any(&["brandon"]));
    let call_comes = future
        && any(&["you"])
        && pair(&["a"], &["call", "callback", "text"])
        && any(&["get", "receive", "expect"])
        || pair(&["expect"], &["a"]) && any(&["call", "callback"]);
    (future && who && act) || be_called || hear || passes || spanish || call_comes
}
