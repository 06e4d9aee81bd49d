//! Table names in PartiQL statements.

/// Keywords that a table name follows.
const BEFORE_TABLE: [&str; 3] = ["FROM", "INTO", "UPDATE"];

/// The statement with a prefix before each table name. The names come out in quotes, because a
/// prefix contains dots.
pub(super) fn prefix_table_names(statement: &str, prefix: &str) -> String {
    let mut out = String::with_capacity(statement.len() + prefix.len());
    let mut rest = statement;
    let mut expected = false;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            // A string or a quoted name; a doubled quote inside ends one and begins the next.
            '\'' | '"' => rest[1..].find(first).map_or(rest.len(), |end| end + 2),
            c if is_name(c) => rest.find(|c| !is_name(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        match first {
            '"' if expected => {
                out.push('"');
                out.push_str(prefix);
                out.push_str(&token[1..]);
            }
            c if is_name(c) && expected => {
                out.extend(["\"", prefix, token, "\""]);
            }
            _ => out.push_str(token),
        }
        if !first.is_whitespace() {
            expected = BEFORE_TABLE.iter().any(|word| word.eq_ignore_ascii_case(token));
        }
        rest = after;
    }
    out
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_get_the_prefix_and_strings_do_not() {
        for (statement, expected) in [
            (
                r#"SELECT * FROM "Leads"."ByPhone" WHERE a = 'FROM x'"#,
                r#"SELECT * FROM "p.Leads"."ByPhone" WHERE a = 'FROM x'"#,
            ),
            ("select a from Leads where b = ?", r#"select a from "p.Leads" where b = ?"#),
            (
                "INSERT INTO \"A\" VALUE {'k': 'it''s FROM B'}",
                "INSERT INTO \"p.A\" VALUE {'k': 'it''s FROM B'}",
            ),
            ("UPDATE A SET b = 'é'", "UPDATE \"p.A\" SET b = 'é'"),
            ("DELETE FROM \"A", "DELETE FROM \"p.A"),
            ("", ""),
        ] {
            assert_eq!(prefix_table_names(statement, "p."), expected);
        }
    }
}
