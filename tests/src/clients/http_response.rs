//! HTTP/1.1 responses without a library, for a client that also wants the bytes that follow them.

/// A response whose body has a known length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// The body, which is empty if the response states no length.
    pub body: String,
    /// The number of bytes of the head and the body. What follows is no part of the response.
    pub length: usize,
}

impl HttpResponse {
    /// Parses the response at the beginning of `bytes`. Returns nothing if it is not whole yet.
    ///
    /// # Panics
    /// Panics if the response is not HTTP/1.1, or if its body is chunked.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let head = String::from_utf8_lossy(&bytes[..end]);
        let status = head
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3)?.parse().ok());
        assert!(header(&head, "transfer-encoding").is_none(), "{head}");
        let size = header(&head, "content-length").map_or(Some(0), |size| size.parse().ok());
        let length = end + size.unwrap_or_else(|| panic!("a length: {head}"));
        let body = bytes.get(end..length)?;
        Some(Self {
            status: status.unwrap_or_else(|| panic!("a status: {head}")),
            body: String::from_utf8_lossy(body).into_owned(),
            length,
        })
    }
}

/// Returns the value of a header.
fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let headers = head.lines().filter_map(|line| line.split_once(':'));
    let mut named = headers.filter(|(known, _)| known.eq_ignore_ascii_case(name));
    named.next().map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";

    #[track_caller]
    fn check(text: &str, status: u16, body: &str, length: usize) {
        let expected = HttpResponse {
            status,
            body: body.to_owned(),
            length,
        };
        assert_eq!(HttpResponse::parse(text.as_bytes()), Some(expected));
    }

    #[test]
    fn a_body_ends_at_its_length() {
        check(OK, 200, "ok", OK.len());
        check(&format!("{OK}HTTP/1.1 200 OK"), 200, "ok", OK.len());
        check(
            &OK.to_lowercase().replace("http", "HTTP"),
            200,
            "ok",
            OK.len(),
        );
    }

    #[test]
    fn frames_may_follow_a_switch_of_protocols() {
        let head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
        check(&format!("{head}\u{1}frame"), 101, "", head.len());
    }

    #[test]
    fn a_response_that_is_not_whole_is_waited_for() {
        for length in 0..OK.len() {
            assert_eq!(HttpResponse::parse(&OK.as_bytes()[..length]), None);
        }
    }

    #[test]
    #[should_panic(expected = "transfer-encoding")]
    fn a_chunked_body_panics() {
        let text = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
        let _ = HttpResponse::parse(text.as_bytes());
    }
}
