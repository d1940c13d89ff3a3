//! TLS for `--cacert` and `--insecure`.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::bounded_file::{ByteLimit, bytes_of_file};
use crate::exit::{Exit, Failure};

/// Installs the provider of cryptography that everything in the process uses.
pub(crate) fn install_provider() {
    // An error means that a provider is installed already.
    let _ = ring::default_provider().install_default();
}

/// Returns a configuration that trusts the certificates of a file, and what they sign. `named_by`
/// is the option or the member of a context with its path.
pub(crate) fn trusting_only(path: &Path, named_by: &str) -> Result<ClientConfig, Failure> {
    let unusable = || Failure::usage(format!("{} cannot be used by {named_by}", path.display()));
    let text = bytes_of_file(path, ByteLimit::LARGE).map_err(|fault| {
        unusable()
            .caused_by(fault)
            .hint("it needs a file with a certificate as PEM")
    })?;
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|error| {
            unusable()
                .caused_by(error)
                .hint("it needs a certificate as PEM")
        })?;
    if certificates.is_empty() {
        return Err(unusable().hint("it needs a certificate as PEM"));
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates.iter().cloned());
    let provider = Arc::new(ring::default_provider());
    let by_authority = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| {
            unusable()
                .caused_by(error)
                .hint("it needs a certificate as PEM")
        })?;
    config(Arc::new(OwnCertificates {
        certificates,
        by_authority,
    }))
}

/// Returns a configuration that checks no certificate.
pub(crate) fn trusting_all() -> Result<ClientConfig, Failure> {
    config(Arc::new(NoChecks(ring::default_provider())))
}

fn config(verifier: Arc<dyn ServerCertVerifier>) -> Result<ClientConfig, Failure> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::new(Exit::Failed, "TLS cannot be used").caused_by(error))?;
    Ok(builder
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

/// Trusts the certificates of a file themselves, and what they sign.
///
/// webpki alone does not trust a self-signed certificate that a server uses itself, as `openssl req
/// -x509` makes them: it is an authority's.
#[derive(Debug)]
struct OwnCertificates {
    certificates: Vec<CertificateDer<'static>>,
    by_authority: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for OwnCertificates {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.certificates.iter().any(|known| known == end_entity) {
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
            verify_dates(end_entity, now)?;
            return Ok(ServerCertVerified::assertion());
        }
        self.by_authority.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        )
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_authority.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_authority.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.by_authority.supported_verify_schemes()
    }
}

/// Refuses a certificate that has ended, or that does not begin before later.
fn verify_dates(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let read = X509Certificate::from_der(certificate);
    let (_, read) = read.map_err(|_| CertificateError::BadEncoding)?;
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let validity = read.validity();
    if now > validity.not_after.timestamp() {
        return Err(CertificateError::Expired.into());
    }
    if now < validity.not_before.timestamp() {
        return Err(CertificateError::NotValidYet.into());
    }
    Ok(())
}

/// Trusts every certificate. The server still has to own its key.
#[derive(Debug)]
struct NoChecks(CryptoProvider);

impl ServerCertVerifier for NoChecks {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_file_without_a_certificate_is_a_usage_error() {
        for path in ["no-such-file.pem", "Cargo.toml", "/dev/zero"] {
            let failure = trusting_only(Path::new(path), "--cacert").unwrap_err();
            assert_eq!(failure.exit, Exit::Usage);
            assert!(failure.chain().contains(path), "{}", failure.chain());
            assert!(failure.hint.is_some(), "{path}");
        }
    }

    /// The dates of the certificate of the fixtures, in Unix seconds.
    #[test]
    fn a_certificate_of_the_file_is_trusted_between_its_dates_alone() {
        let pem = include_bytes!("../../tests/fixtures/tls/self-signed.pem");
        let der = CertificateDer::from_pem_slice(pem).unwrap();
        let at = |seconds| verify_dates(&der, UnixTime::since_unix_epoch(seconds));
        let (_, read) = X509Certificate::from_der(&der).unwrap();
        let second = |at: i64| Duration::from_secs(u64::try_from(at).unwrap());
        let begins = second(read.validity().not_before.timestamp());
        let ends = second(read.validity().not_after.timestamp());
        let expired = || Err(CertificateError::Expired.into());
        let early = || Err(CertificateError::NotValidYet.into());
        assert_eq!(at(begins), Ok(()));
        assert_eq!(at(ends), Ok(()));
        assert_eq!(at(ends + Duration::from_secs(1)), expired());
        assert_eq!(at(begins - Duration::from_secs(1)), early());
        let damaged = CertificateDer::from(vec![0; 9]);
        let refused = verify_dates(&damaged, UnixTime::since_unix_epoch(begins));
        assert_eq!(refused, Err(CertificateError::BadEncoding.into()));
    }
}
