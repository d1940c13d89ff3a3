//! The token of a header `Authorization: Bearer` (RFC 6750, section 2.1).

use http::{HeaderMap, header::AUTHORIZATION};

/// Returns the token of the header `Authorization: Bearer`, as this library reads it in a
/// handshake: for the routes of a REST interface, so that both take the same token from a request.
///
/// The name of the scheme is read in any case (RFC 9110, section 11.1), and spaces around the token
/// are left out. There is no token if the header is missing or is not visible ASCII, if it has
/// another scheme, or if nothing follows the scheme. Nor is there one if a request has several
/// headers, since a proxy may have judged another one of them: better refuse the request, as
/// handshakes with several are (400).
///
/// ```
/// use http::{HeaderMap, header::AUTHORIZATION};
/// use metaia_realtime::auth::bearer_token;
///
/// let mut headers = HeaderMap::new();
/// assert_eq!(bearer_token(&headers), None);
/// headers.insert(AUTHORIZATION, "bearer eyJh.eyJz.c2ln".parse()?);
/// assert_eq!(bearer_token(&headers), Some("eyJh.eyJz.c2ln"));
/// headers.append(AUTHORIZATION, "Bearer another".parse()?);
/// assert_eq!(bearer_token(&headers), None);
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
#[must_use]
pub fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (all.next(), all.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    let is_token = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty();
    is_token.then_some(token)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[track_caller]
    fn check(values: &[&[u8]], expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        assert_eq!(bearer_token(&headers), expected);
    }

    #[test]
    fn the_scheme_is_read_in_any_case_and_spaces_are_left_out() {
        for value in [
            "Bearer t",
            "bearer t",
            "BEARER t",
            "Bearer   t  ",
            "Bearer \tt",
        ] {
            check(&[value.as_bytes()], Some("t"));
        }
        check(&[b"Bearer a b"], Some("a b"));
    }

    #[test]
    fn other_headers_have_no_token() {
        for value in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer    ",
            "Bearert",
            "Bearer\tt",
            "Basic t",
            "t",
            "Bearer:t",
        ] {
            check(&[value.as_bytes()], None);
        }
        check(&[b"Bearer \xfft"], None);
        check(&[], None);
    }

    #[test]
    fn of_several_headers_none_is_read() {
        check(&[b"Bearer t", b"Bearer t"], None);
        check(&[b"Basic t", b"Bearer t"], None);
        check(&[b"", b"Bearer t"], None);
    }
}
