//! Reads which repair people mean, by a closed table of whole phrases.

use super::{Repair, RepairKind, UnknownRepair};
use crate::domain::{label, text::folded_lowercase};

/// Phrases that name a repair, each whole.
const PHRASES: [(&str, RepairKind); 37] = [
    ("screen", RepairKind::Screen),
    ("screens", RepairKind::Screen),
    ("display", RepairKind::Screen),
    ("lcd", RepairKind::Screen),
    ("lcd screen", RepairKind::Screen),
    ("screen glass", RepairKind::Screen),
    ("front glass", RepairKind::Screen),
    ("front screen", RepairKind::Screen),
    ("touch screen", RepairKind::Screen),
    ("touchscreen", RepairKind::Screen),
    ("pantalla", RepairKind::Screen),
    ("battery", RepairKind::Battery),
    ("batteries", RepairKind::Battery),
    ("bateria", RepairKind::Battery),
    ("charging port", RepairKind::ChargingPort),
    ("charge port", RepairKind::ChargingPort),
    ("charger port", RepairKind::ChargingPort),
    ("charging", RepairKind::ChargingPort),
    ("charger", RepairKind::ChargingPort),
    ("port", RepairKind::ChargingPort),
    ("usb port", RepairKind::ChargingPort),
    ("usb c port", RepairKind::ChargingPort),
    ("lightning port", RepairKind::ChargingPort),
    ("puerto de carga", RepairKind::ChargingPort),
    ("water damage", RepairKind::WaterDamage),
    ("water", RepairKind::WaterDamage),
    ("liquid damage", RepairKind::WaterDamage),
    ("liquid", RepairKind::WaterDamage),
    ("water diagnostic", RepairKind::WaterDamage),
    ("water damage diagnostic", RepairKind::WaterDamage),
    ("back glass", RepairKind::BackGlass),
    ("backglass", RepairKind::BackGlass),
    ("rear glass", RepairKind::BackGlass),
    ("glass back", RepairKind::BackGlass),
    ("back cover glass", RepairKind::BackGlass),
    ("vidrio trasero", RepairKind::BackGlass),
    ("cristal trasero", RepairKind::BackGlass),
];
/// Words that may stand beside a phrase and change nothing.
const FILLERS: [&str; 26] = [
    "repair",
    "repairs",
    "repairing",
    "replacement",
    "replace",
    "replacing",
    "fix",
    "fixing",
    "broken",
    "cracked",
    "shattered",
    "new",
    "the",
    "my",
    "a",
    "an",
    "of",
    "on",
    "for",
    "service",
    "please",
    "job",
    "change",
    "swap",
    "damaged",
    "dead",
];
/// Words between two repairs.
const CONNECTORS: [&str; 5] = ["and", "plus", "y", "with", "also"];
/// Words that say that Brandon drives to the customer.
const ON_SITE: &str = "onsite";

/// Parses a slug or a person's words. Every word must belong to a phrase of the table, to a device,
/// or be one that changes nothing.
///
/// # Errors
/// When they name nothing on the price list, or several repairs.
pub(super) fn parse(text: &str) -> Result<Repair, UnknownRepair> {
    let text = spoken(text);
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty() && !FILLERS.contains(word))
        .filter(|word| !label::is_device_word(word))
        .collect();
    let on_site = words.contains(&ON_SITE);
    let words: Vec<&str> = words.into_iter().filter(|word| *word != ON_SITE).collect();
    let mut kinds: Vec<RepairKind> = Vec::new();
    let mut rest = words.as_slice();
    while let Some(first) = rest.first() {
        if CONNECTORS.contains(first) {
            rest = rest.get(1..).unwrap_or_default();
            continue;
        }
        let (kind, used) = longest_phrase(rest).ok_or(UnknownRepair::NotListed)?;
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
        rest = rest.get(used..).unwrap_or_default();
    }
    match kinds.as_slice() {
        [] => Err(UnknownRepair::NotListed),
        [kind] => Ok(Repair::Listed { kind: *kind, on_site }),
        _ => Err(UnknownRepair::Several),
    }
}

/// Reads words of a stored row: any word of a repair will do.
pub(super) fn parse_leniently(text: &str) -> Option<Repair> {
    let text = spoken(text);
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    find(&words).map(|kind| Repair::Listed { kind, on_site: words.contains(&ON_SITE) })
}

/// The words in one spelling.
fn spoken(text: &str) -> String {
    let mut text = folded_lowercase(text).replace('_', " ");
    for form in ["on-site", "on site", "at my place", "at home"] {
        text = text.replace(form, ON_SITE);
    }
    text
}

/// The repair that the longest phrase at the beginning of these words names, and its length.
fn longest_phrase(words: &[&str]) -> Option<(RepairKind, usize)> {
    (1..=words.len().min(3)).rev().find_map(|used| {
        let phrase = words.get(..used)?.join(" ");
        PHRASES.iter().find(|(name, _)| *name == phrase).map(|(_, kind)| (*kind, used))
    })
}

/// The repair that these words name, if any.
fn find(words: &[&str]) -> Option<RepairKind> {
    let has = |word: &str| words.contains(&word);
    if has("backglass") || (has("glass") && (has("back") || has("rear"))) {
        Some(RepairKind::BackGlass)
    } else if has("screen") || has("display") || has("lcd") {
        Some(RepairKind::Screen)
    } else if has("battery") {
        Some(RepairKind::Battery)
    } else if has("port") || has("charging") || has("charger") {
        Some(RepairKind::ChargingPort)
    } else if has("water") || has("liquid") {
        Some(RepairKind::WaterDamage)
    } else {
        None
    }
}
