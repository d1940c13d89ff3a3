//! A real `mongod` for tests, in a folder of its own. It ends with the process that started it.
//!
//! The program is the one that `METAIA_MONGOD` names, or one on the path, or the one that `cargo
//! xtask provision mongod` has put under the target folder.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use mongodb::{
    Client,
    bson::{Document, doc},
};

use crate::{mongo::Deployment, values::EventId};

/// The deadline for a start until the server can be written to, and for the end after a kill.
const STATE_TIMEOUT: Duration = Duration::from_secs(40);
const RETRY_PAUSE: Duration = Duration::from_millis(20);

/// The path to which `cargo xtask provision mongod` writes the program, under the target folder.
const PROVISIONED: &str = "tools/mongod/fiftyone/db/bin/mongod";

/// Starts the server and prints its process id. When the other end of the pipe is closed, even by a
/// crash of the test, it kills the server, and removes the folder if one is named.
const SCRIPT: &str = r#"
    folder="$1"; shift
    "$@" >/dev/null 2>&1 &
    echo $!
    cat >/dev/null
    kill -9 $! 2>/dev/null; wait
    [ -z "$folder" ] || rm -rf "$folder"
"#;

/// A running server.
#[derive(Debug)]
pub struct Mongod {
    kind: Deployment,
    folder: PathBuf,
    port: u16,
    /// All processes that ran in this folder; the last one may still run.
    runs: Vec<Running>,
}

#[derive(Debug)]
struct Running {
    pid: u32,
    shell: Child,
    pipe: ChildStdin,
}

impl Mongod {
    /// Returns the replica set of one member that all tests of this process share: each test uses a
    /// database of its own.
    ///
    /// # Panics
    /// Panics if it cannot be started.
    #[must_use]
    pub fn replica_set() -> &'static Self {
        static SERVER: OnceLock<Mongod> = OnceLock::new();
        SERVER.get_or_init(|| Self::start(Deployment::ReplicaSet))
    }

    /// Returns the standalone server that all tests of this process share.
    ///
    /// # Panics
    /// Panics if it cannot be started.
    #[must_use]
    pub fn standalone() -> &'static Self {
        static SERVER: OnceLock<Mongod> = OnceLock::new();
        SERVER.get_or_init(|| Self::start(Deployment::Standalone))
    }

    /// Starts a server, and returns when it can be written to.
    ///
    /// # Panics
    /// Panics if there is no `mongod`, or it cannot be started.
    #[must_use]
    pub fn start(kind: Deployment) -> Self {
        let folder = env::temp_dir().join(format!("metaia-mongod-{}", EventId::random()));
        fs::create_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut server = Self {
            kind,
            folder,
            port: free_port(),
            runs: Vec::new(),
        };
        server.run();
        server
    }

    /// Returns the URI of the database `database`.
    #[must_use]
    pub fn uri(&self, database: &str) -> String {
        format!("mongodb://127.0.0.1:{}/{database}", self.port)
    }

    /// Returns the URI of a database that no other test uses.
    #[must_use]
    pub fn uri_of_new_database(&self) -> String {
        self.uri(&format!("t{}", EventId::random()))
    }

    /// Starts the server again after [`kill`](Self::kill), with the data that it had.
    ///
    /// # Panics
    /// Panics if it cannot be started.
    pub fn run(&mut self) {
        let program = program();
        let mut shell = self
            .command(&program)
            .spawn()
            .unwrap_or_else(|error| panic!("sh was not started: {error}"));
        let pid = read_pid(&mut shell);
        let pipe = shell
            .stdin
            .take()
            .unwrap_or_else(|| panic!("sh has no input"));
        self.runs.push(Running { pid, shell, pipe });
        let port = self.port;
        let kind = self.kind;
        // On a thread of its own: the caller may be on a runtime, which must not block on another.
        let ready = thread::spawn(move || wait_until_writable(port, kind)).join();
        if ready.is_err() {
            panic!("{} did not become ready on port {port}", program.display());
        }
    }

    fn command(&self, program: &Path) -> Command {
        // Only the shell of the first run removes the folder.
        let removed = if self.runs.is_empty() {
            &*self.folder
        } else {
            Path::new("")
        };
        let mut command = Command::new("sh");
        command
            .args(["-c", SCRIPT, "mongod"])
            .arg(removed)
            .arg(program);
        command
            .args(["--bind_ip", "127.0.0.1", "--nounixsocket"])
            .args(["--wiredTigerCacheSizeGB", "0.5"])
            .args(["--setParameter", "diagnosticDataCollectionEnabled=false"])
            .args(["--port", &self.port.to_string(), "--dbpath"])
            .arg(&self.folder);
        if self.kind == Deployment::ReplicaSet {
            command.args(["--replSet", "rs", "--oplogSize", "256"]);
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        command
    }

    /// Kills the server with `kill -9`. Returns when it has ended.
    ///
    /// # Panics
    /// Panics if it has not ended after 40 s.
    pub fn kill(&mut self) {
        self.signal("-KILL");
        let end = Instant::now() + STATE_TIMEOUT;
        while TcpListener::bind(("127.0.0.1", self.port)).is_err() {
            assert!(
                Instant::now() < end,
                "mongod was killed, and its port is taken"
            );
            thread::sleep(RETRY_PAUSE);
        }
    }

    /// Freezes the server: it keeps its connections and does not respond.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets a frozen server continue.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let Some(running) = self.runs.last() else {
            return;
        };
        Command::new("kill")
            .args([signal, &running.pid.to_string()])
            .status()
            .ok();
    }
}

