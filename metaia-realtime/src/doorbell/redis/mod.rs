//! A doorbell over Redis: all nodes publish to one channel and subscribe to it.
//!
//! Redis stores nothing, so nothing is lost with it: it may be restarted, emptied, paused or
//! replaced at any time. Meanwhile nodes find each other's events by polling.
//!
//! At the edges: the address is parsed once, in [`RedisDoorbell::open`]. If Redis is not there,
//! refuses the password or falls silent, the doorbell reconnects, with pauses that grow from 0.1 s
//! to 5 s. It logs each change of state, not each attempt. The frames that wait to be sent are
//! bounded: see [`RedisOutbox`].

mod connection;
mod connection_log;
mod outbox;

use std::time::Duration;

use rand::RngExt as _;
use redis::{Client, ConnectionAddr, IntoConnectionInfo as _, ProtocolVersion, RedisError};
use tokio::time::{Instant, sleep};

use self::{connection::RedisConnection, connection_log::ConnectionLog, outbox::RedisOutbox};
use super::{Doorbell, FrameReceiver};

const FIRST_RETRY_PAUSE: Duration = Duration::from_millis(100);
const MAX_RETRY_PAUSE: Duration = Duration::from_secs(5);
/// Time after which an attempt counts as successful: the next pause is the first one again.
const STEADY: Duration = Duration::from_secs(10);

/// A doorbell over Redis 6 or later.
///
/// One Redis can serve several clusters. Each database number, the last part of the address, has
/// its own channel (`metaia:doorbell:0`), and [`channel`](Self::channel) sets another name.
///
/// ```
/// use metaia_realtime::doorbell::RedisDoorbell;
///
/// let doorbell = RedisDoorbell::open("redis://:secret@redis.example:6379/0")?;
/// assert_eq!(doorbell.place(), "redis.example:6379");
/// # Ok::<(), metaia_realtime::doorbell::RedisUrlError>(())
/// ```
#[derive(Debug)]
pub struct RedisDoorbell {
    client: Client,
    channel: String,
    place: String,
    outbox: RedisOutbox,
}

impl RedisDoorbell {
    /// Creates a doorbell at `redis://[user][:password@]host[:port][/number]`, `rediss://…` with
    /// TLS, or `unix:///path`. It does not connect yet.
    ///
    /// # Errors
    /// Returns [`RedisUrlError`] if the text is not such an address. The error contains nothing of
    /// it.
    pub fn open(url: &str) -> Result<Self, RedisUrlError> {
        let address = redis::parse_redis_url(url.trim()).ok_or(RedisUrlError)?;
        // If a password has an unescaped `/`, `?` or `#`, its first part would be taken for a port
        // and shown in logs.
        let rest = [Some(address.path()), address.query(), address.fragment()];
        if address.has_host() && rest.into_iter().flatten().any(|part| part.contains('@')) {
            return Err(RedisUrlError);
        }
        let given = address.into_connection_info().map_err(|_| RedisUrlError)?;
        let settings = given
            .redis_settings()
            .clone()
            .set_protocol(ProtocolVersion::RESP3);
        let channel = format!("metaia:doorbell:{}", settings.db());
        let place = given.addr().to_string();
        if matches!(given.addr(), ConnectionAddr::TcpTls { .. }) {
            // Without a provider the client would panic. If the program has installed another one,
            // that one stays.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let client = Client::open(given.set_redis_settings(settings)).map_err(|_| RedisUrlError)?;
        Ok(Self {
            client,
            channel,
            place,
            outbox: RedisOutbox::default(),
        })
    }

    /// Sets the name of the channel, in the place of `metaia:doorbell:{number}`.
    #[must_use]
    pub fn channel(mut self, name: impl Into<String>) -> Self {
        self.channel = name.into();
        self
    }

    /// Returns the place of the Redis: host and port, or the path of its socket, without user and
    /// password.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }
}

/// Error for a text that is not the address of a Redis. It contains nothing of the text, which may
/// have a password in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the address of a Redis, for example redis://:password@host:6379/0")]
pub struct RedisUrlError;

impl Doorbell for RedisDoorbell {
    fn notify(&self, frame: Vec<u8>) {
        self.outbox.notify(frame);
    }

    fn send(&self, frame: Vec<u8>) {
        self.outbox.send(frame);
    }

    async fn run(&self, receiver: FrameReceiver) {
        let mut log = ConnectionLog::new(&self.place);
        let mut pause = FIRST_RETRY_PAUSE;
        loop {
            let began = Instant::now();
            let error = self.connect_and_carry(&receiver, &mut log).await;
            log.lost(&error);
            if began.elapsed() > STEADY {
                pause = FIRST_RETRY_PAUSE;
            }
            // A random part of the pause, so that the nodes do not all reconnect at once.
            let part = rand::rng().random_range(0.5..1.0);
            sleep(pause.mul_f64(part)).await;
            pause = (pause * 2).min(MAX_RETRY_PAUSE);
        }
    }
}

impl RedisDoorbell {
    /// Connects and carries frames until the connection is lost. Returns the reason.
    async fn connect_and_carry(
        &self,
        receiver: &FrameReceiver,
        log: &mut ConnectionLog<'_>,
    ) -> RedisError {
        let opened = RedisConnection::open(&self.client, &self.channel, receiver).await;
        let mut connection = match opened {
            Ok(connection) => connection,
            Err(error) => return error,
        };
        log.connected();
        // Open before the node is told: what it sends then must not be dropped.
        let _open = self.outbox.open();
        receiver.connected();
        let error = connection.run(&self.outbox, receiver).await;
        receiver.lost();
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        let doorbell = RedisDoorbell::open(" redis://metaia:hush@redis.example:6380/3 ").unwrap();
        assert_eq!(doorbell.place(), "redis.example:6380");
        assert_eq!(doorbell.channel, "metaia:doorbell:3");
        assert!(!format!("{doorbell:?}").contains("hush"), "{doorbell:?}");
        let local = RedisDoorbell::open("redis://localhost").unwrap();
        assert_eq!(local.place(), "localhost:6379");
        assert!(RedisDoorbell::open("rediss://h").is_ok());
        assert!(RedisDoorbell::open("unix:///run/redis").is_ok());
    }

    #[test]
    fn another_text_is_refused_and_not_shown() {
        let bad = [
            "",
            "redis",
            "localhost:6379",
            "http://:hush@h",
            "redis://:hush@h/x",
            "redis://:hush@h:70000",
        ];
        let more = [
            "redis://:hush@",
            "redis://:hush@0.0.0.0",
            "redis://:hush@h?protocol=9",
        ];
        // Passwords with an unescaped `?`, `#` or `/`: their first part would be taken for a port.
        let cut = [
            "redis://u:12345?hush@h",
            "redis://u:12345#hush@h/0",
            "redis://u:12345/?hush@h",
        ];
        for url in bad.into_iter().chain(more).chain(cut) {
            let error = RedisDoorbell::open(url).map(drop).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hush"), "{url}");
        }
    }
}
