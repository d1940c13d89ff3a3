//! The HTTP answer of a server, or of a proxy, that refused a handshake.

use http::HeaderMap;

/// The whole answer to a handshake that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpAnswer {
    /// The headers that are text, in the server's order, with their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as text, at most 64 KiB of it.
    pub body: String,
    /// False if the body is longer, or if its end did not arrive.
    pub is_complete: bool,
}

/// The most bytes of a body that an answer keeps.
pub(crate) const MAX_BODY_BYTES: usize = 64 * 1024;

impl HttpAnswer {
    pub(crate) fn new(headers: &HeaderMap, body: &[u8], is_complete: bool) -> Self {
        let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            let value = value.to_str().ok()?;
            Some((name.as_str().to_owned(), value.to_owned()))
        };
        let kept = &body[..body.len().min(MAX_BODY_BYTES)];
        Self {
            headers: headers.iter().filter_map(text).collect(),
            body: String::from_utf8_lossy(kept).into_owned(),
            is_complete: is_complete && kept.len() == body.len(),
        }
    }

    /// Returns the first header of this name. The name is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::{LOCATION, SERVER};

    use super::*;

    #[test]
    fn an_answer_keeps_the_headers_that_are_text() {
        let binary = HeaderValue::from_bytes(b"\xff").unwrap();
        let location = HeaderValue::from_static("https://a.example/");
        let headers = HeaderMap::from_iter([(LOCATION, location), (SERVER, binary)]);
        let answer = HttpAnswer::new(&headers, b"gone", true);
        assert_eq!(answer.header("location"), Some("https://a.example/"));
        assert_eq!(answer.header("server"), None);
        assert_eq!((answer.body.as_str(), answer.is_complete), ("gone", true));
    }

    #[test]
    fn a_body_beyond_the_limit_is_cut() {
        let answer = HttpAnswer::new(&HeaderMap::new(), &[b'x'; MAX_BODY_BYTES + 1], true);
        assert_eq!(answer.body.len(), MAX_BODY_BYTES);
        assert!(!answer.is_complete);
    }
}
