//! The origin under which a client addresses the server.

use http::{HeaderMap, HeaderName, Uri, header::HOST};

use super::WebOrigin;

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Returns the origin under which the client of a request addressed the server. `None`: the request
/// does not say.
///
/// The host is that of the request, and the scheme `http`, since the server itself speaks no TLS.
/// The headers of a proxy take precedence if the request `is_from_trusted_proxy`. HTTP/2 has both
/// in the address.
pub(crate) fn own_origin(
    uri: &Uri,
    headers: &HeaderMap,
    is_from_trusted_proxy: bool,
) -> Option<WebOrigin> {
    let forwarded = |name| last_value(headers, &name).filter(|_| is_from_trusted_proxy);
    let scheme = forwarded(FORWARDED_PROTO).or_else(|| uri.scheme_str());
    let authority = forwarded(FORWARDED_HOST)
        .or_else(|| uri.authority().map(http::uri::Authority::as_str))
        .or_else(|| only_value(headers, &HOST))?;
    WebOrigin::new(scheme.unwrap_or("http"), authority)
}

/// Returns the last of several values: the nearest proxy, which is the trusted one, added it.
fn last_value<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let values = headers.get_all(name).iter().next_back()?;
    let last = values.to_str().ok()?.rsplit(',').next()?.trim();
    Some(last).filter(|value| !value.is_empty())
}

fn only_value<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn own(uri: &str, pairs: &[(&'static str, &str)], is_trusted: bool) -> Option<String> {
        let origin = own_origin(&uri.parse().unwrap(), &headers(pairs), is_trusted);
        origin.map(|origin| origin.to_string())
    }

    #[track_caller]
    fn check(pairs: &[(&'static str, &str)], untrusted: Option<&str>, trusted: Option<&str>) {
        assert_eq!(
            own("/socket.io/", pairs, false).as_deref(),
            untrusted,
            "{pairs:?}"
        );
        assert_eq!(
            own("/socket.io/", pairs, true).as_deref(),
            trusted,
            "{pairs:?}"
        );
    }

    #[test]
    fn it_is_the_host_over_http_unless_a_trusted_proxy_says_otherwise() {
        let host = ("host", "Api.Example:80");
        let inner = ("host", "node-1:5000");
        let proto = ("x-forwarded-proto", "https");
        let outer = ("x-forwarded-host", "api.example:443");
        let plain = Some("http://api.example");
        check(&[host], plain, plain);
        check(&[host, proto], plain, Some("https://api.example:80"));
        let node = Some("http://node-1:5000");
        check(&[inner, outer], node, Some("http://api.example:443"));
        check(&[inner, outer, proto], node, Some("https://api.example"));
        check(
            &[inner, ("x-forwarded-proto", "wss")],
            node,
            Some("https://node-1:5000"),
        );
        check(&[inner, ("x-forwarded-proto", " ")], node, node);
    }

    #[test]
    fn of_several_values_the_nearest_proxys_counts() {
        let inner = ("host", "node-1:5000");
        let node = Some("http://node-1:5000");
        let values = ("x-forwarded-host", "evil.example, api.example");
        check(&[inner, values], node, Some("http://api.example"));
        let first = ("x-forwarded-host", "evil.example");
        let second = ("x-forwarded-host", "api.example");
        check(&[inner, first, second], node, Some("http://api.example"));
    }

    #[test]
    fn a_request_that_names_no_host_or_two_has_none() {
        check(&[], None, None);
        check(&[("host", "a.example"), ("host", "b.example")], None, None);
        check(&[("host", "")], None, None);
        check(&[("host", "user@a.example")], None, None);
        check(
            &[("host", "a.example"), ("x-forwarded-host", "a b")],
            Some("http://a.example"),
            None,
        );
    }

    #[test]
    fn the_address_of_a_request_over_http_2_has_both() {
        let address = "https://api.example/socket.io/";
        assert_eq!(
            own(address, &[], false).as_deref(),
            Some("https://api.example")
        );
    }

    proptest! {
        /// Whatever a peer that is not trusted adds, the origin stays that of the host.
        #[test]
        fn a_stranger_changes_nothing(proto in "[a-z, ]{0,9}", host in "[a-z.:, ]{0,9}") {
            let pairs = [("x-forwarded-proto", &*proto), ("x-forwarded-host", &*host)];
            let pairs: Vec<_> = pairs.into_iter().chain([("host", "api.example")]).collect();
            prop_assert_eq!(own("/", &pairs, false), own("/", &[("host", "api.example")], false));
        }
    }
}
