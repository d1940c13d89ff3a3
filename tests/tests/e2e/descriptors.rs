//! File descriptors (`ulimit -n`): the server raises its limit, and health checks are answered
//! while a client holds every connection that fits.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use metaia_tests::clients::phone::Phone;
use metaia_tests::eventually::eventually;
use metaia_tests::fixtures::{raise_fence, up_to_fence};
use metaia_tests::server::paths::binary;
use metaia_tests::server::{Listening as _, Server, Setup};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The connections that the attacker holds: more than the server's descriptors.
const HELD: usize = 2_200;

/// The time after which a balancer gives a node up, with room for a busy machine.
const HEALTH_CHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// Makes the setup start its server with this limit of descriptors.
fn with_ulimit(setup: Setup, arguments: &str) -> Setup {
    let program = binary("metaia-server");
    let script = format!(
        "#!/bin/sh\nulimit {arguments}\nexec {}\n",
        program.display()
    );
    let script = setup.folder().write("start.sh", script);
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    setup.program(&script)
}

/// Returns the soft limit of a process.
fn soft_limit(server: &Server) -> u64 {
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft = line.unwrap().split_whitespace().nth(3).unwrap();
    soft.parse().unwrap()
}

#[tokio::test]
async fn the_soft_limit_is_raised_to_what_the_limits_need() {
    let server = with_ulimit(Setup::new(), "-Sn 1024").start().await;
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    assert_eq!(soft_limit(&server), hard.min(121_000));
}

#[tokio::test]
async fn connections_that_do_not_fit_are_said() {
    let server = with_ulimit(Setup::new(), "-n 2048").start().await;
    server
        .wait_for_output("1536 of 120000 connections fit into the 2048 file descriptors")
        .await;
}

/// Allows this process as many descriptors as the attack needs.
fn raise_own_limit() {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let needed = (HELD as u64 + 2_000).min(hard);
    if soft < needed {
        setrlimit(Resource::RLIMIT_NOFILE, needed, hard).unwrap();
    }
}

/// Opens silent connections without an end, and holds the last of them.
async fn renew_silent_connections(port: u16) {
    let mut held = std::collections::VecDeque::new();
    loop {
        if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)).await {
            held.push_back(stream);
        }
        if held.len() > HELD {
            held.pop_front();
        }
    }
}

/// Sends a request on a connection of its own. Returns its status line and how long it took.
async fn ask(port: u16, path: &str) -> (String, Duration) {
    let start = Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let mut answer = String::new();
    if stream.write_all(request.as_bytes()).await.is_ok() {
        let _ = stream.read_to_string(&mut answer).await;
    }
    let line = answer.lines().next().unwrap_or_default().to_owned();
    (line, start.elapsed())
}

/// Waits until connections are refused, then checks that every health check is answered.
async fn check_health(port: u16) {
    let refused = async || {
        let (line, _) = ask(port, "/nothing").await;
        line.starts_with("HTTP/1.1 503").then_some(())
    };
    eventually("a request to be refused", refused).await;
    for number in 0..60 {
        for path in ["/readyz", "/livez"] {
            let (line, took) = ask(port, path).await;
            assert_eq!(line, "HTTP/1.1 200 OK", "{path}, the {number}th");
            assert!(took < HEALTH_CHECK_TIMEOUT, "{path}: {took:?}");
        }
    }
}

#[tokio::test]
async fn health_checks_are_answered_while_one_client_renews_silent_connections() {
    raise_own_limit();
    let server = with_ulimit(Setup::new(), "-n 2048").start().await;
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    tokio::select! {
        () = renew_silent_connections(server.port()) => {}
        () = check_health(server.port()) => {}
    }
    let room = async || server.anonymous().try_get("/livez").await;
    eventually("a place for a connection", room).await;
    raise_fence(&server).await;
    up_to_fence(&mut phone).await;
    let log = server.output_lines().join("\n");
    assert!(!log.contains("Too many open files"), "{log}");
}
