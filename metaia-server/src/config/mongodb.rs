//! `MONGODB_URI`: where the database of many nodes is. There may be a password in it, which is
//! never shown.

use std::fmt;

use metaia_realtime::mongo::UriError;
use mongodb::options::{ConnectionString, HostInfo};

use crate::auth::secrets::Secret;

/// The library's choice, where the address names none.
const DATABASE: &str = "metaia";

/// The database of many nodes.
#[derive(Debug, Clone)]
pub(crate) struct MongoDb {
    pub(crate) uri: Secret,
    place: Place,
    /// Connections to each server; `None`: as the address says, else the library's default.
    pub(crate) pool: Option<u32>,
}

impl MongoDb {
    pub(super) fn new((uri, place): (Secret, Place), pool: Option<u32>) -> Self {
        Self { uri, place, pool }
    }

    /// As it is announced.
    pub(crate) const fn place(&self) -> &Place {
        &self.place
    }
}

/// Where it is, for people: without user, password and options.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    hosts: String,
    database: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.database, self.hosts)
    }
}

/// Reads an address. What is wrong is said without repeating any of it.
pub(super) fn parse(text: &str) -> Result<(Secret, Place), String> {
    let refused = |error: UriError| format!("is not the address of a MongoDB: {error}");
    if !["mongodb://", "mongodb+srv://"]
        .iter()
        .any(|scheme| text.starts_with(scheme))
    {
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
    Ok((Secret::from(text), Place { hosts, database }))
}

pub(super) fn pool(text: &str) -> Result<u32, String> {
    let size = text.parse().ok().filter(|size| (1..=1_000).contains(size));
    size.ok_or_else(|| "must be a number of connections, 1 to 1000".to_owned())
}