impl Drop for Mongod {
    /// Ends the processes, the first one last because its shell removes the folder.
    fn drop(&mut self) {
        for mut run in self.runs.drain(..).rev() {
            drop(run.pipe);
            run.shell.wait().ok();
        }
    }
}

fn program() -> PathBuf {
    if let Some(named) = env::var_os("METAIA_MONGOD") {
        return named.into();
    }
    // A test program lies two or three levels below the target folder.
    let this = env::current_exe().unwrap_or_default();
    let provisioned = this
        .ancestors()
        .skip(1)
        .take(4)
        .map(|folder| folder.join(PROVISIONED));
    let on_path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&on_path)
        .map(|folder| folder.join("mongod"))
        .chain(provisioned)
        .find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("there is no mongod; get one by: cargo xtask provision mongod"))
}

fn free_port() -> u16 {
    let bound = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    bound
        .unwrap_or_else(|error| panic!("there is no free port: {error}"))
        .port()
}

fn read_pid(shell: &mut Child) -> u32 {
    let mut line = String::new();
    let stdout = shell
        .stdout
        .take()
        .unwrap_or_else(|| panic!("sh has no output"));
    BufReader::new(stdout).read_line(&mut line).ok();
    line.trim()
        .parse()
        .unwrap_or_else(|_| panic!("mongod was not started: {line:?}"))
}

fn wait_until_writable(port: u16, kind: Deployment) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.unwrap_or_else(|error| panic!("there is no runtime: {error}"));
    let end = Instant::now() + STATE_TIMEOUT;
    while !runtime.block_on(is_writable(port, kind)) {
        assert!(Instant::now() < end, "no answer within {STATE_TIMEOUT:?}");
        thread::sleep(RETRY_PAUSE);
    }
}

async fn is_writable(port: u16, kind: Deployment) -> bool {
    let uri =
        format!("mongodb://127.0.0.1:{port}/?directConnection=true&serverSelectionTimeoutMS=1000");
    let Ok(client) = Client::with_uri_str(uri).await else {
        return false;
    };
    let admin = client.database("admin");
    let is_primary = |hello: &Document| hello.get_bool("isWritablePrimary").unwrap_or(false);
    let writable = admin
        .run_command(doc! { "hello": 1 })
        .await
        .is_ok_and(|hello| is_primary(&hello));
    if !writable && kind == Deployment::ReplicaSet {
        // Until the set is initiated no member is a primary. Repeating it does no harm.
        let members = [doc! { "_id": 0, "host": format!("127.0.0.1:{port}") }];
        let set = doc! { "_id": "rs", "members": &members[..] };
        admin
            .run_command(doc! { "replSetInitiate": set })
            .await
            .ok();
    }
    client.shutdown().immediate(true).await;
    writable
}
