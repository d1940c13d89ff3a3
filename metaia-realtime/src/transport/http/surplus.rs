//! Connections beyond the limit: a health check is answered, every other request is answered 503.
//!
//! Which of the two it is follows from the first bytes of the request, which a health check sends
//! at once. A connection that sends nothing is closed after 250 ms, and before that if 128 newer
//! ones have come: a client that opens silent connections, however fast, does not keep a health
//! check from being read. At most 32 health checks are answered at a time, each within 5 s; beyond
//! that they are closed like the others.

use std::{collections::VecDeque, io, net::SocketAddr, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// The connections whose first bytes are awaited. One more ends the wait of the oldest.
const MAX_WAITING: usize = 128;

/// The most connections that wait, and of those whose wait has ended and whose task has not run
/// since.
const MAX_TURNS: usize = 192;

/// The time in which a health check sends its first bytes.
const FIRST_BYTES_TIMEOUT: Duration = Duration::from_millis(250);

/// The most health checks that are answered at a time.
const MAX_HEALTH_CHECKS: usize = 32;

/// The time in which a health check is answered.
pub(super) const HEALTH_CHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// The bytes of a request that are looked at: its method and its path.
const LOOKED_AT: usize = 128;

/// A connection for which there is no place.
#[derive(Debug)]
pub(crate) struct Surplus {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
}

/// The connections beyond the limit that are not answered yet. A handle: clones share them.
#[derive(Debug, Clone)]
pub(super) struct HealthChecks {
    paths: Arc<[String]>,
    waiting: Arc<Mutex<VecDeque<CancellationToken>>>,
    turns: Arc<Semaphore>,
    permits: Arc<Semaphore>,
}

/// The turn of a connection that waits, until it is dropped or taken by another.
#[derive(Debug)]
pub(super) struct Turn {
    taken: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

/// The first bytes of a connection beyond the limit.
#[derive(Debug)]
pub(super) enum FirstBytes {
    /// They ask for the health of the server.
    HealthCheck(OwnedSemaphorePermit),
    /// They ask for something else.
    OtherRequest,
    /// There are none, or too many health checks are being answered.
    Nothing,
}

impl HealthChecks {
    /// Returns the health checks of a server that answers them at these paths.
    pub(super) fn new(paths: Vec<String>) -> Self {
        Self {
            paths: paths.into(),
            waiting: Arc::default(),
            turns: Arc::new(Semaphore::new(MAX_TURNS)),
            permits: Arc::new(Semaphore::new(MAX_HEALTH_CHECKS)),
        }
    }

    /// Lets the next connection wait, and ends the wait of the oldest one if many wait.
    /// Returns `None` if many of those whose wait has ended are not closed yet.
    pub(super) fn wait(&self) -> Option<Turn> {
        let permit = Arc::clone(&self.turns).try_acquire_owned().ok()?;
        let taken = CancellationToken::new();
        let mut waiting = self.waiting.lock();
        waiting.push_back(taken.clone());
        if waiting.len() > MAX_WAITING {
            let oldest = waiting.pop_front();
            oldest.inspect(CancellationToken::cancel);
        }
        Some(Turn {
            taken,
            _permit: permit,
        })
    }

    /// Looks at what a connection has sent before it was accepted: `None` if there is nothing yet.
    ///
    /// The kernel is asked directly. The runtime would learn only later that there are bytes, and
    /// while many connections arrive, its turn would be over by then.
    pub(super) fn look_now(&self, surplus: Surplus) -> io::Result<(Surplus, Option<FirstBytes>)> {
        let mut start = [0; LOOKED_AT];
        let stream = surplus.stream.into_std()?;
        let seen = match stream.peek(&mut start) {
            Ok(length) => Some(self.judge(&start[..length])),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(error) => return Err(error),
        };
        let stream = TcpStream::from_std(stream)?;
        Ok((Surplus { stream, ..surplus }, seen))
    }

    /// Waits for the first bytes of a connection during its turn, and leaves them there.
    pub(super) async fn wait_for(&self, stream: &TcpStream, turn: Turn) -> FirstBytes {
        let mut start = [0; LOOKED_AT];
        let peek = timeout(FIRST_BYTES_TIMEOUT, stream.peek(&mut start));
        match turn.taken.run_until_cancelled(peek).await {
            Some(Ok(Ok(length))) => self.judge(&start[..length]),
            _ => FirstBytes::Nothing,
        }
    }

    fn judge(&self, start: &[u8]) -> FirstBytes {
        if start.is_empty() {
            return FirstBytes::Nothing;
        }
        if !self.is_health_check(start) {
            return FirstBytes::OtherRequest;
        }
        match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => FirstBytes::HealthCheck(permit),
            Err(_) => FirstBytes::Nothing,
        }
    }

    fn is_health_check(&self, start: &[u8]) -> bool {
        let Some(path) = path_of(start) else {
            return false;
        };
        let path = path.strip_suffix(b"/").unwrap_or(path);
        self.paths.iter().any(|own| own.as_bytes() == path)
    }
}

/// Returns the path of a request that begins with these bytes, if it is one that only reads.
fn path_of(start: &[u8]) -> Option<&[u8]> {
    let get = start.strip_prefix(b"GET ");
    let target = get.or_else(|| start.strip_prefix(b"HEAD "))?;
    let end = target.iter().position(|byte| matches!(byte, b' ' | b'?'))?;
    Some(&target[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(start: &str, expected: bool) {
        let checks = HealthChecks::new(vec!["/livez".to_owned(), "/readyz".to_owned()]);
        assert_eq!(
            checks.is_health_check(start.as_bytes()),
            expected,
            "{start}"
        );
    }

    #[test]
    fn a_health_check_reads_one_of_the_paths() {
        check("GET /livez HTTP/1.1\r\n", true);
        check("HEAD /readyz/ HTTP/1.0\r\n", true);
        check("GET /readyz?full HTTP/1.1\r\n", true);
        check("POST /readyz HTTP/1.1\r\n", false);
        check("GET /readyz", false);
        check("GET /livez/../api/orders HTTP/1.1\r\n", false);
        check("GET / HTTP/1.1\r\n", false);
        check("", false);
    }

    #[test]
    fn newer_connections_take_the_turn_of_the_oldest() {
        let checks = HealthChecks::new(Vec::new());
        let turns: Vec<_> = (0..=MAX_WAITING).filter_map(|_| checks.wait()).collect();
        assert!(turns[0].taken.is_cancelled());
        assert!(turns[1..].iter().all(|turn| !turn.taken.is_cancelled()));
    }

    #[test]
    fn the_number_of_connections_is_bounded_also_while_their_tasks_do_not_run() {
        let checks = HealthChecks::new(Vec::new());
        let turns: Vec<_> = (0..1_000).filter_map(|_| checks.wait()).collect();
        assert_eq!(turns.len(), MAX_TURNS);
        drop(turns);
        assert!(checks.wait().is_some());
    }
}
