//! Answers that say only together with the customer's question that something is booked.

use super::{facts::Facts, sentence::Sentence, times};

/// "Yes, you are!" to "Am I booked?".
pub(super) fn affirm_booking(sentence: &Sentence, facts: &Facts) -> bool {
    if !facts.bookings.is_empty() || sentence.asks(0) {
        return false;
    }
    let question = facts.question.to_lowercase();
    // "See you tomorrow!" to "Book me tomorrow at two".
    let goodbye = sentence
        .tokens
        .windows(2)
        .any(|w| matches!(w, [a, b] if a.any(&["see", "seeing"]) && b.is("you")))
        && !sentence.has(&["can", "could", "might"])
        && !(sentence.dates.is_empty() && sentence.times.is_empty());
    let wish = &facts.asked;
    if goodbye
        && !sentence.is_denied(0..sentence.tokens.len())
        && (!sentence.times.is_empty()
            || !times::times(wish).is_empty()
            || wish.iter().any(|t| t.any(&["book", "reserve", "schedule", "appointment"])))
    {
        return true;
    }
    let has = |words: &[&str]| wish.iter().any(|t| t.any(words));
    let state =
        has(&["booked", "confirmed", "reserved", "scheduled", "set", "cancelled", "reservada"])
            || (has(&["did", "does"])
                && has(&["book", "go", "work", "reserve", "schedule", "cancel"]))
            || (has(&["appointment", "appointments", "booking", "reservation", "cita"])
                && has(&["my", "still", "have", "i", "mi", "tengo"]))
            || (has(&["still"]) && has(&["on", "good"]))
            || (has(&["am"]) && has(&["good"]));
    // Many leave the question mark out.
    let opens = wish
        .iter()
        .find(|t| !t.is_sign())
        .is_some_and(|t| t.any(&["am", "is", "do", "did", "does", "are", "have", "tengo", "esta"]));
    let asked = (opens || question.contains('?'))
        && state
        && !has(&["can", "could", "want", "need", "would", "make", "get", "puedo", "quiero"]);
    let words: Vec<&str> =
        sentence.tokens.iter().filter(|t| !t.is_sign()).map(|t| t.text.as_str()).collect();
    let yes = matches!(
        words.first(),
        Some(
            &("yes"
                | "yep"
                | "yeah"
                | "correct"
                | "absolutely"
                | "exactly"
                | "sure"
                | "indeed"
                | "claro"
                | "yup")
        )
    ) || matches!(
        words.as_slice(),
        ["you", "are" | "do" | "have", ..]
            | ["it" | "i" | "we", "did" | "has" | "have" | "is", ..]
            | ["sure" | "certainly" | "definitely", "are" | "is" | "do" | "did" | "have", ..]
            | ["that", "is", "right", ..]
            | ["of", "course", ..]
            | ["all", "good", ..]
    );
    asked && yes && !sentence.is_denied(0..sentence.tokens.len())
}
