//! Proxies of the environment. The tool uses none, and says so where one would be expected.

use url::Url;

/// Returns the name of the variable that names a proxy for this address, if there is one.
pub(crate) fn variable(base: &str) -> Option<String> {
    variable_in(base, |name| std::env::var(name).ok())
}

fn variable_in(base: &str, value: impl Fn(&str) -> Option<String>) -> Option<String> {
    let url = Url::parse(base).ok()?;
    let host = url.host_str()?;
    let find = |names: [&str; 2]| {
        names.into_iter().find_map(|name| {
            let value = value(name).filter(|value| !value.is_empty())?;
            Some((name.to_owned(), value))
        })
    };
    if let Some((_, exceptions)) = find(["no_proxy", "NO_PROXY"])
        && is_excepted(host, &exceptions)
    {
        return None;
    }
    let (name, _) = match url.scheme() {
        "https" => find(["HTTPS_PROXY", "https_proxy"]),
        _ => find(["http_proxy", "HTTP_PROXY"]),
    }
    .or_else(|| find(["ALL_PROXY", "all_proxy"]))?;
    Some(name)
}

/// Returns whether a host is on the list of those that are reached without a proxy.
fn is_excepted(host: &str, exceptions: &str) -> bool {
    let mut entries = exceptions.split(',').map(str::trim);
    entries.any(|entry| {
        let domain = entry.trim_start_matches('.');
        let is_below = host.strip_suffix(domain);
        entry == "*" || (!domain.is_empty() && is_below.is_some_and(is_empty_or_subdomain))
    })
}

fn is_empty_or_subdomain(rest: &str) -> bool {
    rest.is_empty() || rest.ends_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(base: &str, environment: &[(&str, &str)], expected: Option<&str>) {
        let value = |name: &str| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        assert_eq!(variable_in(base, value).as_deref(), expected);
    }

    #[test]
    fn the_variable_of_the_scheme_is_named() {
        let both = [("HTTPS_PROXY", "http://p:1"), ("http_proxy", "http://p:1")];
        check("https://a.example", &both, Some("HTTPS_PROXY"));
        check("http://a.example", &both, Some("http_proxy"));
        check("https://a.example", &both[1..], None);
        check("http://a.example", &[("ALL_PROXY", "p")], Some("ALL_PROXY"));
        check("https://a.example", &[("HTTPS_PROXY", "")], None);
    }

    #[test]
    fn hosts_without_a_proxy_are_left_out() {
        for (exceptions, is_used) in [
            ("a.example", false),
            (".example, other", false),
            ("*", false),
            ("b.example,,", true),
            ("ample", true),
        ] {
            let environment = [("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", exceptions)];
            let expected = is_used.then_some("HTTPS_PROXY");
            check("https://a.example", &environment, expected);
        }
    }
}
