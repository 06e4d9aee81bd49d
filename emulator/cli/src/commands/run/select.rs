//! Which scenarios are run. Filters that match none are an error with similar names: a typo must not
//! look like success.

use std::{collections::BTreeSet, path::PathBuf};

use super::last::{Failed, LastRun};
use crate::{app::App, error::CommandError};
use rehearse_scenario::{Scenario, report::text::count};

/// Most names that an error suggests.
const MAX_NEAR: usize = 5;
/// How alike a name must be to be suggested.
const NEAR: f64 = 0.7;

/// The options that choose; every further one narrows.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Selection {
    /// Only scenarios with this tag; given several times, with all of the tags.
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Only scenarios with this in their name, upper and lower case alike.
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Only scenarios that failed and have not passed since.
    #[arg(long)]
    last_failed: bool,
    /// Only this part of the scenarios, such as 1/3 of three: every scenario is in exactly one part, the
    /// same on every machine.
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
}

/// One of several parts of all scenarios.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shard {
    /// From 1.
    index: u64,
    count: u64,
}

impl Shard {
    /// Whether a scenario is in this part: by a hash of its name, which is unique and does not depend on
    /// where the project is.
    fn has(self, name: &str) -> bool {
        // FNV-1a with a mix at the end, since its low bits alone are poor.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) % self.count == self.index - 1
    }
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts =
            text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match parts {
            Some((index, count)) if (1..=count).contains(&index) => Ok(Self { index, count }),
            _ => Err("a part is such as 1/3: a number from 1, and how many parts there are".into()),
        }
    }
}

impl Selection {
    /// The chosen ones, in order; none only where a part of them has none.
    pub(crate) fn apply(
        &self,
        all: Vec<Scenario>,
        last: &LastRun,
        app: &App,
    ) -> Result<Vec<Scenario>, CommandError> {
        let failed = if self.last_failed { Some(self.remembered(last, app)?) } else { None };
        let named: Vec<Named> =
            all.iter().map(|s| Named { name: s.full_name(), tags: s.tags().to_vec() }).collect();
        let keep = choose(&named, &self.tag, self.name.as_deref(), failed.as_ref())?;
        let kept = all.into_iter().zip(keep).filter_map(|(s, keep)| keep.then_some(s));
        let Some(shard) = self.shard else { return Ok(kept.collect()) };
        let chosen: Vec<Scenario> =
            kept.filter(|scenario| shard.has(&scenario.full_name())).collect();
        if chosen.is_empty() {
            app.ui.remark("this part has no scenario; the other parts have all of them");
        }
        Ok(chosen)
    }

    /// Where to look: what failed may stand outside of the folder of all scenarios.
    pub(crate) fn paths(&self, last: &LastRun) -> Vec<PathBuf> {
        if self.last_failed { last.files() } else { Vec::new() }
    }

    fn remembered(&self, last: &LastRun, app: &App) -> Result<Failed, CommandError> {
        let run = || format!("`{}` runs everything", app.command("run"));
        match last.failed() {
            None => Err(CommandError::wrong("no earlier run is remembered here").help(run())),
            Some(failed) if failed.is_empty() => {
                Err(CommandError::wrong("nothing failed in the last run").help(run()))
            }
            Some(failed) => Ok(failed),
        }
    }
}

/// What a scenario is chosen by.
struct Named {
    name: String,
    tags: Vec<String>,
}

/// Which of them are kept.
fn choose(
    all: &[Named],
    tags: &[String],
    text: Option<&str>,
    failed: Option<&Failed>,
) -> Result<Vec<bool>, CommandError> {
    let wanted = text.map(str::to_lowercase);
    let has_tags = |s: &Named| tags.iter().all(|tag| s.tags.contains(tag));
    let has_text = |s: &Named| wanted.as_ref().is_none_or(|t| s.name.to_lowercase().contains(t));
    let has_failed = |s: &Named| failed.is_none_or(|failed| failed.contains_key(&s.name));
    let keep: Vec<bool> = all.iter().map(|s| has_tags(s) && has_text(s) && has_failed(s)).collect();
    if keep.contains(&true) {
        return Ok(keep);
    }
    let of = count(all.len(), "scenario");
    let known: BTreeSet<&str> = all.iter().flat_map(|s| &s.tags).map(String::as_str).collect();
    if let Some(tag) = tags.iter().find(|tag| !known.contains(tag.as_str())) {
        let problem = CommandError::wrong(format!("no scenario has the tag '{tag}' ({of} read)"));
        let near = near(tag, known.iter().copied());
        return Err(if near.is_empty() {
            let known = known.into_iter().collect::<Vec<_>>();
            problem.help(format!("tags there: {}", known.join(", ")))
        } else {
            problem.help(format!("similar tags: {}", near.join(", ")))
        });
    }
    if let Some(text) = text.filter(|_| !all.iter().any(has_text)) {
        let problem =
            CommandError::wrong(format!("no scenario has '{text}' in its name ({of} read)"));
        let near = near(text, all.iter().map(|s| s.name.as_str()));
        return Err(if near.is_empty() {
            problem.help("--list prints all names")
        } else {
            problem.help(format!("similar names: “{}”", near.join("”, “")))
        });
    }
    Err(CommandError::wrong(format!("no scenario fits all of these filters ({of} read)"))
        .help("each filter narrows: leave one out, and add --list to see what remains"))
}

