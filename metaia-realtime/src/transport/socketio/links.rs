//! The table of links that began with polling, by `sid`.
//!
//! A client that begins with polling makes several connections, and its upgrade another one, so
//! that a request finds its link by the `sid` in the query. The rate of handshakes bounds the
//! table: a link that no session has joined is removed after twice the time that a client has to
//! authenticate.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::link::Link;

/// The links of a node that began with polling, by `sid`.
#[derive(Debug)]
pub(super) struct Links {
    table: Mutex<LinkTable>,
    join_timeout: Duration,
}

#[derive(Debug, Default)]
struct LinkTable {
    by_sid: HashMap<String, Arc<Link>>,
    /// The `sid` of every link that may still be unjoined, oldest first.
    opened: VecDeque<(Instant, String)>,
}

impl Links {
    /// Creates an empty table for clients that have the time `unauthenticated` to authenticate.
    pub(super) fn new(unauthenticated: Duration) -> Self {
        Self {
            table: Mutex::default(),
            join_timeout: unauthenticated.saturating_mul(2),
        }
    }

    /// Adds a link. Removes those that no session has joined in time.
    pub(super) fn insert(&self, sid: &str, link: Arc<Link>) {
        let mut table = self.table.lock();
        table.remove_unjoined(self.join_timeout);
        table.by_sid.insert(sid.to_owned(), link);
        table.opened.push_back((Instant::now(), sid.to_owned()));
    }

    pub(super) fn len(&self) -> usize {
        self.table.lock().by_sid.len()
    }

    #[cfg(all(test, feature = "testing"))]
    pub(super) fn all(&self) -> Vec<Arc<Link>> {
        self.table.lock().by_sid.values().cloned().collect()
    }

    pub(super) fn find(&self, sid: &str) -> Option<Arc<Link>> {
        self.table.lock().by_sid.get(sid).cloned()
    }

    pub(super) fn remove(&self, sid: &str) {
        self.table.lock().by_sid.remove(sid);
    }
}

impl LinkTable {
    fn remove_unjoined(&mut self, timeout: Duration) {
        while let Some((opened_at, sid)) = self.opened.front() {
            if opened_at.elapsed() <= timeout {
                return;
            }
            if let Some(link) = self.by_sid.get(sid)
                && !link.read_budget.has_joined()
            {
                self.by_sid.remove(sid);
            }
            self.opened.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Weak;

    use super::{
        super::{handshake::OpeningHandshake, link::PollingSession},
        *,
    };
    use crate::Limits;

    #[tokio::test(start_paused = true)]
    async fn a_link_that_no_session_joined_is_removed() {
        let links = Links::new(Duration::from_secs(5));
        let link = || {
            let polling = PollingSession::new(Weak::new(), "sid");
            Arc::new(Link::new(
                &Limits::default(),
                polling,
                OpeningHandshake::default(),
            ))
        };
        links.insert("stays", link());
        links.find("stays").unwrap().read_budget.join();
        links.insert("goes", link());
        tokio::time::advance(Duration::from_secs(11)).await;
        links.insert("new", link());
        assert!(links.find("stays").is_some() && links.find("new").is_some());
        assert!(links.find("goes").is_none());
    }
}
