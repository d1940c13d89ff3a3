//! The benchmark's connection to an asynchronous server.

use futures_util::future::try_join_all;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::TcpListener,
    task::JoinSet,
};

use crate::{Failure, instruction::Instruction};

/// The room that all clients of a peer are in.
pub(crate) const EVERYONE: &str = "customer-room";

/// A server's way to publish the event of a number.
pub(crate) trait Publisher: Send + Sync + 'static {
    /// Publishes to all clients.
    fn everyone(&self, n: usize) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Publishes to the clients of a user.
    fn user(&self, user: String, n: usize) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// The two ports of a server.
pub(crate) struct Ports {
    pub(crate) clients: TcpListener,
    control: TcpListener,
}

impl Ports {
    /// Listens on two free ports, and prints them with these versions.
    pub(crate) async fn listen(versions: &str) -> Result<Self, Failure> {
        let clients = TcpListener::bind("127.0.0.1:0").await?;
        let control = TcpListener::bind("127.0.0.1:0").await?;
        let client_port = clients.local_addr()?.port();
        let control_port = control.local_addr()?.port();
        println!("listening {client_port} {control_port} {versions}");
        Ok(Self { clients, control })
    }

    /// Runs the server that `serve` makes of the clients' listener, and does what the benchmark
    /// asks, until the benchmark leaves or one of the two fails.
    pub(crate) async fn run<F>(
        self,
        publisher: impl Publisher,
        serve: impl FnOnce(TcpListener) -> F,
    ) -> Result<(), Failure>
    where
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        // Tasks, so that events are published on the threads on which requests are handled.
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(self.clients));
        tasks.spawn(follow(self.control, publisher));
        match tasks.join_next().await {
            Some(ended) => ended?,
            None => Ok(()),
        }
    }
}

/// Does what the first connection asks for, until it is closed.
async fn follow(listener: TcpListener, publisher: impl Publisher) -> Result<(), Failure> {
    let (stream, _) = listener.accept().await?;
    let mut lines = BufReader::new(stream).lines();
    let mut published = 0;
    while let Some(line) = lines.next_line().await? {
        published += publish(&publisher, line.parse()?, published).await?;
    }
    Ok(())
}

/// Publishes events with numbers from `n`, and returns how many.
async fn publish(
    publisher: &impl Publisher,
    instruction: Instruction,
    n: usize,
) -> Result<usize, Failure> {
    let done = match instruction {
        Instruction::Everyone(times) => {
            try_join_all((0..times).map(|time| publisher.everyone(n + time))).await?
        }
        Instruction::Users(users) => {
            try_join_all(users.map(|user| publisher.user(format!("user-{user}"), n + user))).await?
        }
    };
    Ok(done.len())
}