/// The names most like `wanted`, best first.
fn near<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let mut scored: Vec<(f64, &str)> = names
        .map(|name| (likeness(wanted, &name.to_lowercase()), name))
        .filter(|(score, _)| *score >= NEAR)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().take(MAX_NEAR).map(|(_, name)| name).collect()
}

/// How well each wanted word is met by some word of the name, from 0 to 1.
fn likeness(wanted: &str, name: &str) -> f64 {
    let words = |text: &str| -> Vec<String> {
        text.split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect()
    };
    let (wanted, name) = (words(wanted), words(name));
    if wanted.is_empty() {
        return 0.0;
    }
    let best = |word: &String| {
        name.iter()
            .map(|other| strsim::normalized_damerau_levenshtein(word, other))
            .fold(0.0, f64::max)
    };
    wanted.iter().map(best).sum::<f64>() / wanted.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Named> {
        let named = |name: &str, tags: &[&str]| Named {
            name: name.into(),
            tags: tags.iter().map(|t| (*t).to_owned()).collect(),
        };
        vec![
            named("A customer books tomorrow at two", &["booking", "phase10"]),
            named("Two customers, one slot", &["booking", "safety"]),
            named("Wrong token", &["owner"]),
        ]
    }

    fn chosen(tags: &[&str], text: Option<&str>) -> Result<Vec<bool>, CommandError> {
        let tags: Vec<String> = tags.iter().map(|t| (*t).to_owned()).collect();
        choose(&all(), &tags, text, None)
    }

    #[test]
    fn every_filter_narrows() {
        assert_eq!(chosen(&["booking"], None).unwrap(), [true, true, false]);
        assert_eq!(chosen(&["booking", "safety"], None).unwrap(), [false, true, false]);
        assert_eq!(chosen(&[], Some("CUSTOMER")).unwrap(), [true, true, false]);
        assert_eq!(chosen(&["phase10"], Some("customer")).unwrap(), [true, false, false]);
        let failed = Failed::from([("Wrong token".to_owned(), "a.yaml".into())]);
        assert_eq!(choose(&all(), &[], None, Some(&failed)).unwrap(), [false, false, true]);
    }

    #[test]
    fn a_filter_that_finds_nothing_names_what_is_near() {
        let problem = chosen(&["bookin"], None).unwrap_err();
        assert_eq!(problem.exit.number(), 2);
        assert_eq!(problem.texts(), ["no scenario has the tag 'bookin' (3 scenarios read)"]);
        assert_eq!(problem.help.as_deref(), Some("similar tags: booking"));

        let problem = chosen(&[], Some("Custmer boks")).unwrap_err();
        assert!(problem.texts()[0].contains("'Custmer boks'"), "as it was typed");
        let help = problem.help.unwrap();
        assert!(help.starts_with("similar names: “A customer books tomorrow at two”"), "{help}");

        let problem = chosen(&["zzz"], None).unwrap_err();
        assert_eq!(problem.help.as_deref(), Some("tags there: booking, owner, phase10, safety"));
    }

    #[test]
    fn every_scenario_is_in_exactly_one_part_and_parts_are_alike() {
        let names: Vec<String> = (0..300).map(|i| format!("Scenario {i}")).collect();
        for count in [1, 2, 3, 7] {
            let parts: Vec<Shard> =
                (1..=count).map(|i| format!("{i}/{count}").parse().unwrap()).collect();
            let mut sizes = vec![0; parts.len()];
            for name in &names {
                let of: Vec<usize> =
                    (0..parts.len()).filter(|part| parts[*part].has(name)).collect();
                assert_eq!(of.len(), 1, "{name} is in the parts {of:?} of {count}");
                sizes[of[0]] += 1;
            }
            let even = names.len() / parts.len();
            assert!(sizes.iter().all(|size| *size > even / 2), "{sizes:?}");
        }
        for wrong in ["0/3", "4/3", "1", "a/b", "1/0", "-1/3"] {
            assert!(wrong.parse::<Shard>().unwrap_err().contains("1/3"), "{wrong}");
        }
    }

    #[test]
    fn filters_that_find_something_each_but_nothing_together() {
        let problem = chosen(&["owner"], Some("slot")).unwrap_err();
        assert!(problem.texts()[0].contains("all of these filters"));
    }
}
