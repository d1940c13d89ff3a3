//! The address of the server, and where it comes from.

use std::fmt;

use url::{ParseError, Url};

use crate::contexts::{ContextName, ValuePlace};
use crate::exit::Failure;
use crate::secrets::Settings;

const DEFAULT_URL: &str = "http://localhost:5000";
const SEND_CREDENTIALS: &str = "\
for a proxy: --header 'Authorization: Basic …', with --auth payload for sockets, and with \
METAIA_API_KEY for emit";
/// The text in place of what may be a secret.
const MASK: &str = "***";
const VARIABLE: &str = "METAIA_URL";

/// The place that an address was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum AddressSource {
    Flag,
    /// `--url`, beside the credentials of a context that `--context` names.
    FlagWithContext(ContextName),
    Context(ContextName),
    Environment,
    DotEnv,
    Default,
}

/// The address of the server as it was given.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    written: String,
    source: AddressSource,
}

impl Address {
    /// Returns the address of `--url`; otherwise that of the environment, of the context in use, or
    /// of `.env`, in the order of [`places`](crate::contexts::places); otherwise the default.
    pub(crate) fn find(flag: Option<String>, settings: &Settings) -> Self {
        let context = settings.context();
        if let Some(written) = flag {
            let source = match context {
                Some(context) => AddressSource::FlagWithContext(context.name.clone()),
                None => AddressSource::Flag,
            };
            return Self { written, source };
        }
        if let Some((written, place)) = settings.find_with_place(VARIABLE) {
            let source = match place {
                ValuePlace::Environment => AddressSource::Environment,
                _ => AddressSource::DotEnv,
            };
            return Self { written, source };
        }
        match context {
            Some(context) => Self {
                written: context.url.clone(),
                source: AddressSource::Context(context.name.clone()),
            },
            None => Self {
                written: DEFAULT_URL.to_owned(),
                source: AddressSource::Default,
            },
        }
    }

    /// Returns the address as it was written, without what may be a secret: a user, a password, a
    /// query and a fragment, also of what is no valid address.
    pub(crate) fn shown(&self) -> String {
        let written = &self.written;
        let end = written.find(['?', '#']).unwrap_or(written.len());
        let (address, rest) = written.split_at(end);
        let start = address.find("://").map_or(0, |at| at + "://".len());
        let (scheme, host) = address.split_at(start);
        let host = match host.rsplit_once('@') {
            Some((_, host)) => format!("{MASK}@{host}"),
            None => host.to_owned(),
        };
        let rest = rest.chars().next();
        let rest = rest.map(|mark| format!("{mark}{MASK}"));
        format!("{scheme}{host}{}", rest.unwrap_or_default())
    }

    /// Returns the place that it is from.
    pub(crate) fn place(&self) -> String {
        match &self.source {
            AddressSource::Flag => "from --url".to_owned(),
            AddressSource::FlagWithContext(name) => {
                format!("from --url, with the context {name}")
            }
            AddressSource::Context(name) => format!("from the context {name}"),
            AddressSource::Environment => "from METAIA_URL".to_owned(),
            AddressSource::DotEnv => "from METAIA_URL in .env".to_owned(),
            AddressSource::Default => {
                "the default, as neither --url nor METAIA_URL is set".to_owned()
            }
        }
    }

    /// Returns the URL with the scheme http or https, without the path of Socket.IO, and without a
    /// slash at the end.
    pub(crate) fn base(&self) -> Result<String, Failure> {
        let written = &self.written;
        let usage = |reason: &str| Failure::usage(format!("this is not a server's URL: {reason}"));
        let mut url = Url::parse(written).map_err(|error| {
            let failure = usage("write it as http://localhost:5000").at(self);
            match error {
                // It says nothing about an address without its scheme.
                ParseError::RelativeUrlWithoutBase => failure,
                other => failure.caused_by(other),
            }
        })?;
        let scheme = match url.scheme() {
            "http" | "ws" => "http",
            "https" | "wss" => "https",
            _ => return Err(usage("begin it with http:// or https://").at(self)),
        };
        if !url.username().is_empty() || url.password().is_some() {
            let failure = Failure::usage("a user and a password in the address are not sent");
            return Err(failure.hint(SEND_CREDENTIALS).at(self));
        }
        let path = url.path().trim_end_matches('/');
        let path = path.strip_suffix("/socket.io").unwrap_or(path);
        let path = path.trim_end_matches('/').to_owned();
        url.set_path(&path);
        url.set_query(None);
        url.set_fragment(None);
        // A URL of these schemes always has a host after the colon.
        let rest = url.as_str().split_once(':').map(|(_, rest)| rest);
        let rest = rest.unwrap_or_default();
        Ok(format!("{scheme}:{}", rest.trim_end_matches('/')))
    }
}

/// Shows the address without what may be a secret, and its source.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.shown(), self.place())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    fn given(url: &str) -> Address {
        Address::find(Some(url.to_owned()), &Settings::default())
    }

    #[track_caller]
    fn check(url: &str, base: &str) {
        assert_eq!(given(url).base().unwrap(), base);
    }

    #[test]
    fn one_address_serves_sockets_and_rest() {
        check("http://localhost:5000", "http://localhost:5000");
        check("wss://a.example/shop/", "https://a.example/shop");
        check("http://a.example/socket.io/", "http://a.example");
        check("http://a.example/socket.io", "http://a.example");
        check(
            "https://a.example/shop/socket.io/?EIO=4#x",
            "https://a.example/shop",
        );
        check("http://[::1]:9/", "http://[::1]:9");
    }

    #[test]
    fn what_is_not_an_address_is_a_usage_error_that_shows_it() {
        for url in ["localhost:5000", "ftp://a", "", "a.example", "http://"] {
            let failure = given(url).base().unwrap_err();
            assert_eq!(failure.exit, Exit::Usage, "{url:?}");
            assert!(
                failure.chain().contains("(from --url)"),
                "{}",
                failure.chain()
            );
        }
    }

    #[test]
    fn credentials_in_an_address_are_refused_and_not_shown() {
        for url in ["http://u:p4ss@h", "http://u@h/", "https://:p4ss@h"] {
            let failure = given(url).base().unwrap_err();
            assert_eq!(failure.exit, Exit::Usage, "{url}");
            assert!(!failure.chain().contains("p4ss"), "{}", failure.chain());
            assert!(failure.hint.unwrap().contains("--auth payload"), "{url}");
        }
    }

    #[test]
    fn an_address_says_where_it_comes_from_and_hides_passwords() {
        assert_eq!(given("http://h:1").to_string(), "http://h:1 (from --url)");
        let shown = given("http://me:secret@h/").to_string();
        assert!(!shown.contains("secret"), "{shown}");
        for url in [
            "http://h/?token=secret",
            "http://h/#secret",
            "http://secret@h",
            "http://u:sec/secret@h",
            "u:secret@h?secret",
        ] {
            let shown = given(url).to_string();
            assert!(!shown.contains("secret") && shown.contains("h"), "{shown}");
        }
        assert_eq!(
            given("http://u:p@h:1/x?a=b").shown(),
            "http://***@h:1/x?***"
        );
        let default = Address::find(None, &Settings::default()).to_string();
        assert!(
            default.starts_with("http://localhost:5000 (the default"),
            "{default}"
        );
    }
}
