//! A trust store for Java: PKCS#12 (RFC 7292) with one certificate, neither encrypted nor with a
//! checksum, since it keeps no secret. Java reads such a file when it is given no password.
//!
//! The crates that read and write PKCS#12 in general bring twenty others, some of them releases before
//! their first; this one shape needs none of it.

use yasna::{DERWriter, Tag, construct_der, models::ObjectIdentifier};

const DATA: &[u64] = &[1, 2, 840, 113549, 1, 7, 1];
const CERTIFICATE_BAG: &[u64] = &[1, 2, 840, 113549, 1, 12, 10, 1, 3];
const X509_CERTIFICATE: &[u64] = &[1, 2, 840, 113549, 1, 9, 22, 1];
const FRIENDLY_NAME: &[u64] = &[1, 2, 840, 113549, 1, 9, 20];
/// Java's own attribute; a certificate without it is not trusted.
const TRUSTED_KEY_USAGE: &[u64] = &[2, 16, 840, 1, 113894, 746875, 1, 1];
const ANY_KEY_USAGE: &[u64] = &[2, 5, 29, 37, 0];

/// The alias of the certificate.
const ALIAS: &str = "rehearse";

/// A store of one trusted certificate, which is given in DER.
pub(crate) fn pkcs12(certificate: &[u8]) -> Vec<u8> {
    let bags = construct_der(|writer| {
        writer.write_sequence_of(|writer| write_bag(writer.next(), certificate));
    });
    let contents =
        construct_der(|writer| writer.write_sequence_of(|w| write_data(w.next(), &bags)));
    construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_u8(3);
            write_data(writer.next(), &contents);
        });
    })
}

/// A bag with a certificate that is trusted for everything.
fn write_bag(writer: DERWriter<'_>, certificate: &[u8]) {
    writer.write_sequence(|writer| {
        write_oid(writer.next(), CERTIFICATE_BAG);
        writer.next().write_tagged(Tag::context(0), |writer| {
            writer.write_sequence(|writer| {
                write_oid(writer.next(), X509_CERTIFICATE);
                let explicit = Tag::context(0);
                writer.next().write_tagged(explicit, |writer| writer.write_bytes(certificate));
            });
        });
        writer.next().write_set_of(|writer| {
            writer.next().write_sequence(|writer| {
                write_oid(writer.next(), FRIENDLY_NAME);
                writer.next().write_set_of(|writer| writer.next().write_bmp_string(ALIAS));
            });
            writer.next().write_sequence(|writer| {
                write_oid(writer.next(), TRUSTED_KEY_USAGE);
                writer.next().write_set_of(|writer| write_oid(writer.next(), ANY_KEY_USAGE));
            });
        });
    });
}

/// A `ContentInfo` with plain data.
fn write_data(writer: DERWriter<'_>, data: &[u8]) {
    writer.write_sequence(|writer| {
        write_oid(writer.next(), DATA);
        writer.next().write_tagged(Tag::context(0), |writer| writer.write_bytes(data));
    });
}

fn write_oid(writer: DERWriter<'_>, parts: &[u64]) {
    writer.write_oid(&ObjectIdentifier::from_slice(parts));
}
