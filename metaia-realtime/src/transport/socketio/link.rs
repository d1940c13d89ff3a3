//! Links: what belongs to one Engine.IO session, over whatever TCP connections it comes.
//!
//! A client that begins with polling makes several connections, and its upgrade yet another one, so
//! that the link is found by the `sid` in the query. The table is bounded by the rate of
//! handshakes: a link that no session has joined is forgotten soon after its time to authenticate.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use super::{Engine, port::close_polling, read_budget::Intake};
use crate::{
    Limits,
    session::{EndReason, Progress},
    transport::guard::{Connection, Observer, WeakConnection, Written},
};

/// One Engine.IO session's way to its client.
#[derive(Debug)]
pub(crate) struct Link {
    /// Whether all its connections are of ours, so that what is written can be counted.
    uncounted: AtomicBool,
    written: AtomicU64,
    /// What had been written before the last ping, and before the last one that was answered.
    pinged: AtomicU64,
    answered: AtomicU64,
    pongs: AtomicU64,
    refused: AtomicU32,
    pub(super) intake: Intake,
    sockets: Mutex<Vec<WeakConnection>>,
    /// Where it began with polling: what ends it as long as it polls.
    polling: Option<(Weak<Engine>, String)>,
    lost: OnceLock<EndReason>,
    pub(super) wake: Notify,
}

impl Link {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            uncounted: AtomicBool::new(false),
            written: AtomicU64::new(0),
            pinged: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            pongs: AtomicU64::new(0),
            refused: AtomicU32::new(0),
            intake: Intake::new(limits),
            sockets: Mutex::default(),
            polling: None,
            lost: OnceLock::new(),
            wake: Notify::new(),
        }
    }

    pub(super) fn of_polling(engine: &Arc<Engine>, sid: &str, limits: &Limits) -> Self {
        Self {
            polling: Some((Arc::downgrade(engine), sid.to_owned())),
            ..Self::new(limits)
        }
    }

    /// Why it was ended from below, if it was.
    pub(super) fn lost(&self) -> Option<EndReason> {
        self.lost.get().copied()
    }

    /// The same, of a POST.
    pub(super) fn add_posted(&self, bytes: usize) {
        self.must(self.intake.take_posted(bytes));
    }

    fn must(&self, is_within: bool) {
        if !is_within {
            self.lose(EndReason::RateLimited);
        }
    }

    /// How far it is, in events and acks since it began; `None` where that cannot be seen.
    pub(super) fn progress(&self) -> Option<Progress> {
        if self.uncounted.load(Ordering::Acquire) {
            return None;
        }
        let of = |count: &AtomicU64| count.load(Ordering::Acquire);
        let (written, pongs, answered) = (of(&self.written), of(&self.pongs), of(&self.answered));
        Some(Progress {
            written,
            pinged: of(&self.pinged),
            answered,
            pongs,
        })
    }

    /// A connection became a WebSocket of this link; `None`: one that is not wrapped by ours.
    pub(super) fn upgraded(self: &Arc<Self>, connection: Option<&Connection>) {
        match connection {
            Some(connection) => {
                connection.upgrade(Arc::clone(self) as _);
                let mut sockets = self.sockets();
                sockets.retain(|socket| socket.upgrade().is_some());
                sockets.push(connection.downgrade());
            }
            None => self.uncounted.store(true, Ordering::Release),
        }
    }

    /// Kills its WebSockets. Answers whether there were any.
    pub(super) fn kill(&self) -> bool {
        let sockets = std::mem::take(&mut *self.sockets());
        let alive: Vec<Connection> = sockets.iter().filter_map(WeakConnection::upgrade).collect();
        alive.iter().for_each(Connection::kill);
        !alive.is_empty()
    }

    /// A CONNECT was refused; answers the how manieth.
    pub(super) fn refuse(&self) -> u32 {
        self.refused.fetch_add(1, Ordering::AcqRel) + 1
    }

    fn sockets(&self) -> MutexGuard<'_, Vec<WeakConnection>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Link {
    /// More has been written. Of the two counts, the pings' is told first: see [`Progress`].
    fn written(&self, written: Written) {
        if let Some(before) = written.before_ping {
            self.pinged.store(
                self.written.load(Ordering::Acquire) + before,
                Ordering::Release,
            );
        }
        if written.packets > 0 {
            self.written.fetch_add(written.packets, Ordering::AcqRel);
            self.wake.notify_one();
        }
    }

    /// A pong came. It answers the last ping, since the engine sends the next only after it; one
    /// that nobody asked for confirms nothing that was not written before a ping.
    fn pong(&self) {
        self.answered
            .store(self.pinged.load(Ordering::Acquire), Ordering::Release);
        self.pongs.fetch_add(1, Ordering::AcqRel);
        self.wake.notify_one();
    }

    /// So many more bytes came over one of its WebSockets. Ends the session where that is too much.
    fn read(&self, bytes: usize) {
        self.must(self.intake.take(bytes));
    }

    /// Ends the Engine.IO session, whatever it comes over now. The first reason counts.
    fn lose(&self, why: EndReason) {
        self.lost.set(why).ok();
        self.kill();
        if let Some((engine, sid)) = &self.polling
            && let Some(engine) = engine.upgrade()
        {
            close_polling(&engine, sid);
        }
    }
}

