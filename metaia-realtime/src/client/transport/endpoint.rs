//! The address of the server, and the headers of every request to it.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{AUTHORIZATION, RETRY_AFTER},
};
use reqwest::redirect::Policy;
use rustls::ClientConfig;
use url::Url;

use super::tls;
use crate::client::{error::ConnectError, http_answer::HttpAnswer};

/// The most characters of an HTTP error's body that an error shows.
const MAX_DETAIL_CHARS: usize = 300;

/// A validated address with its headers. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    /// Always `http` or `https`, with the path of the Socket.IO endpoint.
    base: Url,
    pub(crate) headers: HeaderMap,
    /// The largest packet that the client takes, in bytes.
    pub(crate) max_message: usize,
    /// The application's own configuration of TLS.
    tls: Option<Arc<ClientConfig>>,
    /// Created at the first poll: WebSocket clients never need it.
    http: Arc<OnceLock<reqwest::Client>>,
}

impl Endpoint {
    pub(crate) fn new(
        url: &str,
        path: &str,
        headers: &[(String, String)],
        max_message: usize,
    ) -> Result<Self, ConnectError> {
        let base = base_url(url, path)?;
        let headers = headers
            .iter()
            .map(parse_header)
            .collect::<Result<HeaderMap, _>>()?;
        Ok(Self {
            base,
            headers,
            max_message,
            tls: None,
            http: Arc::default(),
        })
    }

    /// Returns the same address with a configuration of TLS of the application's own.
    pub(crate) fn with_tls(self, tls: Option<Arc<ClientConfig>>) -> Self {
        Self { tls, ..self }
    }

    /// Returns the configuration of TLS. For an address without TLS it trusts no certificate, and
    /// costs nothing.
    pub(crate) fn tls(&self) -> Result<ClientConfig, ConnectError> {
        match &self.tls {
            Some(own) => Ok(ClientConfig::clone(own)),
            None => tls::config(self.is_tls()),
        }
    }

    /// Returns the same address with the token in the `Authorization` header.
    pub(crate) fn authorized(&self, token: &str) -> Result<Self, ConnectError> {
        let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| {
            ConnectError::Invalid(
                "the token has characters that are not allowed in a header".to_owned(),
            )
        })?;
        value.set_sensitive(true);
        let mut endpoint = self.clone();
        endpoint.headers.insert(AUTHORIZATION, value);
        Ok(endpoint)
    }

    /// Returns the URL of one request. `transport` is `polling` or `websocket`.
    pub(crate) fn url(&self, transport: &str, sid: Option<&str>) -> Url {
        let mut url = self.base.clone();
        url.query_pairs_mut()
            .append_pair("EIO", "4")
            .append_pair("transport", transport);
        if let Some(sid) = sid {
            url.query_pairs_mut().append_pair("sid", sid);
        }
        url
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.base.scheme() == "https"
    }

    /// Returns host and port for the TCP connection.
    pub(crate) fn address(&self) -> (String, u16) {
        let host = self
            .base
            .host_str()
            .unwrap_or_default()
            .trim_matches(['[', ']'])
            .to_owned();
        (host, self.base.port_or_known_default().unwrap_or(80))
    }

    pub(crate) fn http(&self) -> Result<reqwest::Client, ConnectError> {
        if let Some(client) = self.http.get() {
            return Ok(client.clone());
        }
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(self.tls()?)
            .no_proxy()
            .redirect(Policy::none())
            .build()
            .map_err(|error| ConnectError::Unreachable(Box::new(error)))?;
        Ok(self.http.get_or_init(|| client).clone())
    }
}

fn base_url(url: &str, path: &str) -> Result<Url, ConnectError> {
    let invalid = |reason: &str| {
        ConnectError::Invalid(format!("{url:?} is not the URL of a server: {reason}"))
    };
    let mut base = Url::parse(url).map_err(|error| invalid(&error.to_string()))?;
    let scheme = match base.scheme() {
        "http" | "ws" => "http",
        "https" | "wss" => "https",
        _ => {
            return Err(invalid(
                "it must begin with http://, https://, ws:// or wss://",
            ));
        }
    };
    base.set_scheme(scheme)
        .map_err(|()| invalid("its scheme cannot be changed"))?;
    let path = format!(
        "{}/{}",
        base.path().trim_end_matches('/'),
        path.trim_start_matches('/')
    );
    base.set_path(&path);
    base.set_query(None);
    base.set_fragment(None);
    Ok(base)
}

fn parse_header(
    (name, value): &(String, String),
) -> Result<(HeaderName, HeaderValue), ConnectError> {
    let invalid =
        || ConnectError::Invalid(format!("{name:?} and its value are not an HTTP header"));
    let header = HeaderName::try_from(name).map_err(|_| invalid())?;
    Ok((header, HeaderValue::try_from(value).map_err(|_| invalid())?))
}

/// Returns the error for a handshake that was answered with an unexpected status.
pub(crate) fn http_error(
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
    is_complete: bool,
) -> ConnectError {
    // The other form of `Retry-After`, a date, is ignored.
    let retry_after = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let detail: String = String::from_utf8_lossy(body)
        .trim()
        .chars()
        .take(MAX_DETAIL_CHARS)
        .collect();
    ConnectError::Http {
        status,
        detail,
        retry_after: retry_after.map(Duration::from_secs),
        answer: Box::new(HttpAnswer::new(headers, body, is_complete)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: &str) {
        let endpoint = Endpoint::new(url, "/socket.io/", &[], 1).unwrap();
        assert_eq!(endpoint.url("websocket", None).as_str(), expected);
    }

    #[test]
    fn every_usual_way_to_write_a_url_is_accepted() {
        check(
            "http://localhost:5000",
            "http://localhost:5000/socket.io/?EIO=4&transport=websocket",
        );
        check(
            "ws://localhost:5000/",
            "http://localhost:5000/socket.io/?EIO=4&transport=websocket",
        );
        check(
            "wss://a.example/shop",
            "https://a.example/shop/socket.io/?EIO=4&transport=websocket",
        );
        check(
            "http://[::1]:1?x=1#y",
            "http://[::1]:1/socket.io/?EIO=4&transport=websocket",
        );
    }

    #[test]
    fn an_address_has_the_form_that_the_resolver_accepts() {
        let address = |url| Endpoint::new(url, "/", &[], 1).unwrap().address();
        assert_eq!(address("http://[::1]:9"), ("::1".to_owned(), 9));
        assert_eq!(address("https://a.example"), ("a.example".to_owned(), 443));
    }

    #[test]
    fn an_invalid_url_or_header_is_refused() {
        for url in ["localhost:5000", "ftp://a", "", "/"] {
            assert!(
                matches!(
                    Endpoint::new(url, "/", &[], 1),
                    Err(ConnectError::Invalid(_))
                ),
                "{url:?}"
            );
        }
        let header = [("a b".to_owned(), "c".to_owned())];
        assert!(Endpoint::new("http://a", "/", &header, 1).is_err());
    }

    #[test]
    fn a_token_does_not_show_in_debug() {
        let endpoint = Endpoint::new("http://a", "/", &[], 1)
            .unwrap()
            .authorized("secret")
            .unwrap();
        assert!(!format!("{endpoint:?}").contains("secret"));
    }

    #[test]
    fn a_retry_after_in_seconds_is_read() {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("7"))]);
        let error = http_error(503, &headers, b" draining ", true);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        assert_eq!(error.to_string(), "the server answered HTTP 503: draining");
    }
}
