//! Connected clients that one thread reads, so that they cost as little as they can.
//!
//! A client answers pings and counts events. A connection that the server closes fails the
//! measurement, and so does an event that does not come in time.

use std::io::{ErrorKind, Read as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use metaia_tests::clients::frames::{
    CLOSE, FrameReader, PING, PONG, ServerFrame, TEXT, client_frame,
};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};

/// The beginning of the packet of an event.
const EVENT: &[u8] = b"42[\"new_notification\"";
const ARRIVAL: Token = Token(usize::MAX);
/// The longest time that anything may take before the measurement is given up.
const WAIT_TIMEOUT: Duration = Duration::from_secs(120);

/// The clients.
#[derive(Debug)]
pub(crate) struct Crowd {
    poll: Poll,
    ready: Events,
    arrivals: Arc<Arrivals>,
    members: Vec<Member>,
    buffer: Vec<u8>,
    received: u64,
    pings: u64,
}

/// Clients that have connected and are not read yet.
#[derive(Debug)]
pub(crate) struct Arrivals {
    waker: Waker,
    waiting: Mutex<Vec<Arrival>>,
}

/// An open connection, with the beginning of a frame that was read already.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) stream: std::net::TcpStream,
    pub(crate) frames: FrameReader,
}

impl Arrivals {
    /// Hands a client over.
    pub(crate) fn add(&self, arrival: Arrival) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(arrival);
        drop(waiting);
        self.waker.wake().expect("wake");
    }

    fn take(&self) -> Vec<Arrival> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut waiting)
    }
}

impl Crowd {
    /// Creates a crowd without clients.
    pub(crate) fn new() -> Self {
        let poll = Poll::new().expect("epoll");
        let waker = Waker::new(poll.registry(), ARRIVAL).expect("an eventfd");
        Self {
            poll,
            ready: Events::with_capacity(1_024),
            arrivals: Arc::new(Arrivals {
                waker,
                waiting: Mutex::default(),
            }),
            members: Vec::new(),
            buffer: vec![0; 64 * 1_024],
            received: 0,
            pings: 0,
        }
    }

    /// Returns the number of clients.
    pub(crate) const fn size(&self) -> usize {
        self.members.len()
    }

    /// Returns the place where connected clients are handed over.
    pub(crate) fn arrivals(&self) -> Arc<Arrivals> {
        Arc::clone(&self.arrivals)
    }

    /// Reads until there are so many clients.
    pub(crate) fn admit(&mut self, size: usize) {
        self.read_until("clients", |crowd| crowd.members.len() >= size);
    }

    /// Reads until so many more events have arrived.
    pub(crate) fn expect(&mut self, events: u64) {
        let wanted = self.received + events;
        self.read_until("events", |crowd| crowd.received >= wanted);
        assert_eq!(self.received, wanted, "more events than were published");
    }

    fn read_until(&mut self, what: &str, is_enough: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + WAIT_TIMEOUT;
        while !is_enough(self) {
            self.read(Duration::from_secs(1), |_| ());
            assert!(
                Instant::now() < deadline,
                "waited {WAIT_TIMEOUT:?} for {what}; {} clients, {} events",
                self.members.len(),
                self.received
            );
        }
    }

    /// Reads for this time.
    pub(crate) fn rest(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            self.read(left, |_| ());
        }
    }

    /// Makes the next event of each client its number 0.
    pub(crate) fn count_from_zero(&mut self) {
        for member in &mut self.members {
            member.events = 0;
        }
    }

    /// Returns the number of events that all clients together have received.
    pub(crate) const fn received(&self) -> u64 {
        self.received
    }

    /// Returns the number of pings that all clients together have answered.
    pub(crate) const fn pings(&self) -> u64 {
        self.pings
    }

    /// Waits for clients that have something to read, and reads it. Calls `each` for every event,
    /// with its number at its client.
    pub(crate) fn read(&mut self, timeout: Duration, mut each: impl FnMut(u64)) {
        let polled = self.poll.poll(&mut self.ready, Some(timeout));
        if polled.is_err_and(|error| error.kind() != ErrorKind::Interrupted) {
            panic!("epoll failed");
        }
        let mut has_arrivals = false;
        for event in &self.ready {
            if event.token() == ARRIVAL {
                has_arrivals = true;
            } else {
                let member = &mut self.members[event.token().0];
                let read = member.read(&mut self.buffer, &mut each);
                self.received += read.events;
                self.pings += read.pings;
            }
        }
        if has_arrivals {
            self.take_arrivals();
        }
    }

    fn take_arrivals(&mut self) {
        for arrival in self.arrivals.take() {
            let mut stream = TcpStream::from_std(arrival.stream);
            let token = Token(self.members.len());
            // What has arrived already is reported, too.
            let registered = self.poll.registry();
            registered
                .register(&mut stream, token, Interest::READABLE)
                .expect("epoll");
            self.members.push(Member {
                stream,
                frames: arrival.frames,
                events: 0,
            });
        }
    }
}

/// One client.
#[derive(Debug)]
struct Member {
    stream: TcpStream,
    frames: FrameReader,
    events: u64,
}

/// The frames that a client has read at once.
#[derive(Debug, Default, Clone, Copy)]
struct Read {
    events: u64,
    pings: u64,
}

impl Member {
    /// Reads what is there and answers pings.
    fn read(&mut self, buffer: &mut [u8], each: &mut impl FnMut(u64)) -> Read {
        let mut read = Read::default();
        let first = self.events;
        while let Some(size) = self.read_some(buffer) {
            let mut answers = Vec::new();
            self.frames
                .read(&buffer[..size], |frame| match Kind::of(&frame) {
                    Kind::Event => {
                        each(first + read.events);
                        read.events += 1;
                    }
                    Kind::Ping => {
                        answers.extend(answer(&frame));
                        read.pings += 1;
                    }
                    Kind::Other => (),
                });
            if !answers.is_empty() {
                self.stream.write_all(&answers).expect("a short answer");
            }
            // A short read has emptied the socket.
            if size < buffer.len() {
                break;
            }
        }
        self.events += read.events;
        read
    }

    /// Returns the number of bytes, or nothing if none are there now.
    fn read_some(&mut self, buffer: &mut [u8]) -> Option<usize> {
        match self.stream.read(buffer) {
            Ok(0) => panic!("the server closed a connection"),
            Ok(size) => Some(size),
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(error) => panic!("a client cannot read: {error}"),
        }
    }
}

/// The meaning of a frame for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Event,
    Ping,
    Other,
}

impl Kind {
    fn of(frame: &ServerFrame<'_>) -> Self {
        match (frame.opcode, frame.payload) {
            (TEXT, payload) if payload.starts_with(EVENT) => Self::Event,
            (TEXT, b"2") | (PING, _) => Self::Ping,
            (CLOSE, payload) => panic!("the server closes a connection: {payload:?}"),
            _ => Self::Other,
        }
    }
}

fn answer(ping: &ServerFrame<'_>) -> Vec<u8> {
    if ping.opcode == PING {
        return client_frame(PONG, ping.payload);
    }
    client_frame(TEXT, b"3")
}
