//! The official clients, each in a child process that reads and writes one JSON object per line.
//!
//! Input: `{"do": "connect" | "emit" | "call" | "binary" | "burst" | "disconnect" | "drop", "as":
//! NAME, …}`; `binary` and `burst` are known to the JavaScript client alone. Output:
//! `{"as": NAME, "event": E, "args": […]}`, with `connect`, `connect_error` and `disconnect` as
//! events too, and `{"ack": N, "args": […]}`.

use serde_json::{Value, json};
use tokio::process::Command;

use crate::clients::phone::Event;
use crate::faults::network::Network;
use crate::server::Listening;
use crate::server::journal::Journal;
use crate::server::paths;
use crate::server::process::Process;

/// A driver process with any number of sockets. Dropping it kills the process.
#[derive(Debug)]
pub struct Driver {
    process: Process,
    calls: u64,
}

impl Driver {
    /// Starts the official JavaScript client in Node.
    #[must_use]
    pub fn node() -> Self {
        let mut command = Command::new("node");
        command.arg("client.mjs").current_dir(paths::js());
        Self {
            process: Process::start(command),
            calls: 0,
        }
    }

    /// Starts the official JavaScript client in this network namespace.
    #[must_use]
    pub fn node_in(network: &Network) -> Self {
        let mut command = network.command("node");
        command.arg("client.mjs").current_dir(paths::js());
        Self {
            process: Process::start(command),
            calls: 0,
        }
    }

    /// Starts the `python-socketio` client.
    #[must_use]
    pub fn python() -> Self {
        Self::python_with(&[])
    }

    /// Starts the `python-socketio` client without polling, for balancers that do not keep a client
    /// at one node.
    #[must_use]
    pub fn python_by_websocket() -> Self {
        Self::python_with(&["--websocket"])
    }

    /// Starts the `python-socketio` client without WebSocket.
    #[must_use]
    pub fn python_by_polling() -> Self {
        Self::python_with(&["--polling"])
    }

    fn python_with(options: &[&str]) -> Self {
        let mut command = Command::new(paths::python());
        command
            .arg("-u")
            .arg(paths::package_path("python/client.py"))
            .args(options);
        Self {
            process: Process::start(command),
            calls: 0,
        }
    }

    /// Starts to connect a socket called `name`, with the guide's `Authorization` header and the
    /// default transports.
    pub async fn connect(&mut self, name: &str, server: &impl Listening, token: &str) {
        let opts = json!({"extraHeaders": {"Authorization": format!("Bearer {token}")}});
        self.connect_with(name, server, &opts).await;
    }

    /// Starts to connect a socket with these options of the client library.
    pub async fn connect_with(&mut self, name: &str, server: &impl Listening, opts: &Value) {
        self.send_command(&json!({"do": "connect", "as": name, "url": server.url(), "opts": opts}))
            .await;
    }

    /// Connects a socket and waits for its `rt:ready`.
    pub async fn ready(&mut self, name: &str, server: &impl Listening, token: &str) {
        self.connect(name, server, token).await;
        self.event(name, "rt:ready").await;
    }

    /// Emits an event without an ack.
    pub async fn emit(&mut self, name: &str, event: &str, data: &Value) {
        self.send_command(&json!({"do": "emit", "as": name, "event": event, "data": data}))
            .await;
    }

    /// Emits an event and returns the one argument of its ack.
    pub async fn call(&mut self, name: &str, event: &str, data: &Value) -> Value {
        self.calls += 1;
        let id = self.calls;
        self.send_command(
            &json!({"do": "call", "id": id, "as": name, "event": event, "data": data}),
        )
        .await;
        let acked = |line: &Value| line["ack"] == id;
        self.first(&format!("the ack of {event}"), acked).await["args"][0].take()
    }

    /// Emits an event with binary data and returns the one argument of its ack. In Node alone.
    pub async fn call_with_bytes(&mut self, name: &str, event: &str) -> Value {
        self.calls += 1;
        let id = self.calls;
        self.send_command(&json!({"do": "binary", "id": id, "as": name, "event": event}))
            .await;
        let acked = |line: &Value| line["ack"] == id;
        self.first(&format!("the ack of {event}"), acked).await["args"][0].take()
    }

