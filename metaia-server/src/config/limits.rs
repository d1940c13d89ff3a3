//! `METAIA_LIMITS`: `name=number` pairs, separated by commas, each of them optional.
//! [`default_text`] lists them.

use std::num::NonZeroU32;

use metaia_realtime::Limits;

/// REST requests per second of a user, by default.
const REST_PER_S: NonZeroU32 = const { NonZeroU32::new(50).unwrap() };

/// TCP connections of REST clients, beside those of sessions.
const REST_CONNECTIONS: usize = 20_000;

/// The limits that the server enforces on its clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerLimits {
    pub(crate) realtime: Limits,
    pub(crate) rest_per_s: NonZeroU32,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            realtime: Limits::default(),
            rest_per_s: REST_PER_S,
        }
    }
}

/// Formats the default limits as the value of the variable.
pub(super) fn default_text() -> String {
    let ServerLimits {
        realtime,
        rest_per_s,
    } = ServerLimits::default();
    format!(
        "per_ip=0,per_user={},total={},handshakes_per_s={},rest_per_s={rest_per_s}",
        realtime.sessions_per_user, realtime.sessions, realtime.handshakes_per_s,
    )
}

/// Parses limits. A limit that is not named keeps its default.
pub(super) fn parse(text: &str) -> Result<ServerLimits, String> {
    let mut limits = ServerLimits::default();
    let mut seen = Vec::new();
    let parts = text.split(',').map(str::trim);
    for part in parts.filter(|part| !part.is_empty()) {
        let (name, value) = part
            .split_once('=')
            .ok_or_else(|| format!("{part:?} is not name=number"))?;
        let name = name.trim();
        if seen.contains(&name) {
            return Err(format!("{name} is given twice"));
        }
        seen.push(name);
        set(&mut limits, name, value.trim())?;
    }
    limits
        .realtime
        .validate()
        .map_err(|error| error.to_string())?;
    Ok(limits)
}

fn set(limits: &mut ServerLimits, name: &str, value: &str) -> Result<(), String> {
    let number: u32 = value
        .parse()
        .map_err(|_| format!("{name} must be a number"))?;
    let positive = || NonZeroU32::new(number).ok_or_else(|| format!("{name} must be at least 1"));
    let size = || positive().map(|number| number.get() as usize);
    match name {
        "per_ip" if number == 0 => {}
        "per_ip" => return Err("per_ip is not supported by this version: leave it at 0".to_owned()),
        "per_user" => limits.realtime.sessions_per_user = size()?,
        "total" => {
            limits.realtime.sessions = size()?;
            // A session that polls has two connections.
            let of_sessions = limits.realtime.sessions.saturating_mul(2);
            let connections = of_sessions.saturating_add(REST_CONNECTIONS);
            limits.realtime.connections = connections.max(limits.realtime.connections);
        }
        "handshakes_per_s" => limits.realtime.handshakes_per_s = positive()?.get(),
        "rest_per_s" => limits.rest_per_s = positive()?,
        _ => {
            return Err(format!(
                "{name:?} is not one of per_ip, per_user, total, handshakes_per_s, rest_per_s"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_default_is_the_default() {
        let text = default_text();
        assert_eq!(
            text,
            "per_ip=0,per_user=16,total=50000,handshakes_per_s=500,rest_per_s=50"
        );
        assert_eq!(parse(&text), Ok(ServerLimits::default()));
        assert_eq!(parse(""), Ok(ServerLimits::default()));
        let limits = parse("per_user=2, rest_per_s=9").unwrap();
        assert_eq!(
            (limits.realtime.sessions_per_user, limits.rest_per_s.get()),
            (2, 9)
        );
        assert_eq!(limits.realtime.sessions, Limits::default().sessions);
    }

    #[test]
    fn nonsense_is_named() {
        for (text, word) in [
            ("per_user", "name=number"),
            ("per_user=-1", "per_user"),
            ("per_user=0", "at least 1"),
            ("per_user=1,per_user=2", "twice"),
            ("per_ip=5", "per_ip"),
            ("speed=5", "speed"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
