//! The counts of what was written to a client, and of the pings between. All of them begin with the
//! Engine.IO session.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::scan::Written;
use crate::session::Progress;

/// The counts of one client: what was written to it, and which pings it has answered.
#[derive(Debug, Default)]
pub(super) struct WriteCounts {
    /// Packets written.
    written: AtomicU64,
    /// Packets written before the last ping.
    pinged: AtomicU64,
    /// Packets written before the last ping that the client answered.
    answered: AtomicU64,
    pongs: AtomicU64,
    /// The client has yet to answer the last ping.
    is_pinged: AtomicBool,
}

impl WriteCounts {
    /// Returns counts that go on from these.
    pub(super) fn continued(&self) -> Self {
        let progress = self.progress();
        Self {
            written: AtomicU64::new(progress.written),
            pinged: AtomicU64::new(progress.pinged),
            answered: AtomicU64::new(progress.answered),
            pongs: AtomicU64::new(progress.pongs),
            is_pinged: AtomicBool::new(self.is_pinged()),
        }
    }

    pub(super) fn progress(&self) -> Progress {
        // In the reverse order of the writes: `pinged` comes last, so that it includes every ping
        // that the other counts include. See `Progress`.
        let written = self.written.load(Ordering::Acquire);
        let pongs = self.pongs.load(Ordering::Acquire);
        let answered = self.answered.load(Ordering::Acquire);
        let pinged = self.pinged.load(Ordering::Acquire);
        Progress {
            written,
            pinged,
            answered,
            pongs,
        }
    }

    /// Returns the number of packets that were written.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// Returns whether the client has yet to answer the last ping.
    pub(super) fn is_pinged(&self) -> bool {
        self.is_pinged.load(Ordering::Acquire)
    }

    /// Counts packets that were written. Calls come one after another.
    pub(super) fn add(&self, written: Written) {
        // `pinged` before `written`, see `progress`.
        if let Some(before_ping) = written.before_ping {
            let pinged = self.written() + before_ping;
            self.pinged.store(pinged, Ordering::Release);
            self.is_pinged.store(true, Ordering::Release);
        }
        self.written.fetch_add(written.packets, Ordering::AcqRel);
    }

    /// Records a pong of the client.
    pub(super) fn pong(&self) {
        // A pong answers the last ping, since the next one is sent only after the pong. An
        // unsolicited pong confirms only packets that were written before a ping.
        let pinged = self.pinged.load(Ordering::Acquire);
        self.answered.store(pinged, Ordering::Release);
        self.pongs.fetch_add(1, Ordering::AcqRel);
        self.is_pinged.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(counts: &WriteCounts, [written, pinged, answered, pongs]: [u64; 4]) {
        let expected = Progress {
            written,
            pinged,
            answered,
            pongs,
        };
        assert_eq!(counts.progress(), expected);
    }

    #[test]
    fn counts_go_on_elsewhere() {
        let counts = WriteCounts::default();
        counts.add(Written {
            packets: 3,
            before_ping: Some(2),
        });
        let continued = counts.continued();
        counts.pong();
        continued.add(Written {
            packets: 1,
            before_ping: None,
        });
        check(&counts, [3, 2, 2, 1]);
        check(&continued, [4, 2, 0, 0]);
    }

    #[test]
    fn an_unsolicited_pong_confirms_nothing() {
        let counts = WriteCounts::default();
        counts.add(Written {
            packets: 3,
            before_ping: None,
        });
        counts.pong();
        check(&counts, [3, 0, 0, 1]);
        counts.add(Written {
            packets: 2,
            before_ping: Some(1),
        });
        check(&counts, [5, 4, 0, 1]);
        counts.pong();
        counts.pong();
        check(&counts, [5, 4, 4, 3]);
    }
}
