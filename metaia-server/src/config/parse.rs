//! Parsers of settings. An error is the rest of a sentence that begins with the value.

use std::{net::SocketAddr, ops::RangeInclusive, path::PathBuf, str::FromStr, time::Duration};

use http::Uri;
use metaia_realtime::{
    serve::{Transports, TrustedProxy},
    sqlite::Durability,
};
use tracing_subscriber::filter::Targets;

use super::{
    configuration::{Environment, LogFormat, Origins},
    defaults::DAY,
};

/// The longest drain, in milliseconds. SIGTERM must end the server within 15 s, and the steps after
/// the drain take up to 6 s: see the test in `startup/run.rs`.
const MAX_DRAIN_MS: u64 = 9_000;

/// The longest drain.
#[cfg(test)]
pub(crate) const MAX_DRAIN: Duration = Duration::from_millis(MAX_DRAIN_MS);

/// The times that idle connections may live, in milliseconds: a second to an hour.
const KEEP_ALIVE_MS: RangeInclusive<u64> = 1_000..=3_600_000;

/// The longest retention, in days: ten years.
const MAX_DAYS: u64 = 3_650;

/// The highest number of events that the log can be set to keep.
const MAX_ENTRIES: usize = 1_000_000_000;

pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse()
        .map_err(|_| "must be a port, 0 to 65535".to_owned())
}

pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    Ok(text.into())
}

pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("must be true or false".to_owned()),
    }
}

pub(super) fn environment(text: &str) -> Result<Environment, String> {
    match text {
        "development" => Ok(Environment::Development),
        "test" => Ok(Environment::Test),
        "production" => Ok(Environment::Production),
        _ => Err("must be development, test or production".to_owned()),
    }
}

pub(super) fn durability(text: &str) -> Result<Durability, String> {
    match text {
        "full" => Ok(Durability::Full),
        "normal" => Ok(Durability::Normal),
        _ => Err("must be full or normal".to_owned()),
    }
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("must be text or json".to_owned()),
    }
}

pub(super) fn log_filter(text: &str) -> Result<Targets, String> {
    // Read as the name of a part, such a filter would match nothing, silently.
    if text.contains(['[', '{']) {
        let example = "warn,metaia_server=debug";
        return Err(format!(
            "must be levels of parts, as in {example}: spans are not filtered"
        ));
    }
    text.parse()
        .map_err(|error| format!("is not a log filter ({error})"))
}

/// Parses the transports, in any order. Polling alone is not offered: official clients could not
/// upgrade.
pub(super) fn transports(text: &str) -> Result<Transports, String> {
    let mut names: Vec<&str> = text.split(',').map(str::trim).collect();
    names.sort_unstable();
    names.dedup();
    match names[..] {
        ["polling", "websocket"] => Ok(Transports::All),
        ["websocket"] => Ok(Transports::WebSocketOnly),
        _ => Err("must be \"polling,websocket\" or \"websocket\"".to_owned()),
    }
}

/// Parses the drain time, in milliseconds.
pub(super) fn drain(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(ms) if ms <= MAX_DRAIN_MS => Ok(Duration::from_millis(ms)),
        _ => Err(format!("must be milliseconds, at most {MAX_DRAIN_MS}")),
    }
}

/// Parses the time that idle connections live, in milliseconds.
pub(super) fn keep_alive(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(ms) if KEEP_ALIVE_MS.contains(&ms) => Ok(Duration::from_millis(ms)),
        _ => Err(format!(
            "must be milliseconds, {} to {}",
            KEEP_ALIVE_MS.start(),
            KEEP_ALIVE_MS.end()
        )),
    }
}

/// Parses the address of the metrics listener; `off` is `None`.
pub(super) fn metrics(text: &str) -> Result<Option<SocketAddr>, String> {
    if text == "off" {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|_| "must be an address and port, for example 127.0.0.1:9464, or off".to_owned())
}

/// Parses the age at which the log drops events, in days.
pub(super) fn days(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(days) if (1..=MAX_DAYS).contains(&days) => Ok(Duration::from_secs(days * DAY.as_secs())),
        _ => Err(format!("must be a number of days, 1 to {MAX_DAYS}")),
    }
}

/// Parses the number of events that the log keeps.
pub(super) fn entries(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(entries) if (1..=MAX_ENTRIES).contains(&entries) => Ok(entries),
        _ => Err(format!("must be a number of events, 1 to {MAX_ENTRIES}")),
    }
}

