//! The program of one process of clients: this very benchmark, started once more.
//!
//! It does what the lines of its standard input say, and answers each of them by one line when it
//! is done. All the time it reads its clients and answers their pings. It ends with its input.
//!
//! - `connect COUNT AT_ONCE` connects so many clients, `AT_ONCE` of them at the same time, and
//!   answers `live CLIENTS ATTEMPTS BROKEN`: how many clients were refused at first, how many
//!   attempts of all, and how many of these ended without an answer.
//! - `receive` waits until each client has received an event, for at most a minute, and answers
//!   `received CLIENTS`.
//! - `leave` closes all connections, and answers `left`.

use std::io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
use std::io::stdin;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use metaia_tests::fixtures::seeded_rng::SeededRng;
use tokio::task::block_in_place;

use crate::cluster::wait;
use crate::crowd::{Arrival, Arrivals, Crowd, Refusal, by_websocket, connect_from};

/// The word that makes this program of the benchmark, before the port and the process's number.
pub(crate) const NAME: &str = "clients";

/// The packet after which a client is live.
const READY: &str = "42[\"rt:ready\"";
/// The time after which an instruction is looked for while nothing arrives.
const PACE: Duration = Duration::from_millis(10);
/// The time in which all clients must receive an event.
const EVENT_TIMEOUT: Duration = Duration::from_secs(60);
/// The number of clients with the same address. A port cannot be used again for a minute after its
/// connection was closed, and to find a free one takes the kernel the longer the fewer there are.
/// So an address has far fewer clients than ports.
const CLIENTS_PER_ADDRESS: usize = 200;
/// The number of addresses of `127.0.0.0/8`, without the first and the last one.
const ADDRESSES: u64 = (1 << 24) - 2;
/// More users than one process has.
const USERS_PER_PROCESS: usize = 1_000_000;

/// Runs until the standard input ends.
pub(crate) fn run(words: &[&str]) {
    let [port, process] = words else {
        panic!("{NAME} needs a port and a number");
    };
    let lines = lines();
    let place = Place {
        port: port.parse().expect("a port"),
        process: process.parse().expect("a number"),
        addresses: any_address(),
    };
    let mut program = Program {
        place,
        crowd: Crowd::new(),
        reached: 0,
    };
    block_in_place(|| {
        while let Some(line) = program.next_line(&lines) {
            let answer = program.follow(&line);
            println!("{answer}");
        }
    });
}

/// Reads the standard input on a thread of its own, which may wait for it.
fn lines() -> Receiver<String> {
    let (sender, lines) = sync_channel(1);
    std::thread::spawn(move || {
        let read = stdin().lines().map_while(Result::ok);
        read.take_while(|line| sender.send(line.clone()).is_ok())
            .count()
    });
    lines
}

/// The place of the clients of this process.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// The server's port.
    port: u16,
    /// The number of this process among all of them.
    process: usize,
    /// The number of the first client's address. It is another one in each round, so that ports do
    /// not run out.
    addresses: u64,
}

/// The state of this program: its clients.
struct Program {
    place: Place,
    crowd: Crowd,
    /// The number of clients that have received an event.
    reached: usize,
}

/// The attempts to connect that the server has refused.
#[derive(Debug, Default)]
struct RefusedSoFar {
    clients: AtomicUsize,
    attempts: AtomicUsize,
    broken: AtomicUsize,
}

