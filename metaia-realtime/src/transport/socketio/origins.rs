//! The origins that may send requests.

use http::{HeaderValue, Request, header::ORIGIN};

use super::request::peer_of;
use crate::transport::{Origins, Settings, WebOrigin, is_listed, own_origin};

/// Returns whether every origin that the request names is listed or the server's own.
///
/// Most clients that are no browsers name none, and some name the server's own.
pub(super) fn origin_is_allowed<B>(settings: &Settings, request: &Request<B>) -> bool {
    let Origins::These(listed) = &settings.origins else {
        return true;
    };
    let mut named = request.headers().get_all(ORIGIN).iter();
    named.all(|origin| is_listed(listed, origin) || is_own(settings, request, origin))
}

/// Returns whether this is the origin under which the request addresses the server.
fn is_own<B>(settings: &Settings, request: &Request<B>, origin: &HeaderValue) -> bool {
    let is_from_trusted_proxy = settings.trusts(peer_of(request));
    let own = own_origin(request.uri(), request.headers(), is_from_trusted_proxy);
    own.is_some() && own == read(origin)
}

fn read(origin: &HeaderValue) -> Option<WebOrigin> {
    WebOrigin::from_header(origin.to_str().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let listed = ["https://ours.example", "http://localhost:3000"];
        Settings {
            origins: Origins::These(listed.map(|origin| origin.parse().unwrap()).into()),
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            ..Settings::default()
        }
    }

    fn request(headers: &[(&str, &str)]) -> Request<()> {
        let request = Request::get("/socket.io/?EIO=4&transport=websocket");
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        request.body(()).unwrap()
    }

    #[track_caller]
    fn check(origins: &[&str], expected: bool) {
        let origins = origins.iter().map(|origin| ("origin", *origin));
        let headers: Vec<_> = origins.chain([("host", "api.example:5000")]).collect();
        let is_allowed = origin_is_allowed(&settings(), &request(&headers));
        assert_eq!(is_allowed, expected, "{headers:?}");
    }

    #[test]
    fn listed_origins_are_compared_normalised() {
        check(&["https://ours.example"], true);
        check(&["https://OURS.example:443"], true);
        check(&["wss://ours.example"], true);
        check(&["http://localhost:3000"], true);
        check(&["http://ours.example"], false);
        check(&["https://ours.example:444"], false);
        check(&["https://ours.example."], false);
        check(&["https://ours.example/"], false);
        check(&["http://localhost"], false);
    }

    #[test]
    fn the_servers_own_origin_passes() {
        check(&["http://api.example:5000"], true);
        check(&["ws://API.example:5000"], true);
        check(&["http://api.example"], false);
        check(&["https://api.example:5000"], false);
        check(&["http://evil.example:5000"], false);
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        check(&[], true);
        for text in ["", "null", "api.example:5000", "file://", "http://"] {
            check(&[text], false);
        }
    }

    #[test]
    fn a_foreign_origin_does_not_hide_behind_an_allowed_one() {
        check(&["https://ours.example", "https://evil.example"], false);
        check(&["https://evil.example", "https://ours.example"], false);
        check(&["https://ours.example", "http://api.example:5000"], true);
    }

    #[cfg(feature = "axum")]
    #[test]
    fn only_a_trusted_proxy_says_how_the_server_was_addressed() {
        let forwarded = [
            ("origin", "https://api.example"),
            ("host", "node-1:5000"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "api.example"),
        ];
        let is_allowed_from = |peer: &str| {
            let mut request = request(&forwarded);
            let peer: std::net::SocketAddr = peer.parse().unwrap();
            let extensions = request.extensions_mut();
            extensions.insert(axum::extract::ConnectInfo(peer));
            origin_is_allowed(&settings(), &request)
        };
        assert!(is_allowed_from("10.0.0.7:1") && is_allowed_from("[::ffff:10.0.0.7]:1"));
        assert!(!is_allowed_from("11.0.0.7:1") && !is_allowed_from("[::1]:1"));
        assert!(!origin_is_allowed(&settings(), &request(&forwarded)));
    }
}
