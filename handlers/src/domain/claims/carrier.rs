//! Words that the telephone company reads as commands.

use super::words::Token;

/// Whoever sends one of these alone is opted out or in, or gets the carrier's help.
const KEYWORDS: &[&str] = &[
    "stop",
    "stopall",
    "unsubscribe",
    "cancel",
    "end",
    "quit",
    "revoke",
    "optout",
    "start",
    "yes",
    "unstop",
    "help",
    "info",
    "cancelar",
    "alto",
    "parar",
    "ayuda",
    "si",
];
const VERBS: &[&str] = &[
    "reply",
    "text",
    "send",
    "respond",
    "answer",
    "type",
    "write",
    "message",
    "sms",
    "txt",
    "replying",
    "texting",
    "sending",
    "responde",
    "responda",
    "envia",
    "envie",
    "contesta",
    "conteste",
    "manda",
    "mande",
    "escribe",
    "escriba",
    "keyword",
    "word",
    "command",
    "enviar",
    "responding",
    "typing",
    "respondiendo",
    "texto",
];
const BETWEEN: &[&str] = &[
    "with", "back", "the", "word", "us", "just", "simply", "con", "la", "palabra", "a", "me", ":",
    "\"", "'", "*", "-", "(", "[", "<", "_", ",", "by", "here", "only", "message", "solo", "text",
    ">", "un", "one", "single", "either",
];

/// Whether the sentence asks the customer to send a command.
pub(super) fn asks_for_keyword(sentence: &[Token]) -> bool {
    let tokens = joined_letters(sentence);
    let first_verb = tokens.iter().position(|t| t.any(VERBS)).unwrap_or(tokens.len());
    tokens.iter().enumerate().any(|(at, token)| {
        let keyword = token.any(KEYWORDS) || is_opt_out(&tokens, at);
        if !keyword {
            return false;
        }
        let mut before = at;
        while before.checked_sub(1).and_then(|b| tokens.get(b)).is_some_and(|t| t.any(BETWEEN)) {
            before -= 1;
        }
        let asked = tokens
            .get(before.saturating_sub(1)..at)
            .is_some_and(|words| words.iter().any(|t| t.any(VERBS)));
        // "or YES to keep it", '"CANCEL" if you cannot come'
        let quoted = at > 0
            && tokens.get(at - 1).is_some_and(|t| t.any(&["\"", "'", "*", "[", "<"]))
            && tokens.get(at + 1).is_some_and(|t| t.any(&["\"", "'", "*", "]", ">"]));
        let behind = tokens.get(at + 1 + usize::from(quoted));
        let purpose =
            behind.is_some_and(|t| t.any(&["to", "for", "if", "para", "=", "or", "o", "por"]));
        let second = before > 0
            && first_verb < before
            && tokens.get(before - 1).is_some_and(|t| t.any(&["or", "o", "and"]));
        // "A simple YES is enough", "just STOP works".
        let alone = token.capitals
            && at > 0
            && tokens
                .get(at - 1)
                .is_some_and(|t| t.any(&["simple", "just", "single", "quick", "a"]))
            && behind.is_none_or(|t| {
                t.is_sign() || t.any(&["is", "works", "will", "does", "suffices", "basta", "and"])
            });
        let not_if = !(token.is("si") && !token.capitals && !quoted);
        not_if
            && (asked
                || (second && (token.capitals || quoted || purpose))
                || alone
                || ((token.capitals || quoted) && purpose))
    })
}

/// Whether the whole text is one command.
pub(super) fn is_keyword(text: &[Token]) -> bool {
    let tokens = joined_letters(text);
    let words: Vec<&Token> = tokens.iter().filter(|t| !t.is_sign()).collect();
    // "Yes!" is an answer, "YES" a command.
    let is_answer = |word: &Token| word.any(&["yes", "si"]) && !word.capitals;
    matches!(words.as_slice(), [word] if word.any(KEYWORDS) && !is_answer(word))
        || matches!(words.as_slice(), [a, b] if a.is("opt") && b.is("out") || a.is("stop") && b.is("all"))
}

fn is_opt_out(tokens: &[Token], at: usize) -> bool {
    tokens.get(at).is_some_and(|t| t.is("opt") && t.capitals)
        && tokens.iter().skip(at + 1).take(2).any(|t| t.is("out"))
}

/// `C A N C E L` as one word.
fn joined_letters(tokens: &[Token]) -> Vec<Token> {
    let mut joined: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let run = |step: usize| -> String {
            tokens
                .iter()
                .skip(at)
                .enumerate()
                .take_while(|(n, t)| {
                    if n % step == 0 {
                        t.number.is_none() && t.text.chars().count() == 1 && !t.is_sign()
                    } else {
                        t.any(&["-", ".", "*"])
                    }
                })
                .filter(|(n, _)| n % step == 0)
                .map(|(_, t)| t.text.clone())
                .collect()
        };
        let (word, used) = match (run(1), run(2)) {
            (word, _) if letters(&word) >= 3 => (word.clone(), letters(&word)),
            (_, word) if letters(&word) >= 3 => (word.clone(), letters(&word) * 2 - 1),
            _ => (String::new(), 1),
        };
        if word.is_empty() {
            joined.push(token.clone());
        } else {
            joined.push(Token { text: word, capitals: true, ..token.clone() });
        }
        at += used;
    }
    joined
}

/// How many signs a word has, each of which was a token.
fn letters(word: &str) -> usize {
    word.chars().count()
}
