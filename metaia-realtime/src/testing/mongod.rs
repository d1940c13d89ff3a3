//! A real `mongod` for tests, in a folder of its own, gone with the process that started it.
//!
//! It is the one that `METAIA_MONGOD` names, or one on the path, or that which `cargo xtask
//! provision mongod` has put under the target folder.

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

use crate::{EventId, mongo::Deployment};

/// How long it may take until it answers.
const START: Duration = Duration::from_secs(40);
const PAUSE: Duration = Duration::from_millis(20);

/// Where `cargo xtask provision mongod` puts it, under the target folder.
const PROVIDED: &str = "tools/mongod/fiftyone/db/bin/mongod";

/// Starts the server, says its number, and ends it when nobody holds the other end of the pipe any
/// more, however that came about. Where a folder is named it is removed then.
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
    /// All that ran in this folder; the last one may still do.
    runs: Vec<Running>,
}

#[derive(Debug)]
struct Running {
    pid: u32,
    shell: Child,
    pipe: ChildStdin,
}

impl Mongod {
    /// The replica set of one that all tests of this process share: each takes a database of its
    /// own.
    ///
    /// # Panics
    /// Where it cannot be started.
    #[must_use]
    pub fn replica_set() -> &'static Self {
        static SERVER: OnceLock<Mongod> = OnceLock::new();
        SERVER.get_or_init(|| Self::start(Deployment::ReplicaSet))
    }

    /// The standalone server that all tests of this process share.
    ///
    /// # Panics
    /// Where it cannot be started.
    #[must_use]
    pub fn standalone() -> &'static Self {
        static SERVER: OnceLock<Mongod> = OnceLock::new();
        SERVER.get_or_init(|| Self::start(Deployment::Standalone))
    }

    /// Starts a server, and returns when it can be written to.
    ///
    /// # Panics
    /// Where there is no `mongod`, or it cannot be started.
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

    /// Where it is; the database is called `database`.
    #[must_use]
    pub fn uri(&self, database: &str) -> String {
        format!("mongodb://127.0.0.1:{}/{database}", self.port)
    }

    /// Where it is, and the name of a database that nobody has.
    #[must_use]
    pub fn uri_of_new_database(&self) -> String {
        self.uri(&format!("t{}", EventId::random()))
    }

    /// Starts it again after [`kill`](Self::kill), with what it had.
    ///
    /// # Panics
    /// Where it cannot be started.
    pub fn run(&mut self) {
        let program = program();
        let mut command = Command::new("sh");
        let removed = if self.runs.is_empty() {
            &*self.folder
        } else {
            Path::new("")
        };
        command
            .args(["-c", SCRIPT, "mongod"])
            .arg(removed)
            .arg(&program);
        command.args([
            "--bind_ip",
            "127.0.0.1",
            "--nounixsocket",
            "--wiredTigerCacheSizeGB",
            "0.5",
        ]);
        command
            .args(["--port", &self.port.to_string(), "--dbpath"])
            .arg(&self.folder);
        command.args(["--setParameter", "diagnosticDataCollectionEnabled=false"]);
        if self.kind == Deployment::ReplicaSet {
            command.args(["--replSet", "rs", "--oplogSize", "256"]);
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut shell = command
            .spawn()
            .unwrap_or_else(|error| panic!("sh was not started: {error}"));
        let pid = first_line(&mut shell);
        let pipe = shell
            .stdin
            .take()
            .unwrap_or_else(|| panic!("sh has no input"));
        self.runs.push(Running { pid, shell, pipe });
        let (port, kind) = (self.port, self.kind);
        // The caller may be on a runtime.
        let ready = thread::spawn(move || until_writable(port, kind)).join();
        if ready.is_err() {
            panic!("{} did not become ready on port {port}", program.display());
        }
    }

    /// `kill -9`. Returns when it is gone.
    ///
    /// # Panics
    /// Where it stays.
    pub fn kill(&mut self) {
        self.signal("-KILL");
        let end = Instant::now() + START;
        while TcpListener::bind(("127.0.0.1", self.port)).is_err() {
            assert!(
                Instant::now() < end,
                "mongod was killed, and its port is taken"
            );
            thread::sleep(PAUSE);
        }
    }

    /// Freezes it: it keeps its connections, and answers nothing.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
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
    /// The first one last, since it removes the folder.
    fn drop(&mut self) {
        for Running {
            mut shell, pipe, ..
        } in self.runs.drain(..).rev()
        {
            drop(pipe);
            shell.wait().ok();
        }
    }
}

fn program() -> PathBuf {
    if let Some(named) = env::var_os("METAIA_MONGOD") {
        return named.into();
    }
    // Tests are two or three levels below the target folder.
    let this = env::current_exe().unwrap_or_default();
    let provided = this
        .ancestors()
        .skip(1)
        .take(4)
        .map(|folder| folder.join(PROVIDED));
    let on_path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&on_path)
        .map(|folder| folder.join("mongod"))
        .chain(provided);
    let found = found.into_iter().find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("there is no mongod; get one by: cargo xtask provision mongod"))
}

fn free_port() -> u16 {
    let bound = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    bound
        .unwrap_or_else(|error| panic!("there is no free port: {error}"))
        .port()
}

fn first_line(shell: &mut Child) -> u32 {
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

fn until_writable(port: u16, kind: Deployment) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.unwrap_or_else(|error| panic!("there is no runtime: {error}"));
    let end = Instant::now() + START;
    while !runtime.block_on(is_writable(port, kind)) {
        assert!(Instant::now() < end, "no answer within {START:?}");
        thread::sleep(PAUSE);
    }
}

async fn is_writable(port: u16, kind: Deployment) -> bool {
    let uri =
        format!("mongodb://127.0.0.1:{port}/?directConnection=true&serverSelectionTimeoutMS=1000");
    let Ok(client) = Client::with_uri_str(uri).await else {
        return false;
    };
    let admin = client.database("admin");
    let hello = |hello: &Document| hello.get_bool("isWritablePrimary").unwrap_or(false);
    let writable = admin
        .run_command(doc! { "hello": 1 })
        .await
        .is_ok_and(|answer| hello(&answer));
    if !writable && kind == Deployment::ReplicaSet {
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
