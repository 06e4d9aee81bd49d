//! Ids that are computed from what a response is made of and from its number, so that two responses
//! that are kept have no id in common and a world that does the same gets the same ids.
//!
//! They look like the provider's. All ids of one response share their first 16 digits, and the id of
//! a call or message says whether a reasoning item came before it. So the server recognises its own
//! items without storing them. The first half of a call's id says which round of a script made it.

use rehearse_core::random::{mix, spread};
use std::fmt::Write;

/// The ids of one response.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ids {
    response: u64,
    /// What the response is made of: the same for two responses of one round.
    origin: u64,
}

impl Ids {
    /// Ids computed from the parts that identify the response.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hash = FNV_OFFSET;
        for part in parts {
            hash = fnv(hash, part);
            hash = fnv(hash, &[0xff]);
        }
        Self::from(spread(hash))
    }

    /// The same for the response with this number.
    pub fn numbered(self, number: u64) -> Self {
        if number == 0 {
            self
        } else {
            Self { response: spread(self.response ^ mix(number)), ..self }
        }
    }

    /// The response.
    pub fn response(self) -> String {
        self.item("resp_", 0, false)
    }

    /// The message at index `at`; `reasoned` says whether a reasoning item comes first.
    pub fn message(self, at: usize, reasoned: bool) -> String {
        self.item("msg_", at, reasoned)
    }

    /// The item of the call at index `at`; `reasoned` says whether a reasoning item comes first.
    pub fn call_item(self, at: usize, reasoned: bool) -> String {
        self.item("fc_", at, reasoned)
    }

    /// The reasoning item.
    pub fn reasoning(self) -> String {
        self.item("rs_", 0, true)
    }

    /// The chat completion.
    pub fn completion(self) -> String {
        format!("chatcmpl-{}", letters(spread(self.response ^ 0xc0de), 29))
    }

    /// The result of a moderation.
    pub fn moderation(self) -> String {
        format!("modr-{}", letters(spread(self.response ^ 0x30d), 29))
    }

    /// A conversation.
    pub fn conversation(self) -> String {
        self.item("conv_", 0, false)
    }

    /// An item of the input as it is stored; `prefix` is that of its type.
    pub fn stored(self, prefix: &str, at: usize) -> String {
        Self::from(spread(self.response ^ mix(at as u64))).item(prefix, 0, false)
    }

    /// The id that connects the call at index `at` with its output.
    pub fn call(self, at: usize) -> String {
        let (origin, own) = (self.call_seed(self.origin, at), self.call_seed(self.response, at));
        format!("call_{}{}", letters(origin, ORIGIN_LETTERS), letters(own, 24 - ORIGIN_LETTERS))
    }

    /// Whether an id is that of the call at index `at` of any response that is made of the same.
    pub fn is_call(self, at: usize, id: &str) -> bool {
        let origin = letters(self.call_seed(self.origin, at), ORIGIN_LETTERS);
        id.strip_prefix("call_").is_some_and(|id| id.starts_with(&origin))
    }

    fn call_seed(self, of: u64, at: usize) -> u64 {
        spread(of ^ 0xca11 ^ ((at as u64) << 32))
    }

    /// 50 hex digits: the response (16), whether reasoning came first (1), the index (2) and a check
    /// over all of it (31).
    fn item(self, prefix: &str, at: usize, reasoned: bool) -> String {
        let at = u8::try_from(at).unwrap_or(u8::MAX);
        let seed = self.response
            ^ fnv(FNV_OFFSET, prefix.as_bytes())
            ^ (u64::from(at) << 8)
            ^ u64::from(reasoned);
        let (a, b) = (spread(seed), spread(seed.rotate_left(29)));
        let mut id = String::with_capacity(prefix.len() + 50);
        let digit = if reasoned { 'b' } else { '7' };
        // Writing to a String cannot fail.
        let _ = write!(id, "{prefix}{:016x}{digit}{at:02x}{a:016x}{:015x}", self.response, b >> 4);
        id
    }
}

impl From<u64> for Ids {
    fn from(response: u64) -> Self {
        Self { response, origin: response }
    }
}

/// How many letters of a call's id say what made it.
const ORIGIN_LETTERS: usize = 12;

