//! Splits expressions into tokens.

/// A token of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// An attribute name, a function or a keyword.
    Word(&'t str),
    /// `#name`.
    Name(&'t str),
    /// `:value`.
    Value(&'t str),
    /// An index into a list.
    Index(&'t str),
    /// `=`, `<=`, `(` and the like.
    Sign(&'t str),
}

const KEYWORDS: [&str; 9] = ["AND", "OR", "NOT", "IN", "BETWEEN", "SET", "REMOVE", "ADD", "DELETE"];

impl Token<'_> {
    /// Whether it is this keyword, in upper or lower case.
    pub(super) fn is(self, keyword: &str) -> bool {
        matches!(self, Token::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    /// Whether it is any keyword.
    pub(super) fn is_keyword(self) -> bool {
        KEYWORDS.iter().any(|keyword| self.is(keyword))
    }

    /// Whether it is a comparison operator.
    pub(super) fn is_comparator(self) -> bool {
        matches!(self, Token::Sign("=" | "<>" | "<" | "<=" | ">" | ">="))
    }
}

/// The tokens of an expression. Any other character becomes a sign, which the engine will refuse.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let word = |from: usize| {
            let end = rest[from..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            end.map_or(rest.len(), |end| from + end)
        };
        let length = match first {
            '#' | ':' => word(1),
            c if c.is_ascii_alphanumeric() || c == '_' => word(0),
            '<' if rest.starts_with("<>") || rest.starts_with("<=") => 2,
            '>' if rest.starts_with(">=") => 2,
            c => c.len_utf8(),
        };
        let (text, after) = rest.split_at(length);
        tokens.push(match first {
            '#' => Token::Name(text),
            ':' => Token::Value(text),
            c if c.is_ascii_digit() => Token::Index(text),
            c if c.is_ascii_alphabetic() || c == '_' => Token::Word(text),
            _ => Token::Sign(text),
        });
        rest = after.trim_start();
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_split_into_tokens() {
        use Token::{Index, Name, Sign, Value, Word};
        assert_eq!(
            tokens("size(a.#b[1])>=:n AND x<>é"),
            [
                Word("size"),
                Sign("("),
                Word("a"),
                Sign("."),
                Name("#b"),
                Sign("["),
                Index("1"),
                Sign("]"),
                Sign(")"),
                Sign(">="),
                Value(":n"),
                Word("AND"),
                Word("x"),
                Sign("<>"),
                Sign("é"),
            ]
        );
        assert!(tokens("   ").is_empty());
    }
}
