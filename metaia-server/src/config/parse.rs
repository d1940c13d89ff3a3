//! How the text of each kind of setting is read. The errors end the sentence that the value begins.

use std::{collections::BTreeSet, net::SocketAddr, str::FromStr, time::Duration};

use http::Uri;
use metaia_realtime::{serve::Transports, sqlite::Durability};
use tracing_subscriber::EnvFilter;

use super::{Environment, LogFormat, Origins};

pub(super) fn number<T: FromStr>(rule: &'static str) -> impl Fn(&str) -> Result<T, String> {
    move |text| text.parse().map_err(|_| format!("must be {rule}"))
}

pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("must be true or false".to_owned()),
    }
}

pub(super) fn anything(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
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

pub(super) fn log_filter(text: &str) -> Result<String, String> {
    match text.parse::<EnvFilter>() {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(format!("is not a log filter ({error})")),
    }
}

/// Polling alone is not offered: official clients could not upgrade.
pub(super) fn transports(text: &str) -> Result<Transports, String> {
    let names: BTreeSet<&str> = text.split(',').map(str::trim).collect();
    match names.into_iter().collect::<Vec<_>>()[..] {
        ["polling", "websocket"] => Ok(Transports::All),
        ["websocket"] => Ok(Transports::WebSocketOnly),
        _ => Err("must be \"polling,websocket\" or \"websocket\"".to_owned()),
    }
}

/// Reads the drain time. SIGTERM has to end within 15 s: what comes after the drain takes up to 6
/// s.
pub(super) fn drain(text: &str) -> Result<Duration, String> {
    let ms = text.parse().ok().filter(|ms| *ms <= 9_000);
    ms.map(Duration::from_millis)
        .ok_or_else(|| "must be milliseconds, at most 9000".to_owned())
}

/// Where metrics are, if they are anywhere.
pub(super) fn metrics(text: &str) -> Result<Option<SocketAddr>, String> {
    if text == "off" {
        return Ok(None);
    }
    let address = text.parse().map(Some);
    address
        .map_err(|_| "must be an address and port, for example 127.0.0.1:9464, or off".to_owned())
}

/// How long events are kept. Ten years are for ever.
pub(super) fn days(text: &str) -> Result<Duration, String> {
    let days = text.parse().ok().filter(|days| (1..=3_650).contains(days));
    days.map(|days: u64| Duration::from_secs(days * 24 * 60 * 60))
        .ok_or_else(|| "must be a number of days, 1 to 3650".to_owned())
}

/// How many events are kept.
pub(super) fn entries(text: &str) -> Result<usize, String> {
    let entries = text
        .parse()
        .ok()
        .filter(|entries| (1..=1_000_000_000).contains(entries));
    entries.ok_or_else(|| "must be a number of events, 1 to 1000000000".to_owned())
}

pub(super) fn origins(text: &str) -> Result<Origins, String> {
    if text == "*" {
        return Ok(Origins::Any);
    }
    let origins = text
        .split(',')
        .map(str::trim)
        .filter(|origin| !origin.is_empty())
        .map(origin);
    origins.collect::<Result<_, _>>().map(Origins::These)
}

/// As browsers send it: lower case, without a path.
fn origin(text: &str) -> Result<String, String> {
    let uri = text
        .parse::<Uri>()
        .ok()
        .filter(|uri| uri.scheme().is_some() && uri.host().is_some());
    let bare = uri.filter(|uri| {
        uri.path_and_query().is_none_or(|rest| rest == "/") && !text.contains(['@', '*'])
    });
    let origin = bare.map(|_| text.trim_end_matches('/').to_ascii_lowercase());
    origin
        .ok_or_else(|| format!("{text:?} is not an origin, for example https://app.metaia.example"))
}

/// `http` or `https`, without a slash at the end.
pub(super) fn url(text: &str) -> Result<String, String> {
    let uri = text.parse::<Uri>().ok();
    let web = uri
        .filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.query().is_none());
    web.map(|_| text.trim_end_matches('/').to_owned())
        .ok_or_else(|| "must be an address, for example https://api.razorpay.com".to_owned())
}

pub(super) fn razorpay_key_id(text: &str) -> Result<String, String> {
    let shape = text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if shape {
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
        let these =
            expected.map(|these| Origins::These(these.iter().map(|o| (*o).to_owned()).collect()));
        assert_eq!(origins(text).ok(), these, "{text}");
    }

    #[test]
    fn origins_are_what_browsers_send() {
        check(
            "https://App.example/, http://localhost:3000",
            Some(&["https://app.example", "http://localhost:3000"]),
        );
        check("https://app.example/path", None);
        check("app.example", None);
        check("null", None);
        check("https://*.example", None);
        check("https://user@app.example", None);
        assert_eq!(origins("*"), Ok(Origins::Any));
        assert!(origins("*,https://app.example").is_err());
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
