//! The command of `tail … -- COMMAND`: it begins when the session is live for the first time.

use std::future::pending;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use crate::child_command::{self, CommandEnd};
use crate::context::Context;
use crate::contexts::ChildEnvironment;
use crate::exit::Failure;

/// A command that waits for its beginning, runs, or is none.
pub(super) enum WatchedCommand {
    None,
    Waiting(Vec<String>, ChildEnvironment, CancellationToken),
    Running(BoxFuture<'static, Result<CommandEnd, Failure>>),
}

impl WatchedCommand {
    /// Keeps the words of a command; no words are no command.
    pub(super) fn new(words: Vec<String>, context: &Context) -> Result<Self, Failure> {
        if words.is_empty() {
            return Ok(Self::None);
        }
        let environment = context.child_environment()?;
        Ok(Self::Waiting(
            words,
            environment,
            context.interrupted.clone(),
        ))
    }

    /// Begins the command, unless it has begun.
    pub(super) fn start(&mut self) {
        if let Self::Waiting(words, environment, interrupted) = self {
            let words = std::mem::take(words);
            let environment = environment.clone();
            let interrupted = interrupted.clone();
            let running =
                async move { child_command::run(&words, &environment, &interrupted).await };
            *self = Self::Running(running.boxed());
        }
    }

    /// Waits for the end of a command that has begun, or for an interrupt.
    pub(super) async fn finish(&mut self, interrupted: &CancellationToken) {
        if matches!(self, Self::Running(_)) {
            tokio::select! {
                // Its failure would be the second one.
                _ = self.ended() => {}
                () = interrupted.cancelled() => {}
            }
        }
    }

    /// Waits for the end of the command; for ever, if there is none.
    pub(super) async fn ended(&mut self) -> Result<CommandEnd, Failure> {
        let ended = match self {
            Self::Running(running) => running.await,
            Self::None | Self::Waiting(..) => pending().await,
        };
        *self = Self::None;
        ended
    }
}
