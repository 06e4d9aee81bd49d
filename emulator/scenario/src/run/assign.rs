//! Pairs expectations with values, in any order.

/// For each of `wanted` expectations the index of its value among `there`; as many pairs as
/// possible. `fits` takes the indexes of an expectation and of a value.
///
/// This is a maximum bipartite matching: a greedy choice could take the only value that a later,
/// narrower expectation fits. Calls `fits` once for each pair.
pub(super) fn assign(
    wanted: usize,
    there: usize,
    fits: impl Fn(usize, usize) -> bool,
) -> Vec<Option<usize>> {
    let table: Vec<Vec<bool>> =
        (0..wanted).map(|want| (0..there).map(|thing| fits(want, thing)).collect()).collect();
    let mut owners: Vec<Option<usize>> = vec![None; there];
    for want in 0..wanted {
        place(want, &table, &mut owners, &mut vec![false; there]);
    }
    let mut result = vec![None; wanted];
    for (thing, owner) in owners.into_iter().enumerate() {
        if let Some(want) = owner {
            result[want] = Some(thing);
        }
    }
    result
}

/// Finds a value for `want`; moves earlier owners to other values if that helps.
fn place(
    want: usize,
    table: &[Vec<bool>],
    owners: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    for thing in 0..owners.len() {
        if !table[want][thing] || tried[thing] {
            continue;
        }
        tried[thing] = true;
        let free = owners[thing].is_none_or(|owner| place(owner, table, owners, tried));
        if free {
            owners[thing] = Some(want);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broad_wish_leaves_the_only_fit_to_a_narrow_one() {
        // The first expectation fits both values, the second only the first value.
        let fits = |want: usize, thing: usize| want == 0 || thing == 0;
        assert_eq!(assign(2, 2, fits), [Some(1), Some(0)]);
    }

    #[test]
    fn what_cannot_be_had_stays_open() {
        assert_eq!(assign(2, 1, |_, _| true).iter().flatten().count(), 1);
        assert_eq!(assign(1, 3, |_, _| false), [None]);
        assert!(assign(0, 3, |_, _| true).is_empty());
    }
}
