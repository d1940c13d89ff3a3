//! One thing that is asked of a committer, and who waits for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::{
    NewEntry, Position,
    log::LogError,
    mongo::{Records, fault::Fault},
};

/// What is asked for.
pub(super) enum Ask<C> {
    /// Entries, and nothing else.
    Append(Vec<NewEntry>),
    /// A change of records.
    Change(Arc<C>),
}

/// What is answered.
pub(super) enum Answer<D> {
    Positions(Vec<Position>),
    Done(D),
}

type Reply<D> = oneshot::Sender<Result<Answer<D>, LogError>>;
pub(super) type Answered<D> = oneshot::Receiver<Result<Answer<D>, LogError>>;

/// How far it is.
enum State<D> {
    /// Nothing of it can be stored.
    Waiting(Reply<D>),
    /// It may be stored.
    Underway(Reply<D>),
    /// Nobody waits for it any more.
    Gone,
}

/// See the [module](self).
pub(super) struct Job<R: Records> {
    pub(super) ask: Ask<R::Change>,
    state: Mutex<State<R::Done>>,
}

impl<R: Records> Job<R> {
    pub(super) fn new(ask: Ask<R::Change>) -> (Arc<Self>, Answered<R::Done>) {
        let (reply, answered) = oneshot::channel();
        (
            Arc::new(Self {
                ask,
                state: Mutex::new(State::Waiting(reply)),
            }),
            answered,
        )
    }

    /// About how many bytes it will take. What a change takes is not known before it is planned.
    pub(super) fn size(&self) -> usize {
        match &self.ask {
            Ask::Append(entries) => entries.iter().map(NewEntry::size).sum(),
            Ask::Change(_) => 4_096,
        }
    }

    /// From here on it may be stored. `false`: nobody waits for it, and it must not be.
    pub(super) fn begin(&self) -> bool {
        let mut state = self.state();
        *state = match std::mem::replace(&mut *state, State::Gone) {
            State::Waiting(reply) if reply.is_closed() => State::Gone,
            State::Waiting(reply) | State::Underway(reply) => State::Underway(reply),
            State::Gone => State::Gone,
        };
        !matches!(*state, State::Gone)
    }

    /// It is certain that nothing of it was stored.
    pub(super) fn rest(&self) {
        let mut state = self.state();
        *state = match std::mem::replace(&mut *state, State::Gone) {
            State::Waiting(reply) | State::Underway(reply) => State::Waiting(reply),
            State::Gone => State::Gone,
        };
    }

    /// Whether somebody waits for it.
    pub(super) fn is_wanted(&self) -> bool {
        match &*self.state() {
            State::Waiting(reply) | State::Underway(reply) => !reply.is_closed(),
            State::Gone => false,
        }
    }

    /// Only the first answer counts.
    pub(super) fn answer(&self, answer: Result<Answer<R::Done>, LogError>) {
        let before = std::mem::replace(&mut *self.state(), State::Gone);
        if let State::Waiting(reply) | State::Underway(reply) = before {
            reply.send(answer).ok();
        }
    }

    /// It was not done, and will not be any more, or nobody knows.
    pub(super) fn fail(&self, why: Fault) {
        let before = std::mem::replace(&mut *self.state(), State::Gone);
        match before {
            State::Waiting(reply) => reply.send(Err(why.unavailable())).ok(),
            State::Underway(reply) => reply.send(Err(why.unknown())).ok(),
            State::Gone => None,
        };
    }

    /// Whoever waited does not any more, and is told this.
    pub(super) fn give_up(&self, why: Fault) -> LogError {
        match std::mem::replace(&mut *self.state(), State::Gone) {
            State::Waiting(_) => why.unavailable(),
            State::Underway(_) | State::Gone => why.unknown(),
        }
    }

    /// A poisoned lock is taken over: no method leaves the state half changed.
    fn state(&self) -> MutexGuard<'_, State<R::Done>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