    /// Emits one event for each of `data` in one tick of the JavaScript client. Returns the ids
    /// under which they are acknowledged.
    pub async fn burst(&mut self, name: &str, event: &str, data: &[Value]) -> Vec<u64> {
        let first = self.calls + 1;
        self.calls += data.len() as u64;
        let ids: Vec<u64> = (first..=self.calls).collect();
        let calls: Vec<Value> = std::iter::zip(&ids, data)
            .map(|(id, data)| json!({"id": id, "event": event, "data": data}))
            .collect();
        self.send_command(&json!({"do": "burst", "as": name, "calls": calls}))
            .await;
        ids
    }

    /// Waits for `count` acks of bursts, and returns them in the order in which they came, with
    /// their ids.
    pub async fn acks(&self, count: usize) -> Vec<(u64, Value)> {
        let find = |lines: &[String]| {
            let acks = lines.iter().map(|line| parse(line));
            let acks: Vec<(u64, Value)> = acks
                .filter_map(|mut line| Some((line["ack"].as_u64()?, line["args"][0].take())))
                .collect();
            (acks.len() >= count).then_some(acks)
        };
        let what = format!("{count} acks");
        self.process.stdout.wait_for(&what, find).await
    }

    /// Disconnects the socket with a DISCONNECT packet.
    pub async fn disconnect(&mut self, name: &str) {
        self.send_command(&json!({"do": "disconnect", "as": name}))
            .await;
    }

    /// Closes the socket's transport. The client library reconnects by itself.
    pub async fn drop_connection(&mut self, name: &str) {
        self.send_command(&json!({"do": "drop", "as": name})).await;
    }

    /// Kills the client's process, as a crash would.
    pub async fn kill(mut self) {
        self.process.kill().await;
    }

    /// Returns the journal of the process's output lines.
    #[must_use]
    pub fn lines(&self) -> Journal<String> {
        self.process.stdout.clone()
    }

    /// Waits for the first event with this name at this socket and returns its one argument, `null`
    /// if it has none.
    pub async fn event(&self, name: &str, event: &str) -> Value {
        self.nth(name, event, 1).await
    }

    /// Waits for the `n`th event (from 1) with this name at this socket and returns its one
    /// argument.
    pub async fn nth(&self, name: &str, event: &str, n: usize) -> Value {
        let what = format!("{name} to get {event} no. {n}");
        let line = self
            .process
            .stdout
            .wait_for(&what, |lines| nth_of(lines, name, event, n))
            .await;
        let args = line["args"].as_array().expect("arguments").clone();
        assert!(
            args.len() <= 1,
            "a second argument breaks one-argument handlers: {line}"
        );
        args.into_iter().next().unwrap_or_default()
    }

    /// Returns the names of the events that this socket received so far, in order.
    #[must_use]
    pub fn names(&self, name: &str) -> Vec<String> {
        let lines = self.process.stdout.so_far();
        let mine = lines
            .iter()
            .map(|line| parse(line))
            .filter(|line| line["as"] == name);
        mine.map(|line| line["event"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Returns the events that this socket received so far.
    #[must_use]
    pub fn events(&self, name: &str) -> Vec<Event> {
        let lines = self.process.stdout.so_far();
        let mine = lines
            .iter()
            .map(|line| parse(line))
            .filter(|line| line["as"] == name);
        let event = |mut line: Value| Event {
            name: line["event"].as_str().unwrap_or_default().to_owned(),
            data: line["args"].get_mut(0).map(Value::take).unwrap_or_default(),
        };
        mine.map(event).collect()
    }

    /// Returns how many events with this name this socket received so far.
    #[must_use]
    pub fn count(&self, name: &str, event: &str) -> usize {
        self.names(name).iter().filter(|got| *got == event).count()
    }

    async fn first(&self, what: &str, matches: impl Fn(&Value) -> bool) -> Value {
        let find = |lines: &[String]| {
            lines
                .iter()
                .map(|line| parse(line))
                .find(|line| matches(line))
        };
        self.process.stdout.wait_for(what, find).await
    }

    async fn send_command(&mut self, command: &Value) {
        self.process.write_line(&command.to_string()).await;
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let complaints = self.process.stderr.so_far();
            eprintln!("the driver's standard error: {complaints:#?}");
        }
    }
}

fn nth_of(lines: &[String], name: &str, event: &str, n: usize) -> Option<Value> {
    let lines = lines.iter().map(|line| parse(line));
    lines
        .filter(|line| line["as"] == name && line["event"] == event)
        .nth(n - 1)
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|_| json!({"not JSON": line}))
}
