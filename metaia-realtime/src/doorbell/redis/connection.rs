//! One connection to Redis, and those that replace it.
//!
//! The `ConnectionManager` connects again by itself when a connection breaks, and subscribes again.
//! It does neither where nothing breaks and nothing comes: so the line is tried every 2 s. It does
//! not tell whether it was subscribed again: so that is asked for. And where it is refused, it
//! never tries again: so it is then replaced, by who calls this.

use std::{sync::Arc, time::Duration};

use redis::{
    Client, PushInfo, PushKind, RedisError, Value,
    aio::{ConnectionManager, ConnectionManagerConfig, SendError},
};
use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, interval},
};

use super::outbox::Outbox;
use crate::doorbell::FrameReceiver;

const CONNECT: Duration = Duration::from_secs(2);
const ANSWER: Duration = Duration::from_secs(1);
/// How often it is seen whether the line is there at all.
const TRY: Duration = Duration::from_secs(2);

pub(super) struct Line {
    manager: ConnectionManager,
    channel: String,
    broken: Arc<Notify>,
}

impl Line {
    /// A line that is subscribed. What it hears goes to `receiver` from then on.
    pub(super) async fn open(
        client: &Client,
        channel: &str,
        receiver: &FrameReceiver,
    ) -> Result<Self, RedisError> {
        let broken = Arc::new(Notify::new());
        let received = {
            let (receiver, broken) = (receiver.clone(), Arc::clone(&broken));
            move |push: PushInfo| receive(&push, &receiver, &broken)
        };
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER))
            .set_number_of_retries(1)
            .set_push_sender(received)
            .set_automatic_resubscription();
        let manager = ConnectionManager::new_lazy_with_config(client.clone(), config)?;
        let mut line = Self {
            manager,
            channel: channel.to_owned(),
            broken,
        };
        line.subscribe().await?;
        Ok(line)
    }

    async fn subscribe(&mut self) -> Result<(), RedisError> {
        self.manager.subscribe(&self.channel).await
    }

    /// Publishes what waits, until that fails.
    ///
    /// The arms: the connection broke, and is there again · it is time to see whether it is there ·
    /// something is to be published.
    pub(super) async fn run(&mut self, outbox: &Outbox, receiver: &FrameReceiver) -> RedisError {
        let mut tries = interval(TRY);
        tries.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let broken = Arc::clone(&self.broken);
        loop {
            let done = tokio::select! {
                biased;
                () = broken.notified() => self.subscribe().await.map(|()| receiver.connected()),
                _ = tries.tick() => redis::cmd("PING").exec_async(&mut self.manager).await,
                frames = outbox.next() => self.publish(&frames).await,
            };
            if let Err(error) = done {
                return error;
            }
        }
    }

    async fn publish(&mut self, frames: &[Vec<u8>]) -> Result<(), RedisError> {
        let mut pipe = redis::pipe();
        for frame in frames {
            pipe.cmd("PUBLISH")
                .arg(&self.channel)
                .arg(frame.as_slice())
                .ignore();
        }
        pipe.exec_async(&mut self.manager).await
    }
}

/// Called where the connection is read: it must not wait.
fn receive(push: &PushInfo, receiver: &FrameReceiver, broken: &Notify) -> Result<(), SendError> {
    match (&push.kind, &push.data[..]) {
        (PushKind::Message, [_channel, Value::BulkString(frame), ..]) => receiver.receive(frame),
        (PushKind::Disconnection, _) => broken.notify_one(),
        _ => {}
    }
    Ok(())
}
