//! Ctrl-C ends every command within a second, whatever it waits for.

use std::time::{Duration, Instant};

use metaia_tests::clients::cli::Cli;
use metaia_tests::fixtures::{id_of, place_order};
use metaia_tests::server::Server;
use metaia_tests::server::process::Process;

/// The promise is one second; a busy machine takes longer to start and to end processes.
const LIMIT: Duration = Duration::from_secs(3);

async fn check_interrupt(process: Process) {
    let sent = Instant::now();
    process.signal("INT").await;
    process.wait_with_output().await.expect_code(130);
    assert!(sent.elapsed() < LIMIT, "{:?}", sent.elapsed());
}

#[tokio::test]
async fn roles_that_wait_for_a_frozen_server_end() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let mut args = vec!["connect", "--timeout", "20s"];
    for role in ["customer:c1", "admin:a1", "tailor:t1"] {
        args.extend(["--as", role]);
    }
    let mut connect = Cli::for_server(&server).start(&args);
    for user in ["c1 (customer)", "a1 (admin)", "t1 (tailor)"] {
        server
            .wait_for_output(&format!("User connected: {user}"))
            .await;
    }
    server.signal("STOP").await;
    connect
        .write_line(&format!("/join {}", id_of(&order)))
        .await;
    check_interrupt(connect).await;
    server.signal("CONT").await;
}

#[tokio::test]
async fn a_command_that_waits_for_a_silent_server_ends() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let cli = Cli::for_url(&format!("http://{}", listener.local_addr().unwrap()));
    for args in [
        &["tail", "--as", "customer:c1"][..],
        &["connect", "--as", "customer:c1"],
        &["join", "o1", "--as", "customer:c1"],
        &["emit", "user:u1", "x"],
        &["trigger", "new_notification", "--to", "user:u1"],
    ] {
        let process = cli.start(args);
        let _connection = listener.accept().await.unwrap();
        check_interrupt(process).await;
    }
}
