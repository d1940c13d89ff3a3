//! Random stories: after any operations in any order, every result is the model's.
//!
//! A story is determined by its seed. Later stories are longer, so that the first that fails is a
//! short one.

use rand::{Rng as _, RngExt as _, SeedableRng as _, rngs::StdRng};

use super::{
    Subject, Trial, Verdict, ensure, equal,
    model::{Asked, Model},
    read, sample,
};
use crate::{Room, log::Retention};

const STORIES: u64 = 18;

pub(super) async fn stories<S: Subject>() -> Verdict {
    for seed in 0..STORIES {
        let mut story = Story::<S>::new(seed).await?;
        for step in 0..10 + seed * 3 {
            let stepped = story.step().await;
            story = stepped.map_err(|(what, did)| {
                format!("{what}\n  in story {seed}, step {step}: {}", did.join(", "))
            })?;
        }
    }
    Ok(())
}

struct Story<S: Subject> {
    random: StdRng,
    keep: usize,
    trial: Trial<S>,
    model: Model,
    /// The operations so far, for the report of a failure.
    did: Vec<String>,
}

impl<S: Subject> Story<S> {
    async fn new(seed: u64) -> Verdict<Self> {
        let mut random = StdRng::seed_from_u64(seed);
        let keep = random.random_range(3..40);
        let trial = Trial::keeping(Retention::DISK.entries(keep)).await;
        let epoch = trial.log.head().await?.position.epoch();
        let model = Model {
            epoch,
            entries: Vec::new(),
        };
        Ok(Self {
            random,
            keep,
            trial,
            model,
            did: vec![format!("open, keeping {keep}")],
        })
    }

    async fn step(mut self) -> Result<Self, (String, Vec<String>)> {
        let checked = match self.random.random_range(0..10) {
            0..=3 => self.append().await,
            4..=6 => self.read().await,
            7 => self.history().await,
            8 => self.trim().await,
            _ => return self.reopen().await,
        };
        checked.map_err(|what| (what, self.did.clone()))?;
        Ok(self)
    }

    /// Appends new entries, and the last one again up to twice.
    async fn append(&mut self) -> Verdict {
        let count = self.random.random_range(0..5);
        let repeats = self.random.random_range(0..3);
        let rooms = sample::rooms();
        let mut batch: Vec<_> = (0..count)
            .map(|i| sample::entry(self.subset(&rooms), &serde_json::json!({ "i": i })))
            .collect();
        let head = self.model.entries.len() as u64;
        let mut due: Vec<u64> = (head + 1..).take(count).collect();
        self.model.entries.extend(batch.iter().cloned());
        // Only the last entry certainly exists: the log may trim at any time.
        for _ in 0..repeats.min(head) {
            let at = self.random.random_range(0..=batch.len());
            batch.insert(at, self.model.entries[head as usize - 1].clone());
            due.insert(at, head);
        }
        self.did.push(format!("append {due:?}"));
        equal("the numbers", self.trial.log.append(&batch).await?, due)?;
        self.check_head().await
    }

    async fn read(&mut self) -> Verdict {
        let (rooms, after, limit) = self.question();
        let rooms = rooms.filter(|_| self.random.random_bool(0.8));
        let asked = Asked {
            rooms: rooms.as_deref(),
            after,
            limit,
        };
        self.did.push(format!("read {asked:?}"));
        read::page(&self.trial.log, &self.model, asked)
            .await
            .map(drop)
    }

    async fn history(&mut self) -> Verdict {
        let (rooms, after, limit) = self.question();
        let asked = Asked {
            rooms: rooms.as_deref(),
            after,
            limit,
        };
        self.did.push(format!("history {asked:?}"));
        read::history(&self.trial.log, &self.model, asked).await
    }

    async fn trim(&mut self) -> Verdict {
        self.did.push("trim".to_owned());
        self.trial.trim().await;
        let head = self.trial.log.head().await?;
        let kept = head.position.n() - head.floor;
        let due = self.model.entries.len().min(self.keep) as u64;
        ensure!(kept == due, "{kept} entries are kept instead of {due}");
        self.model.check_head(head)
    }

    async fn reopen(mut self) -> Result<Self, (String, Vec<String>)> {
        if !S::DURABLE {
            return Ok(self);
        }
        let crash = self.random.random_bool(0.5);
        if crash {
            self.did.push("crash".to_owned());
            self.trial = self.trial.crashed().await;
        } else {
            self.did.push("close".to_owned());
            self.trial = self.trial.reopened().await;
        }
        self.check_head()
            .await
            .map_err(|what| (what, self.did.clone()))?;
        Ok(self)
    }

    async fn check_head(&self) -> Verdict {
        let head = self.trial.log.head().await?;
        equal(
            "the head",
            head.position.n(),
            self.model.entries.len() as u64,
        )?;
        self.model.check_head(head)
    }

    fn question(&mut self) -> (Option<Vec<Room>>, u64, usize) {
        let rooms = self.subset(&sample::rooms());
        let after = self
            .random
            .random_range(0..=self.model.entries.len() as u64 + 2);
        (Some(rooms), after, self.random.random_range(0..12))
    }

    fn subset(&mut self, rooms: &[Room]) -> Vec<Room> {
        // The conjunction of two numbers has fewer bits: few rooms are more frequent than many.
        let bits = self.random.next_u64() & self.random.next_u64();
        sample::subset(rooms, bits as usize)
    }
}
