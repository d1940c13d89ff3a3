//! The processes of clients.

use futures_util::future::join_all;
use metaia_tests::eventually::eventually;
use metaia_tests::faults::kernel::descriptors;
use metaia_tests::server::Server;
use metaia_tests::server::process::Process;
use tokio::process::Command;

use super::program;

/// The number of waits of half a minute, each, for the answer to an instruction.
const WAITS: usize = 10;
/// Descriptors that a server may open meanwhile for itself, for instance to its database.
const OTHERS: u64 = 50;

/// The processes, one for each server.
#[derive(Debug)]
pub(super) struct Clients {
    processes: Vec<Process>,
    /// The number of lines that each process has printed.
    answers: usize,
}

/// The attempts that the server has refused.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refused {
    /// The number of clients that were refused at first.
    pub(super) clients: usize,
    /// The number of refused attempts of all of them.
    pub(super) attempts: usize,
    /// The number of those that ended without an answer.
    pub(super) broken: usize,
}

impl Clients {
    /// Starts a process for the clients of each of these ports.
    pub(super) fn start(ports: impl IntoIterator<Item = u16>) -> Self {
        Self {
            processes: ports.into_iter().enumerate().map(start).collect(),
            answers: 0,
        }
    }

    /// Connects so many clients in equal parts, and waits until all are live. `at_once` of them
    /// connect at the same time.
    pub(super) async fn connect(&mut self, count: usize, at_once: usize) -> Refused {
        let processes = self.processes.len();
        let share = |index: usize| count * (index + 1) / processes - count * index / processes;
        let at_once = at_once.div_ceil(processes);
        let line = |index| format!("connect {} {at_once}", share(index));
        let answers = self.instruct(line, "live").await;
        let sum = |at: usize| answers.iter().map(|numbers| numbers[at]).sum();
        Refused {
            clients: sum(0),
            attempts: sum(1),
            broken: sum(2),
        }
    }

    /// Waits until every client has received an event, and returns the number of those that have.
    pub(super) async fn receive(&mut self) -> usize {
        let answers = self.instruct(|_| "receive".to_owned(), "received").await;
        answers.iter().map(|numbers| numbers[0]).sum()
    }

    /// Closes all connections.
    pub(super) async fn leave(&mut self) {
        self.instruct(|_| "leave".to_owned(), "left").await;
    }

    /// Gives each process its line, and returns the numbers of their answers.
    async fn instruct(&mut self, line: impl Fn(usize) -> String, answer: &str) -> Vec<Vec<usize>> {
        for (index, process) in self.processes.iter_mut().enumerate() {
            process.write_line(&line(index)).await;
        }
        let nth = self.answers;
        self.answers += 1;
        let answers = self
            .processes
            .iter()
            .map(|process| nth_answer(process, nth));
        let answers = join_all(answers).await;
        let numbers = answers.iter().map(|line| numbers(line, answer));
        numbers.collect()
    }
}

/// Waits until a server has closed the connections of all clients that have left. `idle` is the
/// number of its descriptors without clients.
pub(super) async fn until_left(server: &Server, idle: u64) {
    eventually("the connections to be closed", async || {
        (descriptors(server.pid()) <= idle + OTHERS).then_some(())
    })
    .await;
}

fn start((number, port): (usize, u16)) -> Process {
    let this = std::env::current_exe().expect("the path of this program");
    let mut command = Command::new(this);
    command.args([program::NAME, &port.to_string(), &number.to_string()]);
    Process::start_named("a process of clients", command)
}

async fn nth_answer(process: &Process, nth: usize) -> String {
    for _ in 0..WAITS {
        let answer = process.stdout.find(|lines| lines.get(nth).cloned()).await;
        if let Some(answer) = answer {
            return answer;
        }
    }
    panic!("clients do not answer: {:#?}", process.output_lines());
}

fn numbers(line: &str, answer: &str) -> Vec<usize> {
    let mut words = line.split(' ');
    assert_eq!(words.next(), Some(answer), "{line}");
    words
        .map(|number| number.parse().expect("a number"))
        .collect()
}
