//! `REDIS_URL` and `METAIA_CLUSTER_KEY`: the notifications between nodes, and the key that signs
//! them. The key is secret, and the address may contain a password.

use metaia_realtime::doorbell::{ClusterKey, RedisDoorbell};

use super::reader::Reader;
use crate::auth::secrets::Secret;

/// The Redis through which nodes notify each other.
#[derive(Debug, Clone)]
pub(crate) struct Doorbell {
    pub(crate) url: Secret,
    /// The address without user and password.
    pub(crate) place: String,
}

pub(super) fn doorbell(reader: &mut Reader) -> Option<Doorbell> {
    let doorbell = reader.masked("REDIS_URL", |text| {
        let doorbell = RedisDoorbell::open(text).map_err(|error| format!("is {error}"))?;
        Ok(Doorbell {
            url: Secret::from(text),
            place: doorbell.place().to_owned(),
        })
    })?;
    reader.show("REDIS_URL", doorbell.place.clone());
    Some(doorbell)
}

pub(super) fn cluster_key(reader: &mut Reader) -> Option<ClusterKey> {
    let key = reader.secret("METAIA_CLUSTER_KEY")?;
    match ClusterKey::new(key.as_bytes()) {
        Ok(key) => Some(key),
        Err(error) => {
            reader.problem("METAIA_CLUSTER_KEY", format!("is too short: {error}"));
            None
        }
    }
}
