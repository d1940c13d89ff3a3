//! An origin as a value: scheme, host and port.

use std::{fmt, net::Ipv6Addr, str::FromStr};

/// The longest host name, as in DNS.
const MAX_HOST_BYTES: usize = 253;

/// The origin of a web page: scheme, host and port.
///
/// Two ways to write one origin give equal values: letters may be in either case, the default port
/// may be written or not, and `ws` and `wss` are `http` and `https`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use metaia_realtime::serve::WebOrigin;
/// let origin: WebOrigin = "https://app.metaia.example".parse()?;
/// assert_eq!(origin, "wss://App.metaia.example:443/".parse()?);
/// assert_eq!(origin.to_string(), "https://app.metaia.example");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WebOrigin {
    scheme: String,
    host: String,
    /// `None`: the default port of the scheme.
    port: Option<u16>,
}

/// Error for a text that is not an origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an origin, for example https://app.metaia.example")]
pub struct InvalidOrigin(String);

impl WebOrigin {
    /// Reads the value of an `Origin` header. It never has a path, not even a slash.
    ///
    /// Returns `None` for anything else, such as `null`.
    #[must_use]
    pub fn from_header(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        Self::new(scheme, authority)
    }

    pub(super) fn new(scheme: &str, authority: &str) -> Option<Self> {
        let scheme = read_scheme(scheme)?;
        let (host, port) = split_port(authority);
        let host = read_host(host)?;
        let port = match port {
            "" => None,
            digits => Some(read_port(digits)?),
        };
        let port = port.filter(|port| default_port(&scheme) != Some(*port));
        Some(Self { scheme, host, port })
    }
}

impl FromStr for WebOrigin {
    type Err = InvalidOrigin;

    /// Reads an origin as a person writes it: a slash may follow.
    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let origin = Self::from_header(text.strip_suffix('/').unwrap_or(text));
        origin.ok_or_else(|| InvalidOrigin(text.to_owned()))
    }
}

impl fmt::Display for WebOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

/// Returns a scheme in lower case, with `http` and `https` in place of those of WebSockets.
fn read_scheme(text: &str) -> Option<String> {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
    let begins_with_letter = text.starts_with(|first: char| first.is_ascii_alphabetic());
    if !begins_with_letter || !text.bytes().all(is_allowed) {
        return None;
    }
    let scheme = text.to_ascii_lowercase();
    Some(match scheme.as_str() {
        "ws" => "http".to_owned(),
        "wss" => "https".to_owned(),
        _ => scheme,
    })
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Splits `host[:port]`. The colons of an IPv6 address are in brackets.
fn split_port(authority: &str) -> (&str, &str) {
    let end_of_brackets = authority.find(']').map_or(0, |bracket| bracket + 1);
    match authority[end_of_brackets..].find(':') {
        Some(colon) => {
            let (host, port) = authority.split_at(end_of_brackets + colon);
            (host, &port[1..])
        }
        None => (authority, ""),
    }
}

/// Returns a host in lower case, an IPv6 address in its shortest form.
fn read_host(text: &str) -> Option<String> {
    if let Some(address) = text.strip_prefix('[') {
        let address: Ipv6Addr = address.strip_suffix(']')?.parse().ok()?;
        return Some(format!("[{address}]"));
    }
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    let has_length = (1..=MAX_HOST_BYTES).contains(&text.len());
    if has_length && text.bytes().all(is_allowed) {
        Some(text.to_ascii_lowercase())
    } else {
        None
    }
}

/// Reads a port. Unlike `parse`, refuses a sign.
fn read_port(text: &str) -> Option<u16> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let shown = WebOrigin::from_header(text).map(|origin| origin.to_string());
        assert_eq!(shown.as_deref(), expected, "{text}");
    }

    #[test]
    fn an_origin_is_normalised() {
        check("https://app.example", Some("https://app.example"));
        check("HTTPS://App.Example:443", Some("https://app.example"));
        check("wss://app.example", Some("https://app.example"));
        check("ws://app.example:80", Some("http://app.example"));
        check("http://app.example:443", Some("http://app.example:443"));
        check(
            "https://app.example:08443",
            Some("https://app.example:8443"),
        );
        check("http://10.0.2.2:5000", Some("http://10.0.2.2:5000"));
        check("http://[0:0::1]:80", Some("http://[::1]"));
        check("http://[::1]:5000", Some("http://[::1]:5000"));
        check("capacitor://localhost", Some("capacitor://localhost"));
        check("https://app.example:", Some("https://app.example"));
    }

    #[test]
    fn what_is_not_an_origin_is_refused() {
        for text in [
            "",
            "null",
            "app.example",
            "//app.example",
            "https://",
            "https://:443",
            "https://app.example/",
            "https://app.example/path",
            "https://app.example?x",
            "https://app.example#x",
            "https://user@app.example",
            "https://*.example",
            "https://app.example:x",
            "https://app.example:+443",
            "https://app.example:65536",
            "https://app.example:443:443",
            "https://app.example https://app.example",
            "https://[::1",
            "https://::1",
            "https://[::1]x",
            "https://x[::1]",
            "https://[app.example]",
            "1https://app.example",
            "https://äpp.example",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn a_person_may_write_a_slash_at_the_end() {
        let read = |text: &str| text.parse::<WebOrigin>().is_ok();
        assert!(read("https://app.example/") && read("https://app.example"));
        assert!(!read("https://app.example//") && !read("https://app.example/x/"));
        let error = "app.example".parse::<WebOrigin>().unwrap_err().to_string();
        assert!(
            error.starts_with("\"app.example\" is not an origin"),
            "{error}"
        );
    }

    proptest! {
        /// A normalised origin is read as itself.
        #[test]
        fn the_text_of_an_origin_is_that_origin(
            scheme in "(https?|HTTPS?|Wss?|app)",
            host in "([A-Za-z0-9._-]{1,9}|\\[::[1-9a-f]\\])",
            port in proptest::option::of(any::<u16>()),
        ) {
            let port = port.map_or_else(String::new, |port| format!(":{port}"));
            let origin = WebOrigin::from_header(&format!("{scheme}://{host}{port}")).unwrap();
            prop_assert_eq!(WebOrigin::from_header(&origin.to_string()), Some(origin));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = text.parse::<WebOrigin>();
        }

        #[test]
        fn hosts_that_differ_are_other_origins(one in "[a-z.]{1,4}", other in "[a-z.]{1,4}") {
            let origin = |host: &str| WebOrigin::from_header(&format!("https://{host}")).unwrap();
            prop_assert_eq!(origin(&one) == origin(&other), one == other);
        }
    }
}