/// The links of a node that began with polling, by `sid`.
#[derive(Debug)]
pub(super) struct Links {
    table: Mutex<Table>,
    forget_after: Duration,
}

#[derive(Debug, Default)]
struct Table {
    links: HashMap<String, Arc<Link>>,
    opened: VecDeque<(Instant, String)>,
}

impl Links {
    pub(super) fn new(unauthenticated: Duration) -> Self {
        Self {
            table: Mutex::default(),
            forget_after: unauthenticated * 2,
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn open(&self, sid: &str, link: Arc<Link>) {
        let mut table = self.table();
        table.forget_unjoined(self.forget_after);
        table.links.insert(sid.to_owned(), link);
        table.opened.push_back((Instant::now(), sid.to_owned()));
    }

    pub(super) fn len(&self) -> usize {
        self.table().links.len()
    }

    pub(super) fn find(&self, sid: &str) -> Option<Arc<Link>> {
        self.table().links.get(sid).cloned()
    }

    pub(super) fn remove(&self, sid: &str) {
        self.table().links.remove(sid);
    }
}

impl Table {
    fn forget_unjoined(&mut self, after: Duration) {
        while self
            .opened
            .front()
            .is_some_and(|(at, _)| at.elapsed() > after)
        {
            let Some((_, sid)) = self.opened.pop_front() else {
                return;
            };
            if self
                .links
                .get(&sid)
                .is_some_and(|link| !link.intake.has_joined())
            {
                self.links.remove(&sid);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_and_its_link_do_not_keep_each_other() {
        let connection = Connection::new(([127, 0, 0, 1], 1).into());
        let link = Arc::new(Link::new(&Limits::default()));
        link.upgraded(Some(&connection));
        let seen = connection.downgrade();
        drop(connection);
        assert!(seen.upgrade().is_none());
        assert_eq!(Arc::strong_count(&link), 1);
        assert!(!link.kill(), "there is nothing to kill");
    }

    #[test]
    fn a_pong_that_nobody_asked_for_confirms_nothing() {
        let link = Link::new(&Limits::default());
        link.written(Written {
            packets: 3,
            before_ping: None,
        });
        link.pong();
        assert_eq!(
            link.progress(),
            Some(Progress {
                written: 3,
                pinged: 0,
                answered: 0,
                pongs: 1
            })
        );
        link.written(Written {
            packets: 2,
            before_ping: Some(1),
        });
        assert_eq!(
            link.progress(),
            Some(Progress {
                written: 5,
                pinged: 4,
                answered: 0,
                pongs: 1
            })
        );
        link.pong();
        link.pong();
        assert_eq!(
            link.progress(),
            Some(Progress {
                written: 5,
                pinged: 4,
                answered: 4,
                pongs: 3
            })
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_link_that_nobody_joined_is_forgotten() {
        let links = Links::new(Duration::from_secs(5));
        let link = || Arc::new(Link::new(&Limits::default()));
        links.open("stays", link());
        links.find("stays").unwrap().intake.join();
        links.open("goes", link());
        tokio::time::advance(Duration::from_secs(11)).await;
        links.open("new", link());
        assert!(links.find("stays").is_some() && links.find("new").is_some());
        assert!(links.find("goes").is_none());
    }
}
