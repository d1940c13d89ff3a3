//! `MONGODB_URI`: the address of the database of several nodes. A password in it is never shown.

use std::{fmt, path::PathBuf};

use metaia_realtime::mongo::UriError;
use mongodb::options::{ConnectionString, HostInfo, Tls};

use super::{problem::ConfigProblem, source::untrusted_file};
use crate::auth::secrets::Secret;

/// The database that the library uses if the address names none.
const DATABASE: &str = "metaia";

/// The database of several nodes.
#[derive(Debug, Clone)]
pub(crate) struct MongoDb {
    pub(crate) uri: Secret,
    place: MongoPlace,
    /// The number of connections to each server. `None`: as the address says, otherwise the
    /// library's default.
    pub(crate) pool: Option<u32>,
}

impl MongoDb {
    pub(super) const fn new(uri: Secret, place: MongoPlace, pool: Option<u32>) -> Self {
        Self { uri, place, pool }
    }

    /// Returns a problem for each file of the address that others can write: one who can add an
    /// authority can take the place of the database.
    pub(super) fn untrusted_files(&self) -> impl Iterator<Item = ConfigProblem> {
        let files = self.place.tls_files.iter();
        files.filter_map(|file| untrusted_file("MONGODB_URI", file))
    }

    /// Returns the address as it may be shown.
    pub(crate) const fn place(&self) -> &MongoPlace {
        &self.place
    }
}

/// The address as it may be shown: without user, password and options.
#[derive(Debug, Clone)]
pub(crate) struct MongoPlace {
    hosts: String,
    database: String,
    tls_files: Vec<PathBuf>,
}

impl fmt::Display for MongoPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.database, self.hosts)
    }
}

/// Parses an address. An error repeats no part of it, because any part may be the password.
pub(super) fn parse(text: &str) -> Result<(Secret, MongoPlace), String> {
    let refused = |error: UriError| format!("is not the address of a MongoDB: {error}");
    if !text.starts_with("mongodb://") && !text.starts_with("mongodb+srv://") {
        return Err(refused(UriError::Scheme));
    }
    let parsed = ConnectionString::parse(text).map_err(|_| refused(UriError::Malformed))?;
    let hosts = match &parsed.host_info {
        HostInfo::HostIdentifiers(hosts) => hosts
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", "),
        HostInfo::DnsRecord(name) => name.clone(),
        _ => String::new(),
    };
    let database = parsed
        .default_database
        .unwrap_or_else(|| DATABASE.to_owned());
    let place = MongoPlace {
        hosts,
        database,
        tls_files: tls_files(parsed.tls),
    };
    Ok((Secret::from(text), place))
}

/// Returns the files that say which servers are trusted, and who this one is.
fn tls_files(tls: Option<Tls>) -> Vec<PathBuf> {
    let Some(Tls::Enabled(options)) = tls else {
        return Vec::new();
    };
    let files = [options.ca_file_path, options.cert_key_file_path];
    files.into_iter().flatten().collect()
}

pub(super) fn pool(text: &str) -> Result<u32, String> {
    let size = text.parse().ok().filter(|size| (1..=1_000).contains(size));
    size.ok_or_else(|| "must be a number of connections, 1 to 1000".to_owned())
}
