//! `rt:sync` with a log whose head is late, in paused time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use parking_lot::Mutex;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use super::{
    log::Log,
    phone::{Phone, RATE_LIMITED},
    rounds::{NotifyPort, session_of},
    unreadable::head,
};
use crate::{
    EventLog, JwtAuthenticator, NewEntry, Position, Room,
    log::{Head, History, LogError, Page},
    node::{Node, NodeParts, Window},
    session::{
        Driven, EndReason, Inbound, InboundQueue, Outgoing, Session, SessionDriver, drive,
        resume::StartPoint,
    },
};

const SYNC: &str = "rt:sync";
/// The beginning of an answer.
const OK: &str = r#"{"status":"ok""#;
const UNAVAILABLE: &str = r#"{"status":"error","code":"unavailable"}"#;

/// A log whose head can be read from a moment on. Until then a read fails.
#[derive(Clone)]
struct LateHead {
    log: Log,
    from: Instant,
    /// The time that a read of the head takes.
    takes: Duration,
    reads: Arc<AtomicUsize>,
}

impl LateHead {
    fn in_seconds(seconds: u64) -> Self {
        Self {
            log: Log::large(),
            from: Instant::now() + Duration::from_secs(seconds),
            takes: Duration::ZERO,
            reads: Arc::default(),
        }
    }

    fn at_once() -> Self {
        Self::in_seconds(0)
    }

    fn slow(takes: Duration) -> Self {
        Self {
            takes,
            ..Self::at_once()
        }
    }
}

impl EventLog for LateHead {
    async fn append(&self, entries: Vec<NewEntry>) -> Result<Vec<Position>, LogError> {
        self.log.append(entries).await
    }
    async fn head(&self) -> Result<Head, LogError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        sleep(self.takes).await;
        if Instant::now() < self.from {
            return Err(LogError::Unavailable("too early".into()));
        }
        self.log.head().await
    }
    async fn read(
        &self,
        rooms: Option<&[Room]>,
        after: u64,
        limit: usize,
    ) -> Result<Page, LogError> {
        self.log.read(rooms, after, limit).await
    }
    async fn history(&self, n: u64, rooms: &[Room], limit: usize) -> Result<History, LogError> {
        self.log.history(n, rooms, limit).await
    }
    fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.log.changes()
    }
}

/// Returns a node whose dispatcher does not run.
fn node_on(log: &LateHead) -> Arc<Node> {
    let parts = NodeParts {
        log: Arc::new(log.clone()),
        ..NodeParts::default()
    };
    let authenticator = JwtAuthenticator::hs256("secret").unwrap();
    let window = Window::new(head(&log.log));
    Arc::new(Node::new(window, Arc::new(authenticator), parts))
}

fn event() -> NewEntry {
    NewEntry::event([Room::Everyone], ("e", json!({}))).unwrap()
}

/// Connects a client whose session is live.
async fn live_phone(node: &Arc<Node>) -> Phone {
    let phone = Phone::connect(node, "c1");
    phone.emit("leave_order_room", json!("o1"));
    phone.wait_for_acks(1).await;
    phone
}

/// Returns the answers to `rt:sync`.
async fn answers(phone: &Phone, count: usize) -> Vec<String> {
    let acks = phone.wait_for_acks(count + 1).await;
    acks.into_iter().skip(1).map(|(_, answer)| answer).collect()
}

/// The node does not dispatch.
#[tokio::test(start_paused = true)]
async fn the_ninth_request_is_refused_at_once_and_the_others_after_10_s() {
    let log = LateHead::at_once();
    let node = node_on(&log);
    let phone = live_phone(&node).await;
    log.log.now().append_now(vec![event()]);
    let began = Instant::now();
    for _ in 0..9 {
        phone.emit(SYNC, json!({}));
    }
    phone.emit("leave_order_room", json!("o1"));
    let first = answers(&phone, 2).await;
    assert_eq!(first[0], RATE_LIMITED);
    assert!(first[1].contains("order-o1"), "later events do not wait");
    assert_eq!(began.elapsed().as_secs(), 0);
    let all = answers(&phone, 10).await;
    assert_eq!(all[2..], [UNAVAILABLE; 8]);
    assert_eq!(began.elapsed().as_secs(), 10);
    assert!(phone.session.is_quiet());
    assert_eq!(phone.session.ended_by(), None);
}

