//! Following the head: one task looks, when it is asked to and now and then, so that however often
//! it is asked one small read is under way at a time.

use std::{
    sync::{Arc, Weak, atomic::Ordering::Relaxed},
    time::Duration,
};

use mongodb::{
    bson::{Document, doc},
    options::ReadConcern,
};
use tokio_util::sync::CancellationToken;

use super::{
    head::{HEAD, HeadRecord, binary},
    prepare::prepare,
    read::{self, Wanted, sound},
    row::Row,
    shared::{Look, Shared},
};
use crate::{
    log::{
        Head,
        tail::{BYTES, ENTRIES, Tail},
        trimmed::Trimmed,
    },
    mongo::{Deployment, Mongo, commit::carry_out, fault::Fault, handle::PATIENCE},
    values::Epoch,
};

/// How often it looks when nobody asks.
const POLL: Duration = Duration::from_millis(500);

/// How many entries are read at once.
const PAGE: usize = 256;

/// Runs until the log is closed or dropped.
pub(super) async fn follow(log: Weak<Shared>, closing: CancellationToken) {
    let mut failing = false;
    let mut prepared = false;
    loop {
        let Some(shared) = log.upgrade() else { return };
        let ticket = shared.asked.load(Relaxed);
        let seen = tokio::select! {
            () = closing.cancelled() => return,
            seen = shared.look_now(&mut prepared) => seen.map(Arc::new),
        };
        say_change(&seen, &mut failing);
        shared.looked.send_replace(Look { ticket, seen });
        let pause = tokio::time::sleep(POLL);
        tokio::select! {
            () = closing.cancelled() => return,
            // Where it fails nobody can have it fail more often.
            () = shared.ask.notified(), if !failing => {}
            () = pause => {}
        }
    }
}

/// One line when the log cannot be reached any more, and one when it can again.
fn say_change(seen: &Result<Arc<HeadRecord>, Fault>, failing: &mut bool) {
    match seen {
        Err(fault) if !*failing => {
            *failing = true;
            tracing::warn!(
                error = fault as &dyn std::error::Error,
                "the log in MongoDB cannot be read; trying again"
            );
        }
        Ok(_) if *failing => {
            *failing = false;
            tracing::info!("the log in MongoDB can be read");
        }
        Ok(_) | Err(_) => {}
    }
}

impl Shared {
    /// Reads the head, and what the tail lacks up to there.
    async fn look_now(&self, prepared: &mut bool) -> Result<HeadRecord, Fault> {
        loop {
            if !*prepared {
                prepare(&self.mongo).await?;
                *prepared = true;
                self.say_deployment().await?;
            }
            let known = self.lock().as_ref().map(Tail::head);
            let concern = Mongo::reading(self.mongo.deployed().await?);
            let Some(head) = read::head(&self.mongo, concern).await? else {
                *prepared = false;
                continue;
            };
            if let Some(pending) = head.pending {
                let mongo = self.mongo.clone();
                self.mongo
                    .run(PATIENCE, async move { carry_out(&mongo, &pending).await })
                    .await?;
                continue;
            }
            if !goes_on(known, &head) {
                self.begin_epoch_if_it_went_back(known).await?;
                continue;
            }
            if self.take_in(&head).await? {
                return Ok(head);
            }
        }
    }

    async fn say_deployment(&self) -> Result<(), Fault> {
        if self.mongo.deployed().await? == Deployment::Standalone {
            tracing::warn!(
                "MongoDB is a standalone server, without transactions: this is for development only"
            );
        }
        Ok(())
    }

    /// What a new primary has read a majority to have may be older for a moment. Where the head
    /// really is behind what was seen here, history was rewritten.
    async fn begin_epoch_if_it_went_back(&self, known: Option<Head>) -> Result<(), Fault> {
        let concern = match self.mongo.deployed().await? {
            Deployment::ReplicaSet => ReadConcern::linearizable(),
            Deployment::Standalone => ReadConcern::local(),
        };
        match read::head(&self.mongo, concern).await? {
            Some(head) if !goes_on(known, &head) => self.begin_epoch(&head).await,
            Some(_) | None => Ok(()),
        }
    }

    /// History is not what was seen here.
    pub(in crate::mongo) async fn begin_epoch(&self, head: &HeadRecord) -> Result<(), Fault> {
        let everything = Wanted {
            after: 0,
            upto: u64::MAX,
            rooms: None,
            limit: 1,
        };
        let last = read::last_entries(&self.mongo, everything, 0).await?;
        let last = last
            .first()
            .and_then(Row::identity)
            .filter(|(n, _)| *n > head.standing.n);
        let (n, id) = last.unwrap_or((head.standing.n, head.standing.id));
        let set = doc! {
            "epoch": Epoch::random().to_bits().cast_signed(),
            "turn": head.standing.turn + 1,
            "n": n.cast_signed(),
            "id": binary(id),
        };
        let concern = Mongo::writing(self.mongo.deployed().await?);
        let (heads, filter) = (
            self.mongo.database().collection::<Document>(HEAD),
            head.standing.filter(),
        );
        let work = async move {
            heads
                .update_one(filter, doc! { "$set": set })
                .write_concern(concern)
                .await
        };
        let written = self.mongo.run(PATIENCE, work).await?;
        if written.matched_count == 1 {
            tracing::warn!(
                "the log in MongoDB is older than what was seen of it: it begins a new epoch, clients will reload"
            );
        }
        Ok(())
    }

