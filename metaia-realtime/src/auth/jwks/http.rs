//! The keys at an address.

use std::{net::IpAddr, time::Duration};

use futures_util::future::BoxFuture;
use http::header::{ACCEPT, CACHE_CONTROL};
use reqwest::{
    Client, Response, StatusCode, Url,
    redirect::{Attempt, Policy},
};

use super::{
    document::KeyTable,
    loader::{JwksError, KeyLoader, LoadedKeys, MAX_BYTES},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const MAX_REDIRECTS: usize = 3;
const DOCUMENTS: &str = "application/jwk-set+json, application/json";

/// A key set at an address.
pub(super) struct KeyHost {
    url: Url,
    place: String,
    client: Client,
}

/// The hosts that may be asked without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WithoutTls {
    LoopbackOnly,
    AnyHost,
}

impl KeyHost {
    pub(super) fn new(url: &str, without_tls: WithoutTls) -> Result<Self, JwksError> {
        let url = parse(url, without_tls)?;
        // An error means that a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(Policy::custom(redirect));
        // A proxy leads to its own loopback addresses, not to those of this machine.
        let client = if is_loopback(&url) {
            client.no_proxy()
        } else {
            client
        };
        Ok(Self {
            place: place(&url),
            client: client.build().map_err(JwksError::Client)?,
            url,
        })
    }

    async fn fetch(&self) -> Result<LoadedKeys, JwksError> {
        let request = self.client.get(self.url.clone()).header(ACCEPT, DOCUMENTS);
        let response = request.send().await.map_err(unreachable)?;
        if response.status() != StatusCode::OK {
            return Err(JwksError::Status(response.status().as_u16()));
        }
        let max_age = max_age(&response);
        let body = read(response).await?;
        Ok(LoadedKeys {
            table: Some(KeyTable::parse(&body)?),
            max_age,
        })
    }
}

impl KeyLoader for KeyHost {
    fn load(&self) -> BoxFuture<'_, Result<LoadedKeys, JwksError>> {
        Box::pin(self.fetch())
    }

    fn place(&self) -> &str {
        &self.place
    }
}

fn parse(text: &str, without_tls: WithoutTls) -> Result<Url, JwksError> {
    let url: Url = text
        .parse()
        .map_err(|_| JwksError::Address("it is not a URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(JwksError::Address("it must not have a user or a password"));
    }
    let may_be_plain = without_tls == WithoutTls::AnyHost || is_loopback(&url);
    match url.scheme() {
        "https" => Ok(url),
        "http" if may_be_plain => Ok(url),
        "http" => Err(JwksError::Address(
            "it must begin with https: who can change the answer on its way can sign any token",
        )),
        _ => Err(JwksError::Address("it must begin with https")),
    }
}

/// Returns whether an address is of this machine.
fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let address: Result<IpAddr, _> = address.parse();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Returns the address without its query, which may have a key of the host.
fn place(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    shown.to_string()
}

/// Follows a redirect to the same host. The answer of another one counts as a failure: the keys
/// must come from the host that was configured.
fn redirect(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let from = attempt.previous().last();
    let is_same_host = from.is_some_and(|from| from.origin() == attempt.url().origin());
    if is_same_host && attempt.previous().len() <= MAX_REDIRECTS {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, JwksError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > MAX_BYTES {
            return Err(JwksError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Leaves the address out of an error: its query may have a key of the host.
fn unreachable(error: reqwest::Error) -> JwksError {
    JwksError::Unreachable(error.without_url())
}

/// Returns `max-age` of `Cache-Control` (RFC 9111, section 5.2.2.1).
fn max_age(response: &Response) -> Option<Duration> {
    let value = response.headers().get(CACHE_CONTROL)?.to_str().ok()?;
    let mut directives = value.split(',').map(str::trim);
    let seconds = directives.find_map(|one| one.strip_prefix("max-age="))?;
    seconds
        .trim_matches('"')
        .parse()
        .ok()
        .map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, is_accepted: bool) {
        let accepted = parse(url, WithoutTls::LoopbackOnly);
        assert_eq!(accepted.is_ok(), is_accepted, "{url}");
    }

    #[test]
    fn an_address_is_https_or_on_this_machine() {
        check("https://idp.example/keys?app=1", true);
        check("http://127.0.0.1:8080/keys", true);
        check("http://[::1]/keys", true);
        check("http://localhost/keys", true);
        check("http://idp.example/keys", false);
        check("http://127.0.0.1.evil.example/keys", false);
        check("http://localhost.evil.example/keys", false);
        check("http://169.254.169.254/keys", false);
        check("ftp://idp.example/keys", false);
        check("file:///etc/keys", false);
        check("https://user:secret@idp.example/keys", false);
        check("idp.example/keys", false);
        check("", false);
        assert!(parse("http://idp.example/keys", WithoutTls::AnyHost).is_ok());
    }

    #[test]
    fn a_host_says_how_long_its_answer_is_good() {
        for (header, expected) in [
            ("max-age=60", Some(60)),
            ("public, max-age=\"7\", must-revalidate", Some(7)),
            ("no-cache", None),
            ("s-maxage=60", None),
            ("max-age=-1", None),
            ("max-age=99999999999999999999999", None),
        ] {
            let answer = http::Response::builder().header(CACHE_CONTROL, header);
            let answer = Response::from(answer.body("").unwrap());
            let expected = expected.map(Duration::from_secs);
            assert_eq!(max_age(&answer), expected, "{header}");
        }
    }

    #[test]
    fn a_place_has_no_query() {
        let host = KeyHost::new(
            "https://idp.example/keys?key=hush",
            WithoutTls::LoopbackOnly,
        );
        assert_eq!(host.unwrap().place(), "https://idp.example/keys");
    }
}
