//! A Redis for one test: a process on a free port and in its own folder. It ends with the test.

use std::{
    fs,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use metaia_realtime::testing::{eventually, within};
use redis::{Cmd, FromRedisValue, aio::MultiplexedConnection};

/// A running Redis. Dropping it kills the process and removes the folder.
pub(crate) struct RedisServer {
    port: u16,
    password: Option<&'static str>,
    folder: PathBuf,
    process: Child,
}

impl RedisServer {
    pub(crate) async fn start() -> Self {
        Self::start_with(None).await
    }

    pub(crate) async fn start_with(password: Option<&'static str>) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let folder =
            std::env::temp_dir().join(format!("metaia-redis-{}-{port}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let process = launch(port, password, &folder);
        let server = Self {
            port,
            password,
            folder,
            process,
        };
        server.wait_until_ready().await;
        server
    }

    pub(crate) fn url(&self) -> String {
        let password = self
            .password
            .map_or(String::new(), |password| format!(":{password}@"));
        format!("redis://{password}127.0.0.1:{}/0", self.port)
    }

    /// Kills the process with SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts a new, empty process on the same port.
    pub(crate) async fn restart(&mut self) {
        self.process = launch(self.port, self.password, &self.folder);
        self.wait_until_ready().await;
    }

    /// Stops the process with SIGSTOP: the kernel accepts connections, but Redis does not answer.
    pub(crate) fn pause(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.process.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Connects an ordinary client.
    pub(crate) async fn client(&self) -> MultiplexedConnection {
        let client = redis::Client::open(self.url()).unwrap();
        within(
            "a connection to Redis",
            client.get_multiplexed_async_connection(),
        )
        .await
        .unwrap()
    }

    pub(crate) async fn ask<T: FromRedisValue>(&self, command: &[&str]) -> T {
        let mut cmd = Cmd::new();
        for word in command {
            cmd.arg(word);
        }
        cmd.query_async(&mut self.client().await).await.unwrap()
    }

    /// Returns the number of subscribers of the channel. Blocks, so that it can be called in the
    /// closure of [`eventually`].
    pub(crate) fn subscribed(&self, channel: &str) -> u64 {
        let mut client = redis::Client::open(self.url())
            .unwrap()
            .get_connection()
            .unwrap();
        let (_, count): (String, u64) = redis::cmd("PUBSUB")
            .arg("NUMSUB")
            .arg(channel)
            .query(&mut client)
            .unwrap();
        count
    }

    async fn wait_until_ready(&self) {
        let client = redis::Client::open(self.url()).unwrap();
        eventually("Redis to answer", || client.get_connection().is_ok()).await;
    }
}

fn launch(port: u16, password: Option<&str>, folder: &PathBuf) -> Child {
    let mut command = Command::new("redis-server");
    command.args([
        "--port",
        &port.to_string(),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
    ]);
    if let Some(password) = password {
        command.args(["--requirepass", password]);
    }
    let quiet = command
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    quiet
        .spawn()
        .expect("redis-server is installed: see docs/testing.md")
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // SIGKILL ends a stopped process, too.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
