//! The certificate authority of a proxy, and the certificates that it signs.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

/// Most certificates that are kept; those of hosts are made again when there are more.
const MOST_KEPT: usize = 256;

/// Why a certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A key or a certificate was not made.
    #[error("a certificate could not be made")]
    Certificate(#[from] rcgen::Error),
    /// It is of no use for TLS.
    #[error("a certificate could not be used")]
    Tls(#[from] rustls::Error),
}

/// An authority. Its key and that of its certificates exist in memory alone.
pub(crate) struct Authority {
    certificate: Certificate,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
    /// The key of every host's certificate.
    key: KeyPair,
    /// The serial number of the certificate that is made next.
    next_serial: AtomicU64,
    configurations: Mutex<HashMap<String, Arc<ServerConfig>>>,
}

impl Authority {
    /// Makes its keys and its certificate.
    pub(crate) fn new() -> Result<Self, AuthorityError> {
        let key = KeyPair::generate()?;
        let mut params =
            params(Vec::new(), "rehearse: a proxy's own authority, for this run only")?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            pem: certificate.pem(),
            certificate,
            next_serial: AtomicU64::new(first_serial(&key)),
            issuer: Issuer::new(params, key),
            key: KeyPair::generate()?,
            configurations: Mutex::default(),
        })
    }

    pub(crate) fn certificate_pem(&self) -> &str {
        &self.pem
    }

    pub(crate) fn certificate_der(&self) -> &[u8] {
        self.certificate.der()
    }

    /// How TLS is served for a host.
    pub(crate) fn configuration(&self, host: &str) -> Result<Arc<ServerConfig>, AuthorityError> {
        let mut kept = self.configurations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.get(host) {
            return Ok(Arc::clone(known));
        }
        let made = Arc::new(self.make(host)?);
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(host.to_owned(), Arc::clone(&made));
        Ok(made)
    }

    fn make(&self, host: &str) -> Result<ServerConfig, AuthorityError> {
        let certificate = self.certificate_of(host)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    fn certificate_of(&self, host: &str) -> Result<Certificate, rcgen::Error> {
        // A common name has 64 characters at most, and no client reads it.
        let mut params = params(vec![host.to_owned()], "rehearse")?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // Python refuses a certificate without it from 3.13 on.
        params.use_authority_key_identifier_extension = true;
        // All of them have one key, of which the number would be made; NSS refuses two certificates of an
        // issuer with the same number (RFC 5280, section 4.1.2.2).
        let serial = self.next_serial.fetch_add(1, Ordering::Relaxed);
        params.serial_number = Some(serial.into());
        params.signed_by(&self.key, &self.issuer)
    }
}

/// Where an authority's serial numbers begin: elsewhere in each run, since the authorities of all runs have
/// one name. Seven bytes, so that it is never too large; the first byte of a key tells its format.
fn first_serial(key: &KeyPair) -> u64 {
    let random = key.public_key_raw().iter().skip(1).take(7);
    random.fold(0_u64, |number, byte| (number << 8) | u64::from(*byte)) + 1
}

/// What all certificates have in common. The years are those of any clock that a program may be given.
fn params(hosts: Vec<String>, name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(hosts)?;
    params.not_before = date_time_ymd(1975, 1, 1);
    params.not_after = date_time_ymd(2100, 1, 1);
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second field of a certificate, behind its version.
    fn serial(certificate: &Certificate) -> Vec<u8> {
        let read = yasna::parse_der(certificate.der(), |reader| {
            reader.read_sequence(|reader| {
                let serial = reader.next().read_sequence(|reader| {
                    reader.next().read_der()?;
                    let (serial, positive) = reader.next().read_bigint_bytes()?;
                    assert!(positive);
                    for _field in ["algorithm", "issuer", "validity", "subject", "key", "more"] {
                        reader.next().read_der()?;
                    }
                    Ok(serial)
                })?;
                for _field in ["algorithm", "signature"] {
                    reader.next().read_der()?;
                }
                Ok(serial)
            })
        });
        read.unwrap()
    }

    #[test]
    fn each_certificate_has_a_serial_number_of_its_own() {
        let [authority, other] = [Authority::new().unwrap(), Authority::new().unwrap()];
        let of = |authority: &Authority, host| serial(&authority.certificate_of(host).unwrap());
        let first = of(&authority, "api.twilio.com");
        assert_ne!(first, of(&authority, "api.openai.com"));
        assert_ne!(first, of(&authority, "api.twilio.com"), "one that is made again");
        assert_ne!(first, of(&other, "api.twilio.com"), "the first one of another run");
    }
}
