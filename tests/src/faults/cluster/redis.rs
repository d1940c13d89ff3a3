//! A real `redis-server` with a fixed address and without persistence.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::eventually::eventually;
use crate::server::host::Host;
use crate::server::ports;
use crate::server::process::Process;
use crate::server::temp_folder::TempFolder;

const COMMAND_TIMEOUT: Duration = Duration::from_secs(2);

/// A `redis-server`. Dropping it kills the process.
#[derive(Debug)]
pub struct Redis {
    process: Option<Process>,
    folder: TempFolder,
    host: Host,
    port: u16,
    password: Option<String>,
}

impl Redis {
    /// Starts one on this machine without a password.
    pub async fn start() -> Self {
        Self::start_on(Host::local(), None).await
    }

    /// Starts one on this host, with this password if there is one.
    pub async fn start_on(host: Host, password: Option<&str>) -> Self {
        let mut redis = Self::planned(host, password);
        redis.run().await;
        redis
    }

    /// Creates one without starting it: its address is known, and no process listens there.
    #[must_use]
    pub fn planned(host: Host, password: Option<&str>) -> Self {
        let folder = TempFolder::new();
        let port = ports::unused();
        Self {
            process: None,
            folder,
            host,
            port,
            password: password.map(str::to_owned),
        }
    }

    /// Starts the process and waits until it responds. It has no data.
    pub async fn run(&mut self) {
        let mut command = self.host.command("redis-server");
        command.args([
            "--port",
            &self.port.to_string(),
            "--bind",
            self.host.address(),
        ]);
        command
            .args(["--save", "", "--appendonly", "no", "--protected-mode", "no"])
            .arg("--dir");
        command.arg(self.folder.path());
        command.args(
            self.password
                .iter()
                .flat_map(|password| ["--requirepass", password]),
        );
        self.process = Some(Process::start_named("redis-server", command));
        let answers = async || {
            self.command("PING")
                .await
                .filter(|answer| answer.contains("PONG"))
        };
        eventually("redis-server to answer", answers).await;
    }

    /// Returns its `REDIS_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        let password = self
            .password
            .iter()
            .map(|password| format!(":{password}@"))
            .collect::<String>();
        format!("redis://{password}{}:{}/", self.host.address(), self.port)
    }

    /// Kills the process with SIGKILL, as a power cut would.
    pub async fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().await;
        }
    }

    /// Kills the process and starts a new one at the same address.
    pub async fn restart(&mut self) {
        self.kill().await;
        self.run().await;
    }

    /// Stops the process with SIGSTOP. Its connections stay open.
    pub async fn pause(&self) {
        self.process
            .as_ref()
            .expect("redis-server runs")
            .signal("STOP")
            .await;
    }

    /// Continues the process after a pause.
    pub async fn resume(&self) {
        self.process
            .as_ref()
            .expect("redis-server runs")
            .signal("CONT")
            .await;
    }

    /// Deletes all keys.
    pub async fn flush_all(&self) {
        let answer = self.command("FLUSHALL").await.unwrap_or_default();
        assert!(answer.contains("+OK"), "FLUSHALL: {answer:?}");
    }

    /// Waits until this number of clients subscribe to a channel.
    pub async fn await_subscribers(&self, count: usize) {
        let subscribed = async || {
            let clients = self.command("CLIENT LIST TYPE pubsub").await?;
            (clients.matches("addr=").count() >= count).then_some(())
        };
        eventually(&format!("{count} subscribers"), subscribed).await;
    }

    /// Runs a command and returns the raw response, after the response to the password. Returns
    /// `None` if there is no response within 2 s (`COMMAND_TIMEOUT`).
    pub async fn command(&self, command: &str) -> Option<String> {
        timeout(COMMAND_TIMEOUT, self.exchange(command))
            .await
            .ok()?
            .ok()
    }

    async fn exchange(&self, command: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect((self.host.address(), self.port)).await?;
        let login = self
            .password
            .iter()
            .map(|password| format!("AUTH {password}\r\n"))
            .collect::<String>();
        stream
            .write_all(format!("{login}{command}\r\nQUIT\r\n").as_bytes())
            .await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }
}