pub(super) fn origins(text: &str) -> Result<Origins, String> {
    if text == "*" {
        return Ok(Origins::Any);
    }
    list(text, "origins, for example https://app.metaia.example").map(Origins::These)
}

/// Parses the proxies whose headers count.
pub(super) fn proxies(text: &str) -> Result<Vec<TrustedProxy>, String> {
    list(
        text,
        "addresses and networks, for example 10.0.0.7 or fd00::/8",
    )
}

/// Parses a list whose parts are separated by commas. The error names every part that is not one of
/// what the list must have.
fn list<T: FromStr>(text: &str, must_be: &str) -> Result<Vec<T>, String> {
    let mut list = Vec::new();
    let mut wrong = Vec::new();
    let parts = text.split(',').map(str::trim);
    for part in parts.filter(|part| !part.is_empty()) {
        match part.parse() {
            Ok(value) => list.push(value),
            Err(_) => wrong.push(format!("{part:?}")),
        }
    }
    if wrong.is_empty() {
        return Ok(list);
    }
    Err(format!("must be {must_be}; not {}", wrong.join(", ")))
}

/// Returns an `http` or `https` address without a slash at its end.
pub(super) fn url(text: &str) -> Result<String, String> {
    if is_web_address(text) {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err("must be an address, for example https://api.razorpay.com".to_owned())
    }
}

fn is_web_address(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else {
        return false;
    };
    matches!(uri.scheme_str(), Some("http" | "https")) && uri.query().is_none()
}

pub(super) fn razorpay_key_id(text: &str) -> Result<String, String> {
    let well_formed =
        text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if well_formed {
        Ok(text.to_owned())
    } else {
        Err("must be letters, digits and _".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&[&str]>) {
        let these = |origins: &[&str]| {
            let origins = origins.iter().map(|origin| origin.parse().unwrap());
            Origins::These(origins.collect())
        };
        assert_eq!(origins(text).ok(), expected.map(these), "{text}");
    }

    #[test]
    fn origins_are_what_browsers_send() {
        check(
            "https://App.example/, http://localhost:3000",
            Some(&["https://app.example", "http://localhost:3000"]),
        );
        check("https://App.example:443", Some(&["https://app.example"]));
        check("capacitor://localhost", Some(&["capacitor://localhost"]));
        check("https://app.example/path", None);
        check("app.example", None);
        check("null", None);
        check("https://*.example", None);
        check("https://user@app.example", None);
        assert_eq!(origins("*"), Ok(Origins::Any));
        assert!(origins("*,https://app.example").is_err());
    }

    #[test]
    fn every_part_of_a_list_that_is_not_valid_is_named() {
        let error = origins("https://a.example, b.example, https://c.example/c").unwrap_err();
        assert!(
            error.ends_with("; not \"b.example\", \"https://c.example/c\""),
            "{error}"
        );
        let error = proxies("10.0.0.0/8,10.0.0.0/33, ::1,proxy").unwrap_err();
        assert!(
            error.ends_with("; not \"10.0.0.0/33\", \"proxy\""),
            "{error}"
        );
    }

    #[test]
    fn proxies_are_addresses_and_networks_of_both_families() {
        let read = proxies("127.0.0.1, 10.0.0.9/8,fd00::/8, ").unwrap();
        let shown: Vec<String> = read.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["127.0.0.1", "10.0.0.0/8", "fd00::/8"]);
        for text in [
            "*",
            "true",
            "1",
            "loopback",
            "10.0.0",
            "10.0.0.1:80",
            "::1/129",
        ] {
            assert!(proxies(text).is_err(), "{text}");
        }
    }

    #[test]
    fn metrics_are_somewhere_or_off() {
        assert_eq!(
            metrics("[::1]:0"),
            Ok(Some(([0, 0, 0, 0, 0, 0, 0, 1], 0).into()))
        );
        assert_eq!(metrics("off"), Ok(None));
        assert!(
            metrics("9464").is_err()
                && metrics("localhost:9464").is_err()
                && metrics("1.2.3.4").is_err()
        );
    }

    #[test]
    fn transports_are_both_or_websocket() {
        assert_eq!(transports("websocket, polling"), Ok(Transports::All));
        assert_eq!(transports("websocket"), Ok(Transports::WebSocketOnly));
        assert!(
            transports("polling").is_err() && transports("").is_err() && transports("sse").is_err()
        );
    }
}
