//! Certificates that are not trusted.

use rustls::CertificateError;

use super::fault::{Asked, CertificateFlaw, Fault};
use super::finding::Diagnosis;

const HOW_TO_TRUST: &str = "\
--cacert FILE trusts the certificate or its authority (PEM); --insecure skips the verification";

/// Returns the fault that an error of TLS means.
pub(super) fn fault(error: &rustls::Error) -> Fault {
    match error {
        rustls::Error::InvalidCertificate(error) => Fault::Certificate(flaw(error)),
        // The port sent something else than TLS.
        rustls::Error::InvalidMessage(_) => Fault::NotTls,
        other => Fault::Tls(other.to_string()),
    }
}

fn flaw(error: &CertificateError) -> CertificateFlaw {
    match error {
        CertificateError::UnknownIssuer => CertificateFlaw::UnknownAuthority,
        // The name of its issuer is that of a trusted authority, and the signature is another's.
        CertificateError::BadSignature => CertificateFlaw::OtherSignature,
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            CertificateFlaw::Expired
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            CertificateFlaw::NotYetValid
        }
        CertificateError::NotValidForName => CertificateFlaw::OtherName(Vec::new()),
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names = presented.iter().map(|name| plain_name(name));
            CertificateFlaw::OtherName(names.collect())
        }
        other => {
            let text = other.to_string();
            if text.contains("CaUsedAsEndEntity") {
                CertificateFlaw::SelfSigned
            } else {
                CertificateFlaw::Other(in_words(&text))
            }
        }
    }
}

/// Returns the name in rustls' text for one, such as `DnsName("a.example")`.
fn plain_name(text: &str) -> String {
    let inner = text
        .split_once('(')
        .map_or(text, |(_, rest)| rest.trim_end_matches(')'));
    inner.trim_matches('"').to_owned()
}

/// Returns the innermost of rustls' names for an error in words: `UnsupportedCertVersion` in
/// `Other(OtherError(UnsupportedCertVersion))` becomes `unsupported cert version`.
fn in_words(text: &str) -> String {
    let innermost = text.trim_end_matches(')');
    let innermost = innermost.rsplit('(').next().unwrap_or(innermost);
    if !innermost.chars().all(|c| c.is_ascii_alphanumeric()) {
        return text.to_owned();
    }
    let mut words = String::new();
    for c in innermost.chars() {
        if c.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
    }
    words
}

pub(super) fn diagnose(asked: &Asked, flaw: &CertificateFlaw) -> Diagnosis {
    match flaw {
        CertificateFlaw::SelfSigned => Diagnosis::unreachable(
            "the server's certificate is self-signed, and not trusted",
            how_to_trust(asked),
        ),
        CertificateFlaw::UnknownAuthority => Diagnosis::unreachable(
            "the server's certificate is self-signed, or of an authority that is not trusted",
            how_to_trust(asked),
        ),
        CertificateFlaw::OtherSignature => Diagnosis::unreachable(
            "the server's certificate is not signed by the trusted authority of the same name: it \
             is self-signed, or of an authority that is not trusted",
            how_to_trust(asked),
        ),
        CertificateFlaw::OtherName(names) => Diagnosis::unreachable(
            other_name(names),
            "use a name of the certificate as the address, or --insecure",
        ),
        CertificateFlaw::Expired => Diagnosis::unreachable(
            "the server's certificate has expired",
            "renew it; if it is still good, this machine's clock is ahead",
        ),
        CertificateFlaw::NotYetValid => Diagnosis::unreachable(
            "the server's certificate is not valid yet",
            "set this machine's clock; if it is right, the certificate is not to be used yet",
        ),
        CertificateFlaw::Other(text) => Diagnosis::unreachable(
            format!("the server's certificate is not accepted: {text}"),
            how_to_trust(asked),
        ),
    }
}

fn how_to_trust(asked: &Asked) -> &'static str {
    if asked.has_own_certificates {
        "the file of --cacert contains neither this certificate nor its authority"
    } else {
        HOW_TO_TRUST
    }
}

fn other_name(names: &[String]) -> String {
    let wrong = "the server's certificate is for another name than this address";
    if names.is_empty() {
        wrong.to_owned()
    } else {
        format!("{wrong}: it is for {}", names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_tls_says_what_is_wrong_with_the_certificate() {
        let invalid = rustls::Error::InvalidCertificate;
        for (error, expected) in [
            (
                CertificateError::UnknownIssuer,
                CertificateFlaw::UnknownAuthority,
            ),
            (
                CertificateError::BadSignature,
                CertificateFlaw::OtherSignature,
            ),
            (CertificateError::Expired, CertificateFlaw::Expired),
            (CertificateError::NotValidYet, CertificateFlaw::NotYetValid),
            (
                CertificateError::NotValidForName,
                CertificateFlaw::OtherName(Vec::new()),
            ),
        ] {
            assert_eq!(fault(&invalid(error)), Fault::Certificate(expected));
        }
    }

    #[test]
    fn a_flaw_is_said_in_words() {
        let text = "invalid peer certificate: Other(OtherError(UnsupportedCertVersion))";
        assert_eq!(in_words(text), "unsupported cert version");
        assert_eq!(in_words("BadSignature"), "bad signature");
        assert_eq!(in_words("it is a text"), "it is a text");
        assert_eq!(plain_name(r#"DnsName("other.example")"#), "other.example");
        assert_eq!(plain_name("IpAddress(127.0.0.1)"), "127.0.0.1");
        assert_eq!(plain_name("a.example"), "a.example");
    }

    #[test]
    fn an_answer_that_is_not_tls_is_no_certificate() {
        let error = rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType);
        assert_eq!(fault(&error), Fault::NotTls);
    }
}
