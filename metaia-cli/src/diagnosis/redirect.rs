//! Redirects. The tool follows none: a POST would become a GET, and a token would go elsewhere.

use url::Url;

use super::fault::Asked;
use super::finding::Diagnosis;
use super::reply::HttpReply;

pub(super) fn diagnose(asked: &Asked, reply: &HttpReply) -> Diagnosis {
    let answered = format!("{} answered {}", reply.program(), reply.status_line());
    let Some(location) = reply.header("location") else {
        return Diagnosis::unreachable(
            format!("{answered}, a redirect without its target"),
            "check the address",
        );
    };
    let cause = format!("{answered}: it redirects to {location}");
    let advice = match target(asked, location) {
        Some(base) => format!("metaia follows no redirects: use --url {base}"),
        None => "metaia follows no redirects: check the address".to_owned(),
    };
    Diagnosis::unreachable(cause, advice)
}

/// Returns the server's address that a redirect means: its target without the path of the request.
/// `None` if the redirect leads to another path.
fn target(asked: &Asked, location: &str) -> Option<String> {
    let asked_url = Url::parse(&format!("{}{}", asked.base, asked.path)).ok()?;
    let mut url = asked_url.join(location).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    let path = url.path().trim_end_matches('/');
    let prefix = path.strip_suffix(asked.path.trim_end_matches('/'))?;
    let prefix = prefix.to_owned();
    url.set_path(&prefix);
    let base = url.as_str().trim_end_matches('/').to_owned();
    (base != asked.base).then_some(base)
}

#[cfg(test)]
mod tests {
    use super::super::fault::Via;
    use super::super::tests::asked;
    use super::*;

    #[track_caller]
    fn check(location: &str, expected: Option<&str>) {
        let found = target(&asked(Via::WebSocket), location);
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn a_redirect_of_the_same_path_names_the_servers_address() {
        check(
            "https://a.example/socket.io/?EIO=4&transport=websocket",
            Some("https://a.example"),
        );
        check(
            "https://b.example/shop/socket.io",
            Some("https://b.example/shop"),
        );
        check("/v2/socket.io/", Some("http://a.example/v2"));
        check("/login?next=x", None);
        check("/socket.io/", None);
        check("https://", None);
    }
}