/// The id of the reasoning item that must come with this call or message. `None` if there was none,
/// or if this server did not make the item.
pub(super) fn required_reasoning(item: &str) -> Option<String> {
    let prefix = ["fc_", "msg_"].into_iter().find(|p| item.starts_with(p))?;
    let hex = item.strip_prefix(prefix).filter(|h| h.len() == 50 && h.is_ascii())?;
    let ids = Ids::from(u64::from_str_radix(&hex[..16], 16).ok()?);
    let at = usize::from_str_radix(&hex[17..19], 16).ok()?;
    (hex.as_bytes()[16] == b'b' && ids.item(prefix, at, true) == item).then(|| ids.reasoning())
}

/// The encrypted content of a reasoning item.
pub(super) fn encrypt(reasoning: &str) -> String {
    let check = spread(fnv(FNV_OFFSET, reasoning.as_bytes()));
    let hex = reasoning.strip_prefix("rs_").unwrap_or(reasoning);
    format!("gAAAAAB{hex}{}", letters(check, 83))
}

/// The id of the reasoning item whose content this is; `None` if this server did not make it.
pub(super) fn decrypt(content: &str) -> Option<String> {
    let hex = content.strip_prefix("gAAAAAB")?.get(..50)?;
    let id = format!("rs_{hex}");
    (encrypt(&id) == content).then_some(id)
}

/// The id of a request; `count` is how many requests came before it.
pub(super) fn request(count: u64) -> String {
    format!("req_{:016x}{:016x}", spread(count), spread(!count))
}

/// A number from bytes, the same for the same bytes.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    spread(fnv(FNV_OFFSET, bytes))
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

fn fnv(seed: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(seed, |hash, b| (hash ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}

fn letters(seed: u64, count: usize) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut state = seed;
    (0..count)
        .map(|_| {
            state = mix(state);
            char::from(ALPHABET[(state % 62) as usize])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_same_for_the_same_response_and_have_the_providers_lengths() {
        let ids = Ids::of(&[b"step 3", b"1"]);
        assert_eq!(ids.response(), Ids::of(&[b"step 3", b"1"]).response());
        assert_ne!(ids.response(), Ids::of(&[b"step 31", b""]).response());
        assert_eq!(ids.response().len(), "resp_".len() + 50);
        assert_eq!(ids.call(0).len(), "call_".len() + 24);
        assert_eq!(ids.completion().len(), "chatcmpl-".len() + 29);
        assert_ne!(ids.call(0), ids.call(1));
        assert_ne!(ids.message(0, false), ids.message(1, false));
    }

    #[test]
    fn a_number_makes_all_ids_others_and_a_call_still_tells_what_made_it() {
        let ids = Ids::of(&[b"step 3", b"1"]);
        let second = ids.numbered(2);
        for (one, other) in [
            (ids.response(), second.response()),
            (ids.message(0, false), second.message(0, false)),
            (ids.call(1), second.call(1)),
        ] {
            assert_ne!(one, other);
        }
        assert!(ids.is_call(1, &second.call(1)) && second.is_call(1, &ids.call(1)));
        assert!(!ids.is_call(0, &second.call(1)) && !ids.is_call(1, "call_1"));
        assert!(!Ids::of(&[b"step 4"]).is_call(1, &ids.call(1)));
    }

    #[test]
    fn the_id_of_an_item_tells_the_reasoning_that_it_came_with() {
        let ids = Ids::of(&[b"a"]);
        assert_eq!(required_reasoning(&ids.call_item(2, true)), Some(ids.reasoning()));
        assert_eq!(required_reasoning(&ids.message(1, true)), Some(ids.reasoning()));
        assert_eq!(required_reasoning(&ids.call_item(2, false)), None);
        let foreign = "fc_67ca09c5efe0819096d0511c92b8c890096610f474011cc0ab";
        assert_eq!(required_reasoning(foreign), None);
        let mut forged = ids.call_item(2, true);
        forged.pop();
        forged.push('x');
        assert_eq!(required_reasoning(&forged), None);
    }

    #[test]
    fn encrypted_content_is_recognised_and_a_changed_one_is_not() {
        let id = Ids::of(&[b"a"]).reasoning();
        let content = encrypt(&id);
        assert_eq!(decrypt(&content), Some(id));
        assert_eq!(decrypt(&content.replace("gAAAAAB", "gAAAAAC")), None);
        assert_eq!(decrypt(&content[..content.len() - 1]), None);
        assert_eq!(decrypt("gAAAAABé"), None);
    }
}
