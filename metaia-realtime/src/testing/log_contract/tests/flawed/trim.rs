//! Trimming of the naive log.

use super::Flawed;
use crate::{
    testing::log_contract::tests::{disk::Disk, flaw::Flaw},
    values::time,
};

impl Flawed {
    pub(in crate::testing::log_contract::tests) async fn trim(&self) {
        if self.has(Flaw::ForgetsIdsWhenTrimmed) {
            self.disk().ids.clear();
        }
        let mut gone = Vec::new();
        {
            let mut disk = self.disk();
            while self.beyond(&disk) {
                let trims_newest = self.has(Flaw::TrimsTheNewest) && disk.entries.len() > 2;
                let n = if trims_newest {
                    *disk.entries.keys().nth_back(1).unwrap()
                } else {
                    *disk.entries.keys().next().unwrap()
                };
                gone.extend(disk.entries.remove(&n));
            }
            if !self.has(Flaw::MarksLate) {
                disk.gone.append(&mut gone);
            }
        }
        if !gone.is_empty() {
            self.while_others_read(20).await;
        }
        self.disk().gone.extend(gone);
    }

    fn beyond(&self, disk: &Disk) -> bool {
        let least = if self.has(Flaw::RemovesTheLast) { 0 } else { 1 };
        let most = self.retention.entries + usize::from(self.has(Flaw::KeepsOneMore));
        let sizes = disk
            .entries
            .values()
            .map(|entry| entry.content().size() as u64);
        let bytes = if self.has(Flaw::IgnoresBytes) {
            0
        } else {
            sizes.sum()
        };
        let now = time::unix_ms() + disk.ahead;
        let age = self.retention.age.as_millis() as i64;
        let too_old = disk
            .entries
            .values()
            .next()
            .is_some_and(|oldest| oldest.ts() + age <= now);
        disk.entries.len() > least
            && (disk.entries.len() > most
                || bytes > self.retention.bytes
                || too_old && !self.has(Flaw::IgnoresAge))
    }
}
