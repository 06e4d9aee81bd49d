//! What functions answer the Runtime API.

use rehearse_aws::hostile::{read_answer, read_error};

/// A status that a function answers with is between 200 and 599, or the answer is malformed.
pub(crate) fn runtime_answer(bytes: &[u8]) {
    for status in read_answer(bytes).into_iter().flatten() {
        assert!((200..600).contains(&status), "{status}");
    }
    let kind = std::str::from_utf8(bytes).ok().map(str::to_owned);
    assert!(!read_error(None, bytes).contains("Error("));
    read_error(kind, bytes);
}
