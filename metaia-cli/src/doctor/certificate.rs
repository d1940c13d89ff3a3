//! The end of a certificate, read from its bytes (DER of X.509, RFC 5280, 4.1).
//!
//! TLS has verified the certificate before, or was told not to: nothing here decides about trust,
//! and a certificate that cannot be read has no end.

use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The attribute of a name that people know an authority by, with its tag and length.
const COMMON_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x03];

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
        let certificate = Element::first(der)?.of(SEQUENCE)?;
        let mut fields = Elements(Element::first(certificate)?.of(SEQUENCE)?);
        if fields.next()?.tag == VERSION {
            // The serial number, which comes first in the oldest version.
            fields.next()?;
        }
        // Behind the algorithm of the signature.
        let issuer = fields.nth(1)?.of(SEQUENCE)?;
        let validity = fields.next()?.of(SEQUENCE)?;
        let ends = Elements(validity).nth(1)?.moment()?;
        Some(Self {
            days_left: (ends.unix_timestamp() - now).div_euclid(SECONDS_PER_DAY),
            issuer: common_name(issuer),
        })
    }
}

fn common_name(name: &[u8]) -> Option<String> {
    let at = name
        .windows(COMMON_NAME.len())
        .position(|window| window == COMMON_NAME)?;
    let value = Element::first(&name[at + COMMON_NAME.len()..])?.value;
    let text = std::str::from_utf8(value).ok()?;
    Some(text.chars().take(MAX_ISSUER).collect())
}

/// A tag and its value.
struct Element<'a> {
    tag: u8,
    value: &'a [u8],
}

/// The elements that stand one after the other.
struct Elements<'a>(&'a [u8]);

impl<'a> Element<'a> {
    fn first(bytes: &'a [u8]) -> Option<Self> {
        Elements(bytes).next()
    }

    /// Returns the value, if the element has this tag.
    fn of(&self, tag: u8) -> Option<&'a [u8]> {
        (self.tag == tag).then_some(self.value)
    }

    fn moment(&self) -> Option<OffsetDateTime> {
        let text = std::str::from_utf8(self.value).ok()?;
        let text = match self.tag {
            // Two digits of the year: 50 and later are in the twentieth century.
            UTC_TIME if text.get(..2)? >= "50" => format!("19{text}"),
            UTC_TIME => format!("20{text}"),
            GENERALIZED_TIME => text.to_owned(),
            _ => return None,
        };
        let format = format_description!("[year][month][day][hour][minute][second]Z");
        let moment = PrimitiveDateTime::parse(&text, &format).ok()?;
        Some(moment.assume_utc())
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            // The length itself has this number of bytes. No certificate needs more than four.
            0x81..0x85 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let length = bytes
                    .iter()
                    .fold(0, |length, byte| length << 8 | usize::from(*byte));
                (length, rest)
            }
            _ => return None,
        };
        let (value, after) = rest.split_at_checked(length)?;
        self.0 = after;
        Some(Element { tag, value })
    }
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

    #[test]
    fn both_kinds_of_times_are_read() {
        let moment = |tag, value: &str| {
            let value = value.as_bytes();
            let moment = Element { tag, value }.moment()?;
            Some(moment.unix_timestamp())
        };
        assert_eq!(moment(UTC_TIME, "231114221320Z"), Some(1_700_000_000));
        assert_eq!(moment(UTC_TIME, "700101000000Z"), Some(0));
        assert_eq!(
            moment(GENERALIZED_TIME, "20231114221320Z"),
            Some(1_700_000_000)
        );
        assert_eq!(moment(SEQUENCE, "20231114221320Z"), None);
        assert_eq!(moment(UTC_TIME, "é"), None);
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