    /// Takes in what is new. `false`: history is not what was seen here, look again.
    async fn take_in(&self, head: &HeadRecord) -> Result<bool, Fault> {
        let known = self.lock().as_ref().map(Tail::head);
        match known {
            Some(known) if known.position.epoch() == head.standing.epoch => {
                self.go_on(known, head).await
            }
            Some(_) | None => self.begin(head).await.map(|()| true),
        }
    }

    /// The tail of a history that was not known so far.
    async fn begin(&self, head: &HeadRecord) -> Result<(), Fault> {
        let mut trimmed = Trimmed::from_marks(std::collections::HashMap::new(), head.others);
        for (room, n) in read::marks(&self.mongo, 0).await? {
            trimmed.mark(&room, n.min(head.floor));
        }
        let n = head.standing.n;
        let from = head.floor.max(n.saturating_sub(ENTRIES as u64));
        let wanted = Wanted {
            after: from,
            upto: n,
            rooms: None,
            limit: ENTRIES,
        };
        let mut rows = read::last_entries(&self.mongo, wanted, BYTES).await?;
        rows.reverse();
        let first = rows
            .first()
            .and_then(Row::identity)
            .map(|(first, _)| first - 1);
        let (entries, damaged) = sound(rows, head.standing.epoch, first.unwrap_or(n));
        let damaged = damaged.or((first.is_none() && n > head.floor).then_some(n));
        let mut tail = Tail::new(head.head(), trimmed).stored(head.bytes);
        tail.fill(&entries);
        tail.lose(head.lost);
        lose(&mut tail, damaged);
        let known = self.lock().replace(tail).is_some();
        if known {
            // Whoever follows is woken, though the number may be a lower one.
            self.head.send_replace(n);
            self.own.send_replace(0);
        }
        self.tell();
        Ok(())
    }

    async fn go_on(&self, known: Head, head: &HeadRecord) -> Result<bool, Fault> {
        if head.floor > known.floor {
            let marks = read::marks(&self.mongo, known.floor).await?;
            self.with_tail(|tail| {
                marks
                    .iter()
                    .for_each(|(room, n)| tail.mark(room, head.floor.min(*n)));
                tail.raise_others(head.others);
                tail.raise_floor(head.floor);
                tail.lose(head.lost);
                tail.set_stored(head.bytes);
            })?;
        }
        let (position, n) = (known.position, head.standing.n);
        let mut after = beginning(position.n(), head);
        while after < n && position != head.standing.position() {
            let wanted = Wanted {
                after,
                upto: n,
                rooms: None,
                limit: PAGE,
            };
            let rows = read::entries(&self.mongo, wanted).await?;
            let Some((last, _)) = rows.last().and_then(Row::identity) else {
                if self.suspect.swap(n, Relaxed) != n {
                    return Ok(false);
                }
                return self.begin(head).await.map(|()| true);
            };
            let (entries, damaged) = sound(rows, head.standing.epoch, after);
            if let Some(upto) = damaged
                && (self.is_trimmed(upto).await? || self.suspect.swap(upto, Relaxed) != upto)
            {
                return Ok(false);
            }
            let same = entries.iter().find(|entry| entry.n() == position.n());
            if same.is_some_and(|entry| entry.position() != position) {
                self.begin_epoch(head).await?;
                return Ok(false);
            }
            self.with_tail(|tail| {
                tail.feed(&entries);
                lose(tail, damaged);
            })?;
            self.tell();
            after = last.max(after + 1);
        }
        Ok(true)
    }

    /// What is stored up to `n` cannot be read: it counts as trimmed.
    pub(super) fn give_up(&self, epoch: Epoch, n: u64) -> Result<(), Fault> {
        self.with_tail(|tail| {
            let missing = n > tail.head().floor && tail.head().position.epoch() == epoch;
            lose(tail, missing.then_some(n.min(tail.head().position.n())));
        })
    }

    /// Whether what is missing was trimmed while it was to be read.
    pub(super) async fn is_trimmed(&self, upto: u64) -> Result<bool, Fault> {
        let concern = Mongo::reading(self.mongo.deployed().await?);
        Ok(read::head(&self.mongo, concern)
            .await?
            .is_none_or(|head| head.floor >= upto))
    }
}

/// Where reading goes on, for whoever has seen entry `n`: it is read once more, since it may be
/// another one now.
fn beginning(n: u64, head: &HeadRecord) -> u64 {
    let far = head.standing.n.saturating_sub(ENTRIES as u64);
    n.saturating_sub(1).max(far).max(head.floor)
}

/// Whether the head can be a later state of what was seen.
fn goes_on(known: Option<Head>, head: &HeadRecord) -> bool {
    known.is_none_or(|known| {
        let (before, now) = (known.position, head.standing.position());
        before.epoch() != now.epoch() || before.n() < now.n() || before == now
    })
}

/// Gives up what is damaged.
fn lose(tail: &mut Tail, damaged: Option<u64>) {
    if let Some(upto) = damaged
        && tail.lose(upto)
    {
        tracing::error!(
            upto,
            "the log in MongoDB is damaged: entries up to this number are given up, and whoever needs them is told \
             to reload"
        );
    }
}