impl RefusedSoFar {
    fn count(&self, attempt: u32, refusal: &Refusal) {
        match refusal {
            Refusal::Answer(response) => assert_eq!(response.status, 503, "{response:?}"),
            Refusal::Broken(error) => {
                let kinds = [ConnectionReset, BrokenPipe, UnexpectedEof];
                assert!(kinds.contains(&error.kind()), "{error}");
                self.broken.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.clients
            .fetch_add(usize::from(attempt == 0), Ordering::Relaxed);
        self.attempts.fetch_add(1, Ordering::Relaxed);
    }
}

impl Program {
    fn next_line(&mut self, lines: &Receiver<String>) -> Option<String> {
        loop {
            match lines.try_recv() {
                Ok(line) => return Some(line),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => self.read(),
            }
        }
    }

    fn read(&mut self) {
        let reached = &mut self.reached;
        self.crowd.read(PACE, |n| {
            // Only the first event of each client counts.
            *reached += usize::from(n == 0);
        });
    }

    fn follow(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["connect", count, at_once] => {
                let number = |word: &str| word.parse().expect("a number");
                self.connect(number(count), number(at_once))
            }
            ["receive"] => self.receive(),
            ["leave"] => self.leave(),
            _ => panic!("not an instruction: {line}"),
        }
    }

    fn connect(&mut self, count: usize, at_once: usize) -> String {
        let refused = Arc::new(RefusedSoFar::default());
        let first = self.crowd.size();
        let connecting = connect_all(
            self.place,
            first..first + count,
            at_once,
            self.crowd.arrivals(),
            Arc::clone(&refused),
        );
        tokio::spawn(connecting);
        self.crowd.admit(first + count);
        let clients = refused.clients.load(Ordering::Relaxed);
        let attempts = refused.attempts.load(Ordering::Relaxed);
        let broken = refused.broken.load(Ordering::Relaxed);
        format!("live {clients} {attempts} {broken}")
    }

    fn receive(&mut self) -> String {
        let begun = Instant::now();
        while self.reached < self.crowd.size() && begun.elapsed() < EVENT_TIMEOUT {
            self.read();
        }
        let reached = self.reached;
        format!("received {reached}")
    }

    fn leave(&mut self) -> String {
        self.crowd = Crowd::new();
        self.place.addresses = any_address();
        self.reached = 0;
        "left".to_owned()
    }
}

/// Connects these clients, `at_once` of them at the same time, and hands them over.
async fn connect_all(
    place: Place,
    numbers: Range<usize>,
    at_once: usize,
    arrivals: Arc<Arrivals>,
    refused: Arc<RefusedSoFar>,
) {
    let clients = stream::iter(numbers).for_each_concurrent(at_once, |number| {
        let arrivals = Arc::clone(&arrivals);
        let refused = Arc::clone(&refused);
        async move { arrivals.add(connect(place, number, &refused).await) }
    });
    clients.await;
}

/// Connects a client, again and again if the server refuses it, as the official client does.
async fn connect(place: Place, number: usize, refused: &RefusedSoFar) -> Arrival {
    let (mut rng, _) = SeededRng::random();
    for attempt in 0.. {
        match open(place, number).await {
            Ok(arrival) => return arrival,
            Err(refusal) => refused.count(attempt, &refusal),
        }
        wait(pause(attempt, &mut rng)).await;
    }
    unreachable!("a client connects at last")
}

async fn open(place: Place, number: usize) -> Result<Arrival, Refusal> {
    let user = place.process * USERS_PER_PROCESS + number;
    let stream = connect_from(address(place.addresses, number), place.port).await;
    by_websocket(stream.map_err(Refusal::Broken)?, READY, user).await
}

fn any_address() -> u64 {
    SeededRng::random().0.below(ADDRESSES)
}

/// Returns an address of this machine.
fn address(first: u64, number: usize) -> Ipv4Addr {
    let nth = (first + (number / CLIENTS_PER_ADDRESS) as u64) % ADDRESSES;
    let nth = u32::try_from(nth).expect("fewer addresses");
    Ipv4Addr::from_bits(Ipv4Addr::new(127, 0, 0, 1).to_bits() + nth)
}

/// Returns the pause of the official client after this attempt: 1 s, 2 s, 4 s, 5 s, …, half of it
/// more or less.
fn pause(attempt: u32, rng: &mut SeededRng) -> Duration {
    let longest = Duration::from_secs(5);
    let middle = Duration::from_secs(1 << attempt.min(3)).min(longest);
    middle.mul_f64(0.5 + rng.below(1_000) as f64 / 1_000.0)
}
