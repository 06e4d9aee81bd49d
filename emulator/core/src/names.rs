//! Suggestions in errors about unknown names: the one place that decides what somebody meant.

/// Fewest characters of a name that is taken for the beginning of another.
const PREFIX: usize = 3;

/// The candidate that `name` most probably stands for, if one is similar enough: misspelt, with two letters
/// swapped, in other case, cut short (`TransactWrite`), or without what stands before the last dot
/// (`PutItem` for `dynamodb.PutItem`).
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.trim().to_lowercase();
    let scored = candidates.into_iter().filter_map(|candidate| {
        let known = candidate.to_lowercase();
        let cost = cost(&name, &known)?;
        let shared = name.chars().zip(known.chars()).take_while(|(a, b)| a == b).count();
        Some(((cost, std::cmp::Reverse(shared)), candidate))
    });
    scored.min_by_key(|(rank, _)| *rank).map(|(_, candidate)| candidate)
}

/// How far two names are apart, both in lower case; `None` when nobody would mean the one by the other.
fn cost(name: &str, known: &str) -> Option<usize> {
    if name.is_empty() {
        return None;
    }
    let whole = misspelt(name, known);
    // Somebody who writes no dot may have left out what stands before it.
    let last = known.rsplit_once('.').filter(|_| !name.contains('.'));
    let last = last.and_then(|(_, last)| Some(misspelt(name, last)? + 1));
    let beginning = name.chars().count() >= PREFIX && known.starts_with(name);
    let beginning = beginning.then_some(1);
    [whole, last, beginning].into_iter().flatten().min()
}

/// The number of slips between two words, if a third of the letters or fewer are wrong.
fn misspelt(name: &str, known: &str) -> Option<usize> {
    let most = (name.chars().count() / 3).max(1);
    let slips = strsim::osa_distance(known, name);
    // Of a single letter nothing is left when it is wrong.
    (slips <= most && slips < name.chars().count().max(2)).then_some(slips)
}

/// ``; did you mean `X`?`` to append to an error, or an empty text when no candidate is similar.
pub fn hint<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, candidates).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_name_is_found_and_another_word_is_not() {
        let names = ["Leads", "OptOuts", "Schedule"];
        for (wrong, meant) in [("Leeds", "Leads"), ("optout", "OptOuts"), ("Shcedule", "Schedule")]
        {
            assert_eq!(nearest(wrong, names), Some(meant));
        }
        assert_eq!(hint("Customers", names), "");
        assert_eq!(hint("Lead", names), "; did you mean `Leads`?");
        assert_eq!(nearest("", names), None);
        assert_eq!(nearest("x", names), None);
    }

    #[test]
    fn swapped_letters_are_nearer_than_a_longer_word() {
        assert_eq!(nearest("tga", ["target", "tag", "data"]), Some("tag"));
        assert_eq!(nearest("rn", ["env", "run", "iam"]), Some("run"));
    }

    #[test]
    fn the_beginning_of_a_name_is_that_name() {
        let names =
            ["dynamodb.TransactGetItems", "dynamodb.TransactWriteItems", "dynamodb.GetItem"];
        assert_eq!(nearest("dynamodb.TransactWrite", names), Some(names[1]));
        assert_eq!(nearest("dynamodb.TransactGet", names), Some(names[0]));
        assert_eq!(nearest("target-dir", ["target"]), None);
    }

    #[test]
    fn what_stands_before_the_last_dot_may_be_missing() {
        let names = ["dynamodb.PutItem", "openai.responses", "twilio.messages.create"];
        assert_eq!(nearest("PutItem", names), Some(names[0]));
        assert_eq!(nearest("response", names), Some(names[1]));
        assert_eq!(nearest("creat", names), Some(names[2]));
    }

    #[test]
    fn of_equal_ones_that_which_begins_alike_is_meant() {
        assert_eq!(nearest("lists", ["fists", "lifts"]), Some("lifts"));
    }
}
