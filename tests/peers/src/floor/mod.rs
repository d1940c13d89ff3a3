//! Floors: a server with one thread, epoll, one prepared frame, and nothing else. What it costs is
//! the kernel's own price, in whatever language a server is written.
//!
//! It has no queues: a client that does not read in time ends the server.

mod client;
mod control;

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token, net::TcpListener};

use crate::{Failure, instruction::Instruction, notification::Notification};
use client::Client;
use control::Control;

/// The way in which the floor writes several frames to each client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writing {
    /// One system call for each frame.
    EachFrame,
    /// The same, after [`WORK`] for each frame.
    EachFrameAfterWork,
    /// One system call for all frames of a client.
    Batches,
}

/// The time that a server with sessions computes for each delivery. It makes the kernel's price
/// higher, too: the clients keep up with the server, so that more often they sleep and are woken,
/// and use a socket while the server does.
const WORK: Duration = Duration::from_nanos(800);

const CLIENT_PORT: Token = Token(0);
const CONTROL_PORT: Token = Token(1);
const CONTROL: Token = Token(2);
/// The tokens from here on belong to clients.
const FIRST_CLIENT: usize = 3;

/// Serves until the benchmark leaves.
pub(crate) fn run(writing: Writing) -> Result<(), Failure> {
    let mut floor = Floor::listen(writing)?;
    let mut events = Events::with_capacity(1_024);
    loop {
        floor.poll.poll(&mut events, None)?;
        for event in &events {
            if !floor.handle(event.token())? {
                return Ok(());
            }
        }
    }
}

struct Floor {
    poll: Poll,
    writing: Writing,
    client_port: TcpListener,
    control_port: TcpListener,
    control: Option<Control>,
    clients: Vec<Client>,
    /// The index of each user's client.
    users: Vec<usize>,
    frame: Vec<u8>,
}

impl Floor {
    fn listen(writing: Writing) -> Result<Self, Failure> {
        let poll = Poll::new()?;
        let client_port = listen(&poll, CLIENT_PORT)?;
        let control_port = listen(&poll, CONTROL_PORT)?;
        let ports = [&client_port, &control_port].map(|port| port.local_addr());
        let [clients, control] = ports;
        println!("listening {} {}", clients?.port(), control?.port());
        Ok(Self {
            poll,
            writing,
            client_port,
            control_port,
            control: None,
            clients: Vec::new(),
            users: Vec::new(),
            frame: Notification::numbered(1).frame(),
        })
    }

    /// Handles one readiness. Returns false once the benchmark has left.
    fn handle(&mut self, token: Token) -> Result<bool, Failure> {
        match token {
            CLIENT_PORT => self.accept_clients()?,
            CONTROL_PORT => self.accept_control()?,
            CONTROL => return self.follow(),
            Token(token) => self.read_client(token - FIRST_CLIENT)?,
        }
        Ok(true)
    }

    fn accept_clients(&mut self) -> io::Result<()> {
        while let Some((mut stream, _)) = ready(self.client_port.accept())? {
            stream.set_nodelay(true)?;
            let token = Token(FIRST_CLIENT + self.clients.len());
            let registry = self.poll.registry();
            registry.register(&mut stream, token, Interest::READABLE)?;
            self.clients.push(Client::new(stream));
        }
        Ok(())
    }

    fn accept_control(&mut self) -> io::Result<()> {
        while let Some((mut stream, _)) = ready(self.control_port.accept())? {
            let registry = self.poll.registry();
            registry.register(&mut stream, CONTROL, Interest::READABLE)?;
            self.control = Some(Control::new(stream));
        }
        Ok(())
    }

    fn read_client(&mut self, index: usize) -> io::Result<()> {
        if let Some(user) = self.clients[index].read()? {
            let size = self.users.len().max(user + 1);
            self.users.resize(size, 0);
            self.users[user] = index;
        }
        Ok(())
    }

    fn follow(&mut self) -> Result<bool, Failure> {
        let Some(control) = &mut self.control else {
            return Ok(true);
        };
        let Some(instructions) = control.read()? else {
            return Ok(false);
        };
        for instruction in instructions {
            self.publish(instruction)?;
        }
        Ok(true)
    }

    fn publish(&mut self, instruction: Instruction) -> io::Result<()> {
        match (instruction, self.writing) {
            (Instruction::Everyone(times), Writing::Batches) => self.write_batches(times),
            (Instruction::Everyone(times), _) => self.write_each(times),
            (Instruction::Users(users), _) => {
                for user in users {
                    let index = self.users[user];
                    self.write(index)?;
                }
                Ok(())
            }
        }
    }

    fn write_each(&mut self, times: usize) -> io::Result<()> {
        for _ in 0..times {
            for index in 0..self.clients.len() {
                self.write(index)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, client: usize) -> io::Result<()> {
        if self.writing == Writing::EachFrameAfterWork {
            let begun = Instant::now();
            while begun.elapsed() < WORK {}
        }
        self.clients[client].write(&self.frame)
    }

    fn write_batches(&mut self, times: usize) -> io::Result<()> {
        let frames = vec![self.frame.as_slice(); times];
        for client in &mut self.clients {
            client.write_all(&frames)?;
        }
        Ok(())
    }
}

fn listen(poll: &Poll, token: Token) -> Result<TcpListener, Failure> {
    let mut listener = TcpListener::bind("127.0.0.1:0".parse()?)?;
    let registry = poll.registry();
    registry.register(&mut listener, token, Interest::READABLE)?;
    Ok(listener)
}

/// Returns nothing for an operation that would block.
fn ready<T>(done: io::Result<T>) -> io::Result<Option<T>> {
    match done {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
