//! What functions answer the Runtime API.

use rehearse_aws::hostile::{read_answer, read_error};

/// A status that a function answers with is between 200 and 599, or the answer is malformed.
pub(crate) fn runtime_answer(bytes: &[u8]) {
    for status in read_answer(bytes).into_iter().flatten() {
        assert!((200..600).contains(&status), "{status}");
    }
    let kind = std::str::from_utf8(bytes).ok().map(str::to_owned);
    // What a function says of its error is told on; a body that says nothing gets words of ours.
    if serde_json::from_slice::<serde_json::Map<_, _>>(bytes).is_err() {
        assert_eq!(read_error(None, bytes), "it does not say why");
    }
    read_error(kind, bytes);
}
