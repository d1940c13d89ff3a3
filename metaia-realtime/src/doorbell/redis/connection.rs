//! A connection to Redis that reconnects by itself, as far as the client library does.
//!
//! If the connection breaks, the `ConnectionManager` reconnects and subscribes again. It has three
//! gaps. It does not notice a connection that is silent but not broken, so a `PING` goes out every
//! 2 s (`PING_INTERVAL`). It does not report whether it has subscribed again, so this module
//! subscribes once more. And it never retries after a refusal, so [`run`](RedisConnection::run)
//! returns and the caller opens a new connection.

use std::{sync::Arc, time::Duration};

use redis::{
    Client, PushInfo, PushKind, RedisError, Value,
    aio::{ConnectionManager, ConnectionManagerConfig, SendError},
};
use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, interval},
};

use super::outbox::RedisOutbox;
use crate::doorbell::FrameReceiver;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(1);
const PING_INTERVAL: Duration = Duration::from_secs(2);

pub(super) struct RedisConnection {
    manager: ConnectionManager,
    channel: String,
    /// Notified when the connection breaks.
    broken: Arc<Notify>,
}

impl RedisConnection {
    /// Connects and subscribes. Frames go to `receiver` from then on.
    pub(super) async fn open(
        client: &Client,
        channel: &str,
        receiver: &FrameReceiver,
    ) -> Result<Self, RedisError> {
        let broken = Arc::new(Notify::new());
        let on_push = {
            let receiver = receiver.clone();
            let broken = Arc::clone(&broken);
            move |push: PushInfo| receive(&push, &receiver, &broken)
        };
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_number_of_retries(1)
            .set_push_sender(on_push)
            .set_automatic_resubscription();
        let manager = ConnectionManager::new_lazy_with_config(client.clone(), config)?;
        let mut connection = Self {
            manager,
            channel: channel.to_owned(),
            broken,
        };
        connection.subscribe().await?;
        Ok(connection)
    }

    async fn subscribe(&mut self) -> Result<(), RedisError> {
        self.manager.subscribe(&self.channel).await
    }

    /// Publishes the frames of the outbox until the connection fails. Returns the error.
    ///
    /// The arms: the connection broke, so subscribe again · it is time for a ping · frames wait to
    /// be published.
    pub(super) async fn run(
        &mut self,
        outbox: &RedisOutbox,
        receiver: &FrameReceiver,
    ) -> RedisError {
        let mut pings = interval(PING_INTERVAL);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let broken = Arc::clone(&self.broken);
        loop {
            let done = tokio::select! {
                biased;
                () = broken.notified() => self.subscribe().await.map(|()| receiver.connected()),
                _ = pings.tick() => redis::cmd("PING").exec_async(&mut self.manager).await,
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

/// Handles a push message. The task that reads the connection calls it, so it must not wait.
fn receive(push: &PushInfo, receiver: &FrameReceiver, broken: &Notify) -> Result<(), SendError> {
    match (&push.kind, &push.data[..]) {
        (PushKind::Message, [_channel, Value::BulkString(frame), ..]) => receiver.receive(frame),
        (PushKind::Disconnection, _) => broken.notify_one(),
        _ => {}
    }
    Ok(())
}
