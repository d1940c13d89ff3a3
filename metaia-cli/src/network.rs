//! The options that shape requests and connections: headers, the token's place, certificates.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use metaia_realtime::client::TokenIn;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, ORIGIN, USER_AGENT};
use reqwest::redirect::Policy;
use rustls::ClientConfig;

use crate::contexts::{ContextName, ServerContext};
use crate::exit::{Exit, Failure};
use crate::tls;

/// The name in the server's logs and in the list of its refusals, without `--header`.
const OWN_USER_AGENT: &str = concat!("metaia/", env!("CARGO_PKG_VERSION"));

/// Options of every command that uses the network.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection options")]
pub(crate) struct NetworkArgs {
    /// Send this Origin, as a browser does
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) origin: Option<String>,
    /// Send this header with every request; may be repeated
    #[arg(long = "header", global = true, value_name = "NAME: VALUE", value_parser = header)]
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// Send the token of sockets as phones do, as browsers do, or both ways [default: both]
    #[arg(long, global = true, value_enum)]
    auth: Option<TokenPlace>,
    /// Trust only the certificates in this file (PEM), and what they sign
    #[arg(long, global = true, value_name = "PATH", conflicts_with = "insecure")]
    pub(crate) cacert: Option<PathBuf>,
    /// Do not verify the server's certificate
    #[arg(long, global = true)]
    pub(crate) insecure: bool,
    /// The context that `cacert` is from; `None` for the option.
    #[arg(skip)]
    cacert_of: Option<ContextName>,
}

/// The place of the token in a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TokenPlace {
    /// In the Authorization header
    Header,
    /// In the payload of the CONNECT, auth.token
    Payload,
    Both,
}

impl NetworkArgs {
    /// Returns the names of the options that are set and have no meaning without a network.
    pub(crate) fn network_flags(&self) -> Vec<&'static str> {
        let flags = [
            (!self.headers.is_empty(), "--header"),
            (self.cacert.is_some(), "--cacert"),
            (self.insecure, "--insecure"),
        ];
        names(&flags)
    }

    /// Returns the names of the options that are set and have a meaning for sockets alone.
    pub(crate) fn socket_flags(&self) -> Vec<&'static str> {
        let flags = [
            (self.auth.is_some(), "--auth"),
            (self.origin.is_some(), "--origin"),
        ];
        names(&flags)
    }
}

impl NetworkArgs {
    /// Returns whether the place of the token is given.
    pub(crate) fn has_auth(&self) -> bool {
        self.auth.is_some()
    }

    /// Adds what the context in use says, for options that are not given.
    pub(crate) fn with_context(mut self, context: &ServerContext) -> Result<Self, Failure> {
        if self.origin.is_none() {
            self.origin = context.origin.clone();
        }
        if self.cacert.is_none() && !self.insecure {
            self.cacert = context.cacert.clone();
            self.cacert_of = Some(context.name.clone());
            self.insecure = context.insecure;
        }
        for (name, value) in &context.headers {
            let is_given = self.headers.iter().any(|(given, _)| given == name);
            if !is_given {
                self.headers.push((name.clone(), value.read()?));
            }
        }
        Ok(self)
    }

    /// Leaves out the origin, which the server does not check by REST.
    pub(crate) fn without_origin(self) -> Self {
        Self {
            origin: None,
            ..self
        }
    }
}

