//! A connection that remembers everything that it receives, and can prove that nothing is missing.
//!
//! Used by `expect` and `test`. A task takes the client's updates into the [`Story`]; it never
//! waits for those who judge, so the client's queue does not fill.

mod story;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use metaia_realtime::client::{Client, Ready, SendError, SyncError, Synced, Update, Updates};
use serde_json::json;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connection;
use crate::exit::{Exit, Failure};
use crate::expectation::Received;
use crate::liveness::Liveness;
use crate::notices::Notice;

/// The time that a fence may take, a reconnection included.
const FENCE_WITHIN: Duration = Duration::from_secs(15);

/// The time between two requests for a fence of a session that was interrupted.
const FENCE_PAUSE: Duration = Duration::from_millis(10);

pub(crate) use story::{Entry, LineEntry, Story};

/// A live or ended connection, and what it received.
#[derive(Debug)]
pub(crate) struct Watcher {
    label: String,
    client: Client,
    story: Arc<Story>,
    state: watch::Receiver<ConnectionState>,
    /// Asks the task whether it has taken everything that was there.
    drained: mpsc::Sender<oneshot::Sender<()>>,
    stop: CancellationToken,
    task: TaskTracker,
}

/// The state of a watcher's connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConnectionState {
    /// Of the present connection, once it is live.
    pub(crate) ready: Option<Ready>,
    /// The reason why no other attempt will be made.
    pub(crate) gave_up: Option<String>,
}

impl Watcher {
    /// Follows a connected client. `label` is `ROLE:USER`.
    pub(crate) fn start(
        label: &str,
        connected: (Client, Updates),
        liveness: Liveness,
        story: Arc<Story>,
    ) -> Self {
        let (client, updates) = connected;
        let (state_sender, state) = watch::channel(ConnectionState::default());
        let (drained, questions) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let follower = Follower {
            label: label.to_owned(),
            client: client.clone(),
            liveness,
            story: story.clone(),
            state: state_sender,
            brought: HashSet::new(),
        };
        let task = TaskTracker::new();
        task.spawn(follower.run(updates, questions, stop.clone()));
        task.close();
        Self {
            label: label.to_owned(),
            client,
            story,
            state,
            drained,
            stop,
            task,
        }
    }

    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn story(&self) -> &Arc<Story> {
        &self.story
    }

    /// Waits until the session is live. Returns `Err` with the reason if the client gave up.
    pub(crate) async fn live(&self) -> Result<Ready, String> {
        let mut state = self.state.clone();
        let settled = state.wait_for(|state| state.ready.is_some() || state.gave_up.is_some());
        match settled.await {
            Ok(state) => match (&state.ready, &state.gave_up) {
                (Some(ready), _) => Ok(ready.clone()),
                (None, Some(reason)) => Err(reason.clone()),
                (None, None) => Err("the connection has ended".to_owned()),
            },
            Err(_) => Err("the connection has ended".to_owned()),
        }
    }

    /// Returns whether the client has given up, so that nothing more can come.
    pub(crate) fn has_ended(&self) -> bool {
        self.state.borrow().gave_up.is_some()
    }

    /// Waits until everything that was committed before the call, and is for this session, is in
    /// the story. A session that is reconnecting is asked when it is live again.
    ///
    /// # Errors
    /// A failure if there is no fence within 15 s.
    pub(crate) async fn fence(&self) -> Result<Synced, Failure> {
        match timeout(FENCE_WITHIN, self.ask_for_fence()).await {
            Ok(fence) => fence,
            Err(_) if self.state.borrow().ready.is_none() => {
                let seconds = FENCE_WITHIN.as_secs();
                let text = format!("{} was not live within {seconds} s", self.label);
                Err(Failure::new(Exit::Unreachable, text).of_server())
            }
            Err(_) => Err(self.no_answer()),
        }
    }

    fn no_answer(&self) -> Failure {
        let text = format!("the server did not answer the fence of {}", self.label);
        Failure::new(Exit::TimedOut, text).of_server()
    }

    async fn ask_for_fence(&self) -> Result<Synced, Failure> {
        loop {
            match self.client.sync().await {
                Ok(synced) => {
                    self.take_what_came().await;
                    return Ok(synced);
                }
                Err(SyncError::Emit(SendError::Interrupted | SendError::NotConnected)) => {
                    self.live_again().await?;
                    // The end of a connection may not have been taken yet.
                    tokio::time::sleep(FENCE_PAUSE).await;
                }
                Err(SyncError::Emit(SendError::Timeout(_))) => return Err(self.no_answer()),
                Err(error) => {
                    let text = format!("the server gave no fence to {}", self.label);
                    return Err(Failure::new(Exit::Failed, text)
                        .caused_by(error)
                        .of_server());
                }
            }
        }
    }

