//! Small files of the types that phones send.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;

/// A picture of 8 by 8 pixels in one colour.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAFUlEQVR42mM8UaHBgA0wMeAAg1MCAB4nAXgllso1AAAAAElFTkSuQmCC";
const GIF: &str = "R0lGODdhCAAIAIEAAMh4KAAAAAAAAAAAACwAAAAACAAIAAAIDwABCBxIsKDBgwgTKkwYEAA7";
const JPEG: &str = "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wAARCAAIAAgDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAL/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFAEBAAAAAAAAAAAAAAAAAAAABP/EABQRAQAAAAAAAAAAAAAAAAAAAAD/2gAMAwEAAhEDEQA/AKAANf/Z";
const WEBP: &str =
    "UklGRjIAAABXRUJQVlA4ICYAAACwAQCdASoIAAgABABoJaACdLoABdQAAPuO/jebzWtb+KAUjhmAAA==";
/// 16 by 16 pixels.
const HEIC: &str = "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAXxtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9jAAAAAERAAAEAAQAAAAABoAABAAAAAAAAACoAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA/GlwcnAAAADcaXBjbwAAAHVodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQApQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbqrprm4CGgwIAAAAyAAAADAIRiAAEABkQBwXPBiQAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAAChjbGFwAAAAEAAAAAEAAAAQAAAAAf///9AAAAAC////0AAAAAIAAAAQcGl4aQAAAAADCAgIAAAAGGlwbWEAAAAAAAAAAQABBYECAwWEAAAAMm1kYXQAAAAmKAGvGSFeQkDvXaW9o/q/6f5fx9bfKZKAppcE14iZCwOBgI2RnTg=";

const VCARD: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Example;Ann;;;\r\nFN:Ann Example\r\n\
                     TEL;TYPE=CELL:+15550123456\r\nEND:VCARD\r\n";
const PDF: &str = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
                   2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
                   3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>endobj\n\
                   trailer<</Root 1 0 R>>\n%%EOF\n";

/// A small file of a media type. Pictures can be opened; films and sounds have their first bytes alone, by which
/// programs tell types apart.
pub(super) fn sample(content_type: &str) -> Bytes {
    match content_type {
        "image/png" => decoded(PNG),
        "image/gif" => decoded(GIF),
        "image/webp" => decoded(WEBP),
        "image/heic" => decoded(HEIC),
        "video/mp4" => film(b"isom"),
        "video/3gpp" => film(b"3gp4"),
        "video/quicktime" => film(b"qt  "),
        "audio/amr" => Bytes::from_static(b"#!AMR\n"),
        "audio/mpeg" => Bytes::from_static(b"ID3\x03\0\0\0\0\0\0"),
        "application/pdf" => Bytes::from_static(PDF.as_bytes()),
        "text/vcard" => Bytes::from_static(VCARD.as_bytes()),
        _ => decoded(JPEG),
    }
}

fn decoded(text: &str) -> Bytes {
    STANDARD.decode(text).unwrap_or_default().into()
}

/// A file of the family of MP4 that holds nothing but what says its brand.
fn film(brand: &[u8; 4]) -> Bytes {
    let mut bytes = vec![0, 0, 0, 20];
    bytes.extend_from_slice(b"ftyp");
    bytes.extend_from_slice(brand);
    bytes.extend_from_slice(&[0, 0, 2, 0]);
    bytes.extend_from_slice(brand);
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sample_begins_as_its_type_does() {
        for (content_type, begins) in [
            ("image/png", &b"\x89PNG\r\n"[..]),
            ("image/gif", b"GIF87a"),
            ("image/jpeg", b"\xff\xd8\xff"),
            ("image/webp", b"RIFF"),
            ("image/heic", b"\0\0\0\x1cftypheic"),
            ("video/3gpp", b"\0\0\0\x14ftyp3gp4"),
            ("application/pdf", b"%PDF-"),
            ("text/vcard", b"BEGIN:VCARD"),
        ] {
            assert!(sample(content_type).starts_with(begins), "{content_type}");
        }
    }
}
