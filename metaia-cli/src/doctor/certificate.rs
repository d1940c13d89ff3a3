//! The end and the issuer of a certificate.
//!
//! TLS has verified the certificate before, or was told not to: nothing here decides about trust,
//! and a certificate that cannot be read has no end.

use x509_parser::prelude::{FromDer as _, X509Certificate, X509Name};

const SECONDS_PER_DAY: i64 = 86_400;

/// The longest name of an authority that is shown.
const MAX_ISSUER: usize = 64;

/// The end and the issuer of a certificate, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// Negative for one that has expired.
    pub(crate) days_left: i64,
    /// The common name of its issuer.
    pub(crate) issuer: Option<String>,
}

impl Certificate {
    /// Reads a certificate. `now` is in Unix seconds.
    pub(crate) fn read(der: &[u8], now: i64) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let ends = certificate.validity().not_after.timestamp();
        Some(Self {
            days_left: ends.saturating_sub(now).div_euclid(SECONDS_PER_DAY),
            issuer: common_name(certificate.issuer()),
        })
    }
}

fn common_name(name: &X509Name<'_>) -> Option<String> {
    let text = name.iter_common_name().next()?.as_str().ok()?;
    Some(text.chars().take(MAX_ISSUER).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    use super::*;

    fn fixture() -> CertificateDer<'static> {
        let pem = include_bytes!("../../../tests/fixtures/tls/self-signed.pem");
        CertificateDer::from_pem_slice(pem).unwrap()
    }

    #[test]
    fn a_certificate_says_when_it_ends_and_who_issued_it() {
        let ends = 4949594532;
        let read = |now| Certificate::read(&fixture(), now).unwrap();
        assert_eq!(read(ends - 61 * SECONDS_PER_DAY - 1).days_left, 61);
        assert_eq!(read(ends + 1).days_left, -1);
        assert_eq!(read(0).issuer.as_deref(), Some("metaia test"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Certificate::read(&bytes, 0);
        }

        #[test]
        fn a_damaged_certificate_does_not_panic(at in 0_usize..800, byte in any::<u8>()) {
            let mut der = fixture().to_vec();
            let at = at % der.len();
            der[at] = byte;
            let _ = Certificate::read(&der, 0);
            let _ = Certificate::read(&der[..at], 0);
        }
    }
}