/// Returns the names of the options that are set.
fn names(flags: &[(bool, &'static str)]) -> Vec<&'static str> {
    let set = flags.iter().filter(|(is_set, _)| *is_set);
    set.map(|(_, flag)| *flag).collect()
}

/// Returns a configuration that trusts the certificates of a file, which a context or the option
/// names.
fn trusting_only(path: &Path, context: Option<&ContextName>) -> Result<ClientConfig, Failure> {
    let Some(context) = context else {
        return tls::trusting_only(path, "--cacert");
    };
    let configured = tls::trusting_only(path, &format!("cacert of the context {context}"));
    configured.map_err(|failure| {
        let hint = "correct cacert in contexts.toml, or name a file with a certificate as PEM by \
                    --cacert";
        failure.hint(hint).of_server()
    })
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    const EXPECTED: &str = "expected NAME: VALUE, such as 'X-Trace: 7'";
    let (name, value) = text.split_once(':').ok_or(EXPECTED)?;
    let name = HeaderName::try_from(name.trim()).map_err(|_| EXPECTED)?;
    let value = HeaderValue::try_from(value.trim()).map_err(|_| EXPECTED)?;
    Ok((name, value))
}

/// The options, checked.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    pub(crate) origin: Option<String>,
    pub(crate) token_in: TokenIn,
    pub(crate) has_own_certificates: bool,
    headers: HeaderMap,
    /// `None` for the certificates that the system trusts.
    tls: Option<Arc<ClientConfig>>,
}

impl Network {
    pub(crate) fn new(args: NetworkArgs) -> Result<Self, Failure> {
        let mut headers: HeaderMap = args.headers.into_iter().collect();
        headers
            .entry(USER_AGENT)
            .or_insert(HeaderValue::from_static(OWN_USER_AGENT));
        if let Some(origin) = &args.origin {
            if origin.is_empty() {
                return Err(Failure::usage("--origin is empty"));
            }
            let value = HeaderValue::try_from(origin).map_err(|_| {
                Failure::usage("--origin contains a character that an HTTP header must not contain")
            })?;
            headers.insert(ORIGIN, value);
        }
        let tls = match &args.cacert {
            Some(path) => Some(trusting_only(path, args.cacert_of.as_ref())?),
            None if args.insecure => Some(tls::trusting_all()?),
            None => None,
        };
        Ok(Self {
            origin: args.origin,
            token_in: match args.auth {
                Some(TokenPlace::Header) => TokenIn::Header,
                Some(TokenPlace::Payload) => TokenIn::Payload,
                Some(TokenPlace::Both) | None => TokenIn::Both,
            },
            has_own_certificates: args.cacert.is_some(),
            headers,
            tls: tls.map(Arc::new),
        })
    }

    /// Returns the same options without `--origin`.
    pub(crate) fn without_origin(&self) -> Self {
        let mut other = self.clone();
        if other.origin.take().is_some() {
            other.headers.remove(ORIGIN);
        }
        other
    }

    /// Returns whether `--header` occupies the header in which a token would be sent.
    pub(crate) fn has_authorization(&self) -> bool {
        self.headers.contains_key(AUTHORIZATION)
    }

    /// Returns the names of the headers of every request, in small letters.
    pub(crate) fn header_names(&self) -> impl Iterator<Item = &str> {
        self.headers.keys().map(HeaderName::as_str)
    }

    /// Returns the headers of every request, as texts. Those of `--header` are texts: they came by
    /// the command line.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let headers = self.headers.iter();
        headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
    }

    /// Refuses an `Authorization` of `--header` beside a token of a socket in the same header.
    pub(crate) fn check_socket_headers(&self) -> Result<(), Failure> {
        if self.token_in == TokenIn::Payload {
            return Ok(());
        }
        self.leave_authorization_to_token("--auth payload leaves this header to the proxy")
    }

    /// Refuses an `Authorization` of `--header` beside a token of a REST request.
    pub(crate) fn check_rest_headers(&self) -> Result<(), Failure> {
        self.leave_authorization_to_token(
            "emit with METAIA_API_KEY, and without a token, leaves this header to the proxy",
        )
    }

    fn leave_authorization_to_token(&self, hint: &str) -> Result<(), Failure> {
        if !self.headers.contains_key(AUTHORIZATION) {
            return Ok(());
        }
        let message = "--header Authorization: the token is sent in this header";
        Err(Failure::usage(message).hint(hint))
    }

    /// Returns the configuration of TLS, if it is not the system's.
    pub(crate) fn tls(&self) -> Option<Arc<ClientConfig>> {
        self.tls.clone()
    }

    /// Returns an HTTP client that follows no redirect and uses no proxy.
    pub(crate) fn http(&self, timeout: Duration) -> Result<reqwest::Client, Failure> {
        http(timeout, self.tls.clone(), self.headers.clone())
    }
}

/// Returns an HTTP client that finds out what a port speaks. It sends no headers, since they may be
/// secret: it checks no certificate, and it may ask by plain HTTP.
pub(crate) fn bare_http(timeout: Duration) -> Result<reqwest::Client, Failure> {
    http(
        timeout,
        Some(Arc::new(tls::trusting_all()?)),
        HeaderMap::new(),
    )
}

fn http(
    timeout: Duration,
    tls: Option<Arc<ClientConfig>>,
    headers: HeaderMap,
) -> Result<reqwest::Client, Failure> {
    tls::install_provider();
    let mut builder = reqwest::Client::builder()
        .timeout(timeout)
        .no_proxy()
        .tls_info(true)
        .redirect(Policy::none())
        .default_headers(headers);
    if let Some(tls) = tls {
        builder = builder.tls_backend_preconfigured(ClientConfig::clone(&tls));
    }
    builder.build().map_err(|error| {
        Failure::new(Exit::Failed, "the HTTP client cannot be created").caused_by(error)
    })
}

#[cfg(test)]
impl Network {
    /// Returns a network without options.
    pub(crate) fn plain() -> Self {
        Self {
            origin: None,
            token_in: TokenIn::Both,
            has_own_certificates: false,
            headers: HeaderMap::new(),
            tls: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_name_and_a_value() {
        let (name, value) = header("X-Trace:  a: b ").unwrap();
        assert_eq!(
            (name.as_str(), value.to_str().unwrap()),
            ("x-trace", "a: b")
        );
        for text in ["", "X-Trace", ": v", "a b: c", "a: b\u{1b}c"] {
            assert!(header(text).is_err(), "{text:?}");
        }
    }
}
