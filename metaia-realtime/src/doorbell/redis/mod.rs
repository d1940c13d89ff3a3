//! A doorbell over Redis: everybody publishes to one channel, and is subscribed to it.
//!
//! Nothing is kept in Redis, so that nothing is lost with it: it may be restarted, emptied, paused
//! or replaced at any time. Meanwhile nodes find each other's events by polling.
//!
//! At the edges: the address is read when it is given, and never again; a Redis that is not there,
//! that does not know the password, or that falls silent is tried again, at first at once, then
//! more and more slowly, up to every 5 s. That is said when it changes, not each time. What waits
//! to be sent is bounded: see [`Outbox`].

mod failure_log;
mod line;
mod outbox;

use std::time::Duration;

use rand::RngExt as _;
use redis::{Client, ConnectionAddr, IntoConnectionInfo as _, ProtocolVersion, RedisError};
use tokio::time::{Instant, sleep};

use self::{line::Line, outbox::Outbox};
use super::{Doorbell, FrameReceiver};
use crate::doorbell::redis::failure_log::FailureLog;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A line that was there for so long is tried again at once when it is gone.
const STEADY: Duration = Duration::from_secs(10);

/// A doorbell over Redis 6 or later.
///
/// One Redis can serve several clusters: each number of a database, the last part of the address,
/// is a channel of its own (`metaia:doorbell:0`), and so is each [`channel`](Self::channel).
#[derive(Debug)]
pub struct RedisDoorbell {
    client: Client,
    channel: String,
    place: String,
    outbox: Outbox,
}

impl RedisDoorbell {
    /// A doorbell at `redis://[user][:password@]host[:port][/number]`, `rediss://…` with TLS, or
    /// `unix:///path`. Nothing is connected yet.
    ///
    /// # Errors
    /// Where the text is not such an address. Nothing of it is in the error.
    pub fn open(url: &str) -> Result<Self, RedisUrlError> {
        let address = redis::parse_redis_url(url.trim()).ok_or(RedisUrlError)?;
        // Of a password with such a character in it the first part would be taken for a port, and
        // be shown.
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
            // The client would panic without one. Where the program has chosen another already,
            // that one stays.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let client = Client::open(given.set_redis_settings(settings)).map_err(|_| RedisUrlError)?;
        Ok(Self {
            client,
            channel,
            place,
            outbox: Outbox::default(),
        })
    }

    /// Rings on a channel of this name instead.
    #[must_use]
    pub fn channel(mut self, name: impl Into<String>) -> Self {
        self.channel = name.into();
        self
    }

    /// Where it is: host and port, or the path of its socket. No user and no password.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }
}

/// The text is not the address of a Redis. What is wrong with it is not told, since it may have a
/// password in it.
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
        let mut said = FailureLog::new(&self.place);
        let mut pause = FIRST_PAUSE;
        loop {
            let began = Instant::now();
            let lost = match Line::open(&self.client, &self.channel, &receiver).await {
                Ok(line) => self.carry_over(line, &receiver, &mut said).await,
                Err(error) => error,
            };
            said.lost(&lost);
            if began.elapsed() > STEADY {
                pause = FIRST_PAUSE;
            }
            // Not all nodes at once.
            let part = rand::rng().random_range(0.5..1.0);
            sleep(pause.mul_f64(part)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

impl RedisDoorbell {
    /// Until the line is gone.
    async fn carry_over(
        &self,
        mut line: Line,
        receiver: &FrameReceiver,
        said: &mut FailureLog<'_>,
    ) -> RedisError {
        said.connected();
        let _open = self.outbox.open();
        receiver.connected();
        let lost = line.run(&self.outbox, receiver).await;
        receiver.lost();
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        let doorbell = RedisDoorbell::open(" redis://metaia:hush@redis.example:6380/3 ").unwrap();
        assert_eq!(
            (doorbell.place(), doorbell.channel.as_str()),
            ("redis.example:6380", "metaia:doorbell:3")
        );
        assert!(!format!("{doorbell:?}").contains("hush"), "{doorbell:?}");
        assert_eq!(
            RedisDoorbell::open("redis://localhost").unwrap().place(),
            "localhost:6379"
        );
        assert!(
            RedisDoorbell::open("rediss://h").is_ok()
                && RedisDoorbell::open("unix:///run/redis").is_ok()
        );
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_told() {
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
        // A password in which `?`, `#` or `/` should have been escaped, and which would be taken
        // for a port.
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
