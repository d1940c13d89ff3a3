//! `JWKS_URL`, `JWT_ISSUER` and `JWT_AUDIENCE`: the issuers that publish their keys, and the
//! recipients of tokens.

use std::{error::Error, path::Path, time::Duration};

use metaia_realtime::auth::jwks::{JwksError, JwksSource};

use super::{defaults, problem::ConfigProblem, reader::Reader, source::untrusted_file};
use crate::error_chain::chain;

/// The least time between two loads that tokens ask for, unless keys are loaded more often anyway.
const MAX_ASK: Duration = Duration::from_secs(30);

/// The times between two loads of keys, in milliseconds: a second to a day.
const REFRESH_MS: std::ops::RangeInclusive<u64> = 1_000..=86_400_000;

/// The sources of public keys, and the issuers and audiences of tokens.
#[derive(Debug, Clone)]
pub(crate) struct KeySets {
    /// True if `JWKS_URL` is set, whether it is valid or not.
    pub(crate) are_given: bool,
    places: Vec<String>,
    /// One for each place, or none; without places, those of tokens of a shared secret.
    pub(crate) issuers: Vec<String>,
    pub(crate) audiences: Vec<String>,
    refresh: Duration,
}

impl KeySets {
    /// Returns the source of each key set. A file is read, now and later, if this check accepts it.
    pub(crate) fn sources(
        &self,
        check: fn(&Path) -> Result<(), String>,
    ) -> Result<Vec<JwksSource>, JwksError> {
        let mut sources = Vec::new();
        for (index, place) in self.places.iter().enumerate() {
            let source = source(place, check)?;
            let mut source = source.refresh_every(self.refresh);
            source = source.ask_every(self.refresh.min(MAX_ASK));
            if let Some(issuer) = self.issuers.get(index) {
                source = source.issuer(issuer);
            }
            for audience in &self.audiences {
                source = source.audience(audience);
            }
            sources.push(source);
        }
        Ok(sources)
    }

    /// Describes each key set: its place, without a query, and its issuer.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        self.places.iter().enumerate().map(|(index, place)| {
            let place = shown(place);
            match self.issuers.get(index) {
                Some(issuer) => format!("{place}, for the issuer {issuer}"),
                None => format!("{place}, for any issuer"),
            }
        })
    }

    /// Returns a problem for each file of keys that others can write: one who can add a key can
    /// sign tokens.
    pub(super) fn untrusted_files(&self) -> impl Iterator<Item = ConfigProblem> {
        let files = self.places.iter().filter(|place| !is_address(place));
        files.filter_map(|file| untrusted_file("JWKS_URL", Path::new(file)))
    }

    /// Returns a notice if the issuers may make tokens for other services.
    pub(super) fn notice(&self) -> Option<String> {
        if self.places.is_empty() || !self.audiences.is_empty() {
            return None;
        }
        let notice = "JWT_AUDIENCE is not set: the server accepts every token of its issuers, also \
                      those that they make for other services";
        Some(notice.to_owned())
    }
}

pub(super) fn key_sets(reader: &mut Reader) -> KeySets {
    let are_given = reader.is_set("JWKS_URL");
    let places = reader.masked("JWKS_URL", places).unwrap_or_default();
    let key_sets = KeySets {
        are_given,
        issuers: list(reader, "JWT_ISSUER"),
        audiences: list(reader, "JWT_AUDIENCE"),
        refresh: reader.read("METAIA_JWKS_REFRESH_MS", defaults::JWKS_REFRESH_MS, refresh),
        places,
    };
    if are_given && !key_sets.places.is_empty() {
        let places: Vec<_> = key_sets.places.iter().map(|place| shown(place)).collect();
        reader.show("JWKS_URL", places.join(", "));
        check_issuers(reader, &key_sets);
    }
    key_sets
}

/// Checks that it is known whose keys each key set has.
fn check_issuers(reader: &mut Reader, key_sets: &KeySets) {
    let issuers = &key_sets.issuers;
    let given = issuers.len();
    let needed = key_sets.places.len();
    if given != needed && (given > 0 || needed > 1) {
        let reason = format!(
            "must name one issuer for each key set of JWKS_URL, in the same order: it names \
             {given}, and there are {needed}"
        );
        reader.problem("JWT_ISSUER", reason);
    } else if (1..given).any(|n| issuers[..n].contains(&issuers[n])) {
        reader.problem("JWT_ISSUER", "names an issuer twice");
    }
}

/// Parses a list of addresses and files. The error names every part that is not valid, by its
/// number: an address may have a password.
fn places(text: &str) -> Result<Vec<String>, String> {
    let places: Vec<String> = parts(text).map(str::to_owned).collect();
    let mut wrong = Vec::new();
    for (index, place) in places.iter().enumerate() {
        // The files that others can change are listed with those of other settings.
        if let Err(error) = source(place, |_| Ok(())) {
            let error = chain(&error as &dyn Error);
            wrong.push(if is_address(place) {
                format!("address {}: {error}", index + 1)
            } else {
                format!("file {place:?}: {error}")
            });
        }
    }
    if places.is_empty() {
        return Err("must be addresses or files of key sets".to_owned());
    }
    if wrong.is_empty() {
        return Ok(places);
    }
    Err(format!(
        "must be addresses or files of key sets, for example \
         https://login.example/.well-known/jwks.json: {}",
        wrong.join("; ")
    ))
}

fn source(place: &str, check: fn(&Path) -> Result<(), String>) -> Result<JwksSource, JwksError> {
    if is_address(place) {
        JwksSource::url(place)
    } else {
        JwksSource::file_if(place, check)
    }
}

fn is_address(place: &str) -> bool {
    place.contains("://")
}

/// Returns a place without its query, which may have a key of the host.
fn shown(place: &str) -> String {
    let end = if is_address(place) {
        place.find(['?', '#']).unwrap_or(place.len())
    } else {
        place.len()
    };
    place[..end].to_owned()
}

fn list(reader: &mut Reader, name: &'static str) -> Vec<String> {
    let list = reader.optional(name, |text| {
        let list: Vec<String> = parts(text).map(str::to_owned).collect();
        if list.is_empty() {
            return Err("must be a list with commas between its parts".to_owned());
        }
        Ok(list)
    });
    list.unwrap_or_default()
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

fn refresh(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(ms) if REFRESH_MS.contains(&ms) => Ok(Duration::from_millis(ms)),
        _ => Err(format!(
            "must be milliseconds, {} to {}",
            REFRESH_MS.start(),
            REFRESH_MS.end()
        )),
    }
}
