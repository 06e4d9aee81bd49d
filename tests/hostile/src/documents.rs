//! TwiML, as the fake Twilio reads it.

use rehearse_twilio::hostile::read_document;

/// The codes of documents that cannot be used.
const CODES: [u32; 4] = [11_770, 12_100, 12_102, 12_300];
/// Most replies to one text.
const MAX_REPLIES: usize = 10;

/// The first byte chooses the media type, the rest is the document.
pub(crate) fn twiml(bytes: &[u8]) {
    let Some((first, body)) = bytes.split_first() else { return };
    let types = [Some("text/xml"), Some("text/plain; charset=utf-8"), Some("text/html"), None];
    match read_document(types[usize::from(*first) % types.len()], body) {
        Ok(replies) => assert!(replies <= MAX_REPLIES, "{replies} replies"),
        Err(code) => assert!(CODES.contains(&code), "{code}"),
    }
}
