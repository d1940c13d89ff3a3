//! What killed processes said they appended, and whether the log has it.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use super::{Probe, Verdict, crowd, ensure, equal, probe::same, sample};
use crate::{EventId, EventLog, NewEntry, log::Entry, values::Epoch};

/// The past, as those who are not dead any more may know it.
#[derive(Debug, Default)]
pub(super) struct Survivors {
    epoch: Option<Epoch>,
    /// Whatever anybody tried to append.
    tried: HashMap<EventId, NewEntry>,
    /// What was answered or read: it stays so for ever.
    known: BTreeMap<u64, EventId>,
    answered: usize,
}

/// A batch whose append was never answered.
type Unknown = Vec<NewEntry>;

impl Survivors {
    /// How many appends were answered before their process was killed.
    pub(super) const fn acknowledged(&self) -> usize {
        self.answered
    }

    /// Takes what a process printed. Answers the appends whose outcome it did not live to hear.
    pub(super) fn hear(&mut self, lines: &[String]) -> Verdict<Vec<Unknown>> {
        let mut open: HashMap<usize, Unknown> = HashMap::new();
        for line in lines {
            let mut words = line.split_whitespace();
            let (verb, i) = (words.next(), words.next().and_then(|i| i.parse().ok()));
            match (verb, i) {
                (Some("try"), Some(i)) => drop(open.insert(i, self.tries(i, words)?)),
                (Some("answered"), Some(i)) => self.hears_answer(open.remove(&i), words)?,
                _ => {}
            }
        }
        Ok(open.into_values().collect())
    }

    /// The batch number `i` under the ids that it was given there.
    fn tries<'a>(&mut self, i: usize, ids: impl Iterator<Item = &'a str>) -> Verdict<Unknown> {
        let mut batch = Vec::new();
        for (new, id) in crowd::batch(i).into_iter().zip(ids) {
            let id = id.parse().map_err(|_| format!("{id} is no id"))?;
            batch.push(new.with_id(id));
        }
        self.tried
            .extend(batch.iter().map(|new| (new.id(), new.clone())));
        Ok(batch)
    }

    fn hears_answer<'a>(
        &mut self,
        batch: Option<Unknown>,
        numbers: impl Iterator<Item = &'a str>,
    ) -> Verdict {
        let batch = batch.ok_or("an append was answered that nobody tried")?;
        for (new, n) in batch.iter().zip(numbers) {
            self.learn(
                n.parse().map_err(|_| format!("{n} is no number"))?,
                new.id(),
            )?;
        }
        self.answered += 1;
        Ok(())
    }

    fn learn(&mut self, n: u64, id: EventId) -> Verdict {
        let known = *self.known.entry(n).or_insert(id);
        equal(format_args!("entry {n} after it was seen"), id, known)
    }

    /// Whether the log has everything that is known, and nothing in part; and then appends again
    /// what nobody knows the outcome of.
    pub(super) async fn check<L: EventLog>(
        &mut self,
        log: &Probe<L>,
        unknown: Vec<Unknown>,
    ) -> Verdict {
        let head = log.head().await?;
        let epoch = head.position.epoch();
        equal("the epoch", epoch, *self.epoch.get_or_insert(epoch))?;
        let entries = log.all().await?;
        equal(
            "the end of what can be read",
            entries.last().map_or(0, |last| last.n()),
            head.position.n(),
        )?;
        self.check_entries(&entries, head.floor)?;
        self.check_known(&entries, head.floor)?;
        self.check_marks(log, head.floor).await?;
        for batch in unknown {
            self.again(log, &entries, head.floor, batch).await?;
        }
        Ok(())
    }

    fn check_entries(&mut self, entries: &[Arc<Entry>], floor: u64) -> Verdict {
        for (n, entry) in (floor + 1..).zip(entries) {
            equal("the number of the next entry", entry.n(), n)?;
            let id = entry.content().id();
            let Some(new) = self.tried.get(&id) else {
                return Err(format!("nobody appended entry {n}"));
            };
            same(entry, new)?;
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

    /// Everybody who missed what was trimmed is told.
    async fn check_marks<L: EventLog>(&self, log: &Probe<L>, floor: u64) -> Verdict {
        for room in sample::rooms() {
            let gone = self
                .known
                .range(..=floor)
                .rev()
                .find(|(_, id)| self.tried[id].rooms().contains(&room));
            let least = gone.map_or(0, |(n, _)| *n);
            let trimmed = log
                .read(Some(std::slice::from_ref(&room)), 0, 1)
                .await?
                .trimmed;
            let told = (least..=floor).contains(&trimmed);
            ensure!(
                told,
                "entry {least} of {room} was trimmed, the floor is {floor}, and trimmed {trimmed}"
            );
        }
        Ok(())
    }

    /// The batch is there as a whole or not at all, and afterwards it is there.
    async fn again<L: EventLog>(
        &mut self,
        log: &Probe<L>,
        entries: &[Arc<Entry>],
        floor: u64,
        batch: Unknown,
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
            // Its beginning may have been trimmed.
            return Ok(());
        }
        let whole = found.iter().all(|n| n.is_some() == first.is_some());
        ensure!(whole, "a batch is there in part: {found:?}");
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
        numbers
            .into_iter()
            .zip(&batch)
            .try_for_each(|(n, new)| self.learn(n, new.id()))
    }
}
