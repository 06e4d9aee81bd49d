//! The files of messages: what the backend's messages have them fetched from, and what people send.
//!
//! Only URLs on this machine are fetched; of any other, and of what people send, a small file is made that has
//! the type that the name says.

mod fetch;
mod samples;

use bytes::Bytes;
use jiff::Timestamp;
use rehearse_core::random::mix;

pub(crate) use self::fetch::{Fetched, Fetcher, is_here};
use super::Sid;

/// Most bytes of all files of one message: <https://www.twilio.com/docs/messaging/guides/accepted-mime-types>.
pub(crate) const MAX_MEDIA_BYTES: usize = 5_000_000;

/// A file of a message, as the account keeps it.
#[derive(Debug, Clone)]
pub(crate) struct MediaFile {
    /// `ME` and 32 hexadecimal digits.
    pub sid: String,
    /// The message that it belongs to.
    pub message: Sid,
    pub content_type: String,
    pub bytes: Bytes,
    pub created: Timestamp,
}

/// The account's files, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct MediaStore {
    files: Vec<MediaFile>,
}

impl MediaStore {
    /// Keeps the files of a message, each with its type.
    pub fn keep(&mut self, message: Sid, files: Vec<Fetched>, created: Timestamp) {
        for (index, Fetched { content_type, bytes }) in files.into_iter().enumerate() {
            let sid = media_sid(message, index);
            self.files.push(MediaFile { sid, message, content_type, bytes, created });
        }
    }

    /// The files of a message.
    pub fn of(&self, message: Sid) -> impl Iterator<Item = &MediaFile> {
        self.files.iter().filter(move |file| file.message == message)
    }

    /// The file with this sid.
    pub fn get(&self, sid: &str) -> Option<&MediaFile> {
        self.files.iter().find(|file| file.sid == sid)
    }

    /// Deletes a file of a message; `false` when it has none with this sid.
    pub fn remove(&mut self, message: Sid, sid: &str) -> bool {
        let before = self.files.len();
        self.files.retain(|file| file.message != message || file.sid != sid);
        self.files.len() < before
    }

    /// Deletes the files of all messages but these.
    pub fn retain(&mut self, is_known: impl Fn(Sid) -> bool) {
        self.files.retain(|file| is_known(file.message));
    }

    pub fn len(&self) -> usize {
        self.files.len()
    }
}

/// The sid of a message's file.
pub(crate) fn media_sid(message: Sid, index: usize) -> String {
    let bits = message.bits();
    let index = u64::try_from(index).unwrap_or(u64::MAX);
    let [high, low] =
        [bits >> 64, bits].map(|half| u64::try_from(half & u128::from(u64::MAX)).unwrap_or(0));
    format!("ME{:016x}{:016x}", mix(high ^ index), mix(low.wrapping_add(index)))
}

/// The file that stands for a URL or a name that is not fetched: a small one, of the type that the name's
/// ending says.
pub(crate) fn stand_in(name: &str) -> Fetched {
    let content_type = content_type(name);
    Fetched { bytes: samples::sample(content_type), content_type: content_type.to_owned() }
}

/// The media type that a name's ending says, in a URL or alone; `image/jpeg`, which phones send most, for an
/// ending that is not known.
///
/// ```
/// use rehearse_twilio::content_type;
///
/// assert_eq!(content_type("https://example.com/screen.PNG?size=1"), "image/png");
/// assert_eq!(content_type("contact.vcf"), "text/vcard");
/// ```
pub fn content_type(name: &str) -> &'static str {
    let path = name.split(['?', '#']).next().unwrap_or_default();
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "heic" => "image/heic",
        "mp4" => "video/mp4",
        "3gp" | "3gpp" => "video/3gpp",
        "mov" => "video/quicktime",
        "amr" => "audio/amr",
        "mp3" => "audio/mpeg",
        "pdf" => "application/pdf",
        "vcf" | "vcard" => "text/vcard",
        _ => "image/jpeg",
    }
}
