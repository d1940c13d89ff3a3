//! The entries that killed processes appended, and the check that the log has them.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use super::{LogProbe, Verdict, crowd, ensure, equal, probe::check_same, sample};
use crate::{
    EventLog, NewEntry,
    log::Entry,
    values::{Epoch, EventId},
};

/// The appends of all killed processes, as their output and the log show them.
#[derive(Debug, Default)]
pub(super) struct Survivors {
    epoch: Option<Epoch>,
    /// Every entry that a process tried to append.
    tried: HashMap<EventId, NewEntry>,
    /// The ids of entries that were acknowledged or read: they must never change.
    known: BTreeMap<u64, EventId>,
    acknowledged: usize,
}

/// A batch whose process was killed before its append returned.
type UnknownBatch = Vec<NewEntry>;

impl Survivors {
    /// Returns the number of appends that returned before their process was killed.
    pub(super) const fn acknowledged(&self) -> usize {
        self.acknowledged
    }

    /// Reads the output of a process. Returns the batches whose outcome is not known.
    pub(super) fn read_output(&mut self, lines: &[String]) -> Verdict<Vec<UnknownBatch>> {
        let mut open: HashMap<usize, UnknownBatch> = HashMap::new();
        for line in lines {
            let mut words = line.split_whitespace();
            let verb = words.next();
            let i = words.next().and_then(|i| i.parse().ok());
            match (verb, i) {
                (Some("try"), Some(i)) => {
                    open.insert(i, self.read_try(i, words)?);
                }
                (Some("answered"), Some(i)) => self.read_answer(open.remove(&i), words)?,
                _ => {}
            }
        }
        Ok(open.into_values().collect())
    }

    /// Returns the batch number `i` with the ids that it had in the process.
    fn read_try<'a>(
        &mut self,
        i: usize,
        ids: impl Iterator<Item = &'a str>,
    ) -> Verdict<UnknownBatch> {
        let mut batch = Vec::new();
        for (new, id) in crowd::batch(i).into_iter().zip(ids) {
            let id = id.parse().map_err(|_| format!("{id} is no id"))?;
            batch.push(new.with_id(id));
        }
        self.tried
            .extend(batch.iter().map(|new| (new.id(), new.clone())));
        Ok(batch)
    }

    fn read_answer<'a>(
        &mut self,
        batch: Option<UnknownBatch>,
        numbers: impl Iterator<Item = &'a str>,
    ) -> Verdict {
        let batch = batch.ok_or("an append returned that no process tried")?;
        for (new, n) in batch.iter().zip(numbers) {
            let n = n.parse().map_err(|_| format!("{n} is no number"))?;
            self.learn(n, new.id())?;
        }
        self.acknowledged += 1;
        Ok(())
    }

    /// Remembers the id of entry `n`, and checks that it has not changed.
    fn learn(&mut self, n: u64, id: EventId) -> Verdict {
        let known = *self.known.entry(n).or_insert(id);
        equal(format_args!("entry {n} after it was seen"), id, known)
    }

    /// Checks that the log has every known entry and no batch in part. Then appends the batches
    /// again whose outcome is not known.
    pub(super) async fn check<L: EventLog>(
        &mut self,
        log: &LogProbe<L>,
        unknown: Vec<UnknownBatch>,
    ) -> Verdict {
        let head = log.head().await?;
        let epoch = head.position.epoch();
        equal("the epoch", epoch, *self.epoch.get_or_insert(epoch))?;
        let entries = log.all().await?;
        equal(
            "the last entry that can be read",
            entries.last().map_or(0, |last| last.n()),
            head.position.n(),
        )?;
        self.check_entries(&entries, head.floor)?;
        self.check_known(&entries, head.floor)?;
        self.check_marks(log, head.floor).await?;
        for batch in unknown {
            self.append_again(log, &entries, head.floor, batch).await?;
        }
        Ok(())
    }

    fn check_entries(&mut self, entries: &[Arc<Entry>], floor: u64) -> Verdict {
        for (n, entry) in (floor + 1..).zip(entries) {
            equal("the number of the next entry", entry.n(), n)?;
            let id = entry.content().id();
            let Some(new) = self.tried.get(&id) else {
                return Err(format!("no process appended entry {n}"));
            };
            check_same(entry, new)?;
            self.learn(n, id)?;
        }
        let ids: HashSet<_> = entries.iter().map(|entry| entry.content().id()).collect();
        equal("entries, each counted once", ids.len(), entries.len())
    }

    fn check_known(&self, entries: &[Arc<Entry>], floor: u64) -> Verdict {
        let end = floor + entries.len() as u64;
        let last = self.known.last_key_value().map_or(0, |(n, _)| *n);
        ensure!(
            last <= end,
            "entry {last} was acknowledged, and the log ends with {end}"
        );
        Ok(())
    }

    /// Checks that the trimmed marks cover every known entry that is gone.
    async fn check_marks<L: EventLog>(&self, log: &LogProbe<L>, floor: u64) -> Verdict {
        for room in sample::rooms() {
            let gone = self
                .known
                .range(..=floor)
                .rev()
                .find(|(_, id)| self.tried[id].rooms().contains(&room));
            let least = gone.map_or(0, |(n, _)| *n);
            let page = log.read(Some(std::slice::from_ref(&room)), 0, 1).await?;
            let trimmed = page.trimmed;
            ensure!(
                (least..=floor).contains(&trimmed),
                "entry {least} of {room} was trimmed, the floor is {floor}, and trimmed {trimmed}"
            );
        }
        Ok(())
    }

    /// Checks that the batch is there as a whole or not at all, and appends it again.
    async fn append_again<L: EventLog>(
        &mut self,
        log: &LogProbe<L>,
        entries: &[Arc<Entry>],
        floor: u64,
        batch: UnknownBatch,
    ) -> Verdict {
        let find = |new: &NewEntry| {
            entries
                .iter()
                .find(|entry| entry.content().id() == new.id())
        };
        let found: Vec<_> = batch
            .iter()
            .map(|new| find(new).map(|entry| entry.n()))
            .collect();
        let first = found.iter().flatten().next().copied();
        if first == Some(floor + 1) && found[0].is_none() {
            // The beginning of the batch may have been trimmed.
            return Ok(());
        }
        let is_whole = found.iter().all(|n| n.is_some() == first.is_some());
        ensure!(is_whole, "a batch is there in part: {found:?}");
        let first = match first {
            Some(first) => first,
            None => log.head().await?.position.n() + 1,
        };
        let due: Vec<_> = (first..).take(batch.len()).collect();
        let numbers = log.append(&batch).await?;
        equal(
            format_args!("a batch of which {found:?} was there, appended again"),
            &numbers,
            &due,
        )?;
        for (n, new) in numbers.into_iter().zip(&batch) {
            self.learn(n, new.id())?;
        }
        Ok(())
    }
}