#[tokio::test(start_paused = true)]
async fn the_answer_comes_as_soon_as_the_node_has_dispatched() {
    let log = LateHead::at_once();
    let node = node_on(&log);
    let phone = live_phone(&node).await;
    let at = log.log.now().append_now(vec![event()])[0];
    phone.emit(SYNC, json!({}));
    sleep(Duration::from_secs(5)).await;
    node.run();
    let answer = &answers(&phone, 1).await[0];
    assert!(answer.contains(&format!(r#""at":"{at}""#)), "{answer}");
    let written = phone.written();
    assert!(written[written.len() - 2].starts_with("e {"), "{written:?}");
}

#[tokio::test(start_paused = true)]
async fn a_head_that_can_be_read_in_time_is_read_again() {
    let (answer, seconds) = answer_of(&LateHead::in_seconds(9)).await;
    assert!(answer.starts_with(OK), "{answer}");
    assert_eq!(seconds, 9);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_cannot_be_read_refuses_the_request_after_10_s() {
    for log in [
        LateHead::in_seconds(1_000),
        LateHead::slow(Duration::from_secs(1_000)),
    ] {
        let (answer, seconds) = answer_of(&log).await;
        assert_eq!(answer, UNAVAILABLE);
        assert_eq!(seconds, 10);
    }
}

/// Sends `rt:sync` to a live session. Returns the answer, and the seconds until the session was
/// quiet again.
async fn answer_of(log: &LateHead) -> (String, u64) {
    let node = node_on(log);
    let (session, port) = live_session(&node, log);
    let (queue, events) = InboundQueue::new(node.limits());
    let mut driver = SessionDriver::new(Arc::clone(&session), Arc::clone(&node), events);
    queue.offer(&session, sync(1));
    let began = Instant::now();
    let written = Arc::<Mutex<Vec<String>>>::default();
    let mut writer = acks_into(&written);
    let driven = driver.drive_until_quiet(&port.0, &mut writer).await;
    assert_eq!(driven, Driven::Resting);
    let answers = std::mem::take(&mut *written.lock());
    assert_eq!(answers.len(), 1, "{answers:?}");
    (answers.concat(), began.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_also_where_the_session_is_driven_next() {
    let log = LateHead::in_seconds(5);
    let node = node_on(&log);
    let (session, port) = live_session(&node, &log);
    let (queue, events) = InboundQueue::new(node.limits());
    queue.offer(&session, sync(1));
    let written = Arc::<Mutex<Vec<String>>>::default();
    let pause = AtomicBool::new(false);
    let driving = drive(
        Arc::clone(&session),
        Arc::clone(&node),
        events,
        &port.0,
        &pause,
        acks_into(&written),
    );
    let pausing = async {
        sleep(Duration::from_secs(1)).await;
        pause.store(true, Ordering::SeqCst);
        session.wake();
    };
    let (driver, ()) = tokio::join!(driving, pausing);
    let mut driver = driver.unwrap();
    assert!(written.lock().is_empty());
    let mut writer = acks_into(&written);
    let driven = driver.drive_until_quiet(&port.0, &mut writer).await;
    assert_eq!(driven, Driven::Resting);
    assert!(written.lock()[0].starts_with(OK));
}

#[tokio::test(start_paused = true)]
async fn sessions_that_ask_at_once_share_a_read() {
    for fails in [false, true] {
        let log = LateHead {
            takes: Duration::from_millis(10),
            ..LateHead::in_seconds(if fails { 1_000 } else { 0 })
        };
        let node = node_on(&log);
        let heads = join_all((0..1_000).map(|_| node.read_head())).await;
        assert!(heads.iter().all(|head| head.is_err() == fails));
        // The first began before the others had asked.
        assert_eq!(log.reads.load(Ordering::SeqCst), 2);
    }
}

/// The head is read for one that asks after the read has begun.
#[tokio::test(start_paused = true)]
async fn a_read_serves_nobody_who_asks_while_it_is_under_way() {
    let log = LateHead::slow(Duration::from_secs(2));
    let node = node_on(&log);
    let early = node.read_head();
    let late = async {
        sleep(Duration::from_secs(1)).await;
        node.read_head().await
    };
    let (early, late) = tokio::join!(early, late);
    assert!(early.is_ok() && late.is_ok());
    assert_eq!(log.reads.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_goes_away_leaves_the_read_to_the_next() {
    let log = LateHead::slow(Duration::from_secs(2));
    let node = node_on(&log);
    let gone = timeout(Duration::from_secs(1), node.read_head());
    let (gone, next) = tokio::join!(gone, node.read_head());
    assert!(gone.is_err() && next.is_ok());
}

/// Returns a live session of the node.
fn live_session(node: &Arc<Node>, log: &LateHead) -> (Arc<Session>, Arc<NotifyPort>) {
    let (session, port) = session_of(node, &log.log, 0);
    let has_begun = session.state().begin_start().is_some();
    assert!(has_begun);
    session.start_from(node, StartPoint::Head);
    session.replay_window(node);
    assert!(session.is_quiet());
    (session, port)
}

fn sync(ack: i64) -> Inbound {
    Inbound {
        json: json!([SYNC]).to_string(),
        ack: Some(ack),
    }
}

/// Returns a writer that keeps the answers.
fn acks_into(
    written: &Arc<Mutex<Vec<String>>>,
) -> impl FnMut(Outgoing) -> Result<(), EndReason> + use<> {
    let written = Arc::clone(written);
    move |outgoing| {
        if let Outgoing::Ack { answer, .. } = outgoing {
            written.lock().push(answer.get().to_owned());
        }
        Ok(())
    }
}
