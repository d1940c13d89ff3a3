//! `REDIS_URL` and `METAIA_CLUSTER_KEY`: how several nodes wake each other, and know each other.
//! Both are secrets, one of them in part.

use metaia_realtime::doorbell::{ClusterKey, RedisDoorbell};

use super::reader::Reader;
use crate::auth::secrets::Secret;

/// The doorbell of several nodes.
#[derive(Debug, Clone)]
pub(crate) struct Doorbell {
    pub(crate) url: Secret,
    /// Without user and password.
    pub(crate) place: String,
}

pub(super) fn doorbell(reader: &mut Reader) -> Option<Doorbell> {
    let found = reader.unshown("REDIS_URL", |text| {
        let doorbell = RedisDoorbell::open(text).map_err(|error| format!("is {error}"))?;
        Ok(Doorbell {
            url: Secret::from(text),
            place: doorbell.place().to_owned(),
        })
    });
    if let Some(doorbell) = &found {
        reader.show("REDIS_URL", doorbell.place.clone());
    }
    found
}

pub(super) fn cluster_key(reader: &mut Reader) -> Option<ClusterKey> {
    let key = reader.secret("METAIA_CLUSTER_KEY")?;
    let key = ClusterKey::new(key.as_bytes());
    key.map_err(|error| reader.problem("METAIA_CLUSTER_KEY", format!("is too short: {error}")))
        .ok()
}
