//! Records in memory: for as long as the process lives.

use std::{
    collections::HashMap,
    future::{Future, ready},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{DeviceKey, DeviceRecord, DeviceStore, LIFE_MS};
use crate::{clock, log::LogError};

/// Most records; beyond it the oldest go, whose clients then begin anew.
const RECORDS: usize = 100_000;

/// Records in memory. A handle: clones share them.
#[derive(Debug, Clone, Default)]
pub struct MemoryDevices {
    records: Arc<Mutex<HashMap<DeviceKey, DeviceRecord>>>,
}

impl MemoryDevices {
    fn records(&self) -> MutexGuard<'_, HashMap<DeviceKey, DeviceRecord>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DeviceStore for MemoryDevices {
    fn load(&self, key: &DeviceKey) -> impl Future<Output = Result<Option<DeviceRecord>, LogError>> + Send {
        let oldest = clock::unix_ms() - LIFE_MS;
        ready(Ok(self.records().get(key).filter(|record| record.at > oldest).cloned()))
    }

    fn save(
        &self,
        records: Vec<(DeviceKey, DeviceRecord)>,
    ) -> impl Future<Output = Result<(), LogError>> + Send {
        let mut kept = self.records();
        kept.extend(records);
        let oldest = clock::unix_ms() - LIFE_MS;
        kept.retain(|_, record| record.at > oldest);
        if kept.len() > RECORDS {
            let mut times: Vec<i64> = kept.values().map(|record| record.at).collect();
            let (_, &mut oldest, _) = times.select_nth_unstable(kept.len() - RECORDS);
            kept.retain(|_, record| record.at > oldest);
        }
        ready(Ok(()))
    }
}