    /// Waits until the task has taken every update that was there before the call.
    async fn take_what_came(&self) {
        let (answer, answered) = oneshot::channel();
        // If the task has ended, there is nothing left to take.
        if self.drained.send(answer).await.is_ok() {
            let _ = answered.await;
        }
    }

    async fn live_again(&self) -> Result<(), Failure> {
        match self.live().await {
            Ok(_) => Ok(()),
            Err(reason) => {
                let text = format!("{} is not live: {reason}", self.label);
                Err(Failure::new(Exit::Unreachable, text).of_server())
            }
        }
    }

    /// Ends the connection without a DISCONNECT, as a loss of reception does.
    pub(crate) async fn cut(&self) {
        self.stop.cancel();
        self.task.wait().await;
    }

    /// Disconnects.
    pub(crate) async fn close(&self) {
        connection::close(&self.client).await;
        self.stop.cancel();
        self.task.wait().await;
    }
}

/// The task of a watcher.
struct Follower {
    label: String,
    client: Client,
    liveness: Liveness,
    story: Arc<Story>,
    state: watch::Sender<ConnectionState>,
    /// The ids of the events that the present connection has brought. The bound of the story is
    /// theirs, too.
    brought: HashSet<String>,
}

impl Follower {
    async fn run(
        mut self,
        mut updates: Updates,
        mut questions: mpsc::Receiver<oneshot::Sender<()>>,
        stop: CancellationToken,
    ) {
        loop {
            tokio::select! {
                // What is there is taken before a question is answered.
                biased;
                () = stop.cancelled() => return,
                update = updates.recv() => match update {
                    Some(update) => self.take(update),
                    None => return,
                },
                Some(answer) = questions.recv() => {
                    let _ = answer.send(());
                }
            }
        }
    }

    fn take(&mut self, update: Update) {
        self.liveness.observe(&update, &self.client);
        self.follow(&update);
        // The system's events are in the story as events.
        let is_event = matches!(update, Update::Event(_) | Update::Connected(_));
        let notice = Notice::of(&self.label, &update, None);
        if let Some(notice) = notice.filter(|_| !is_event) {
            let line = LineEntry {
                at: self.story.now(),
                text: notice.summary().to_owned(),
            };
            self.story.push(Entry::Line(line));
        }
        if let Some(event) = self.received(update) {
            self.story.push(Entry::Event(event));
        }
    }

    fn follow(&mut self, update: &Update) {
        if let Update::Connected(_) = update {
            self.brought.clear();
        }
        match update {
            Update::Ready(ready) => self
                .state
                .send_modify(|state| state.ready = Some(ready.clone())),
            Update::Connected(_) | Update::Disconnected(_) => {
                self.state.send_modify(|state| state.ready = None);
            }
            Update::GaveUp(reason) => self.state.send_modify(|state| {
                state.ready = None;
                state.gave_up = Some(reason.to_string());
            }),
            Update::Reset(_) | Update::TooLarge { .. } => self.story.count_gap(),
            _ => {}
        }
    }

    /// Returns the event of an update. The system's own updates are events, too, with the names
    /// that they have on the wire.
    fn received(&mut self, update: Update) -> Option<Received> {
        let (name, data) = match update {
            Update::Event(event) => {
                let replayed = self.liveness.is_replay(&event);
                let at = self.story.now();
                let received = Received::of(&self.label, &event, replayed, at);
                let again = self.is_again(&received);
                return Some(Received { again, ..received });
            }
            Update::Ready(ready) => ("rt:ready", ready.data),
            Update::Reset(reset) => ("rt:reset", json!({"reason": reset.reason})),
            Update::End(end) => ("rt:end", json!({"code": end.code})),
            _ => return None,
        };
        Some(Received {
            event: name.to_owned(),
            data,
            id: None,
            position: None,
            replayed: false,
            again: false,
            latency_ms: None,
            at: self.story.now(),
            receiver: self.label.clone(),
        })
    }

    /// Returns whether the present connection has brought the event before.
    fn is_again(&mut self, event: &Received) -> bool {
        let Some(id) = &event.id else {
            return false;
        };
        if self.story.is_full() {
            return self.brought.contains(id);
        }
        !self.brought.insert(id.clone())
    }
}
