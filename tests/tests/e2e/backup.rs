//! Backups of the database, and the events that clients receive after one was restored.

use std::path::{Path, PathBuf};

use metaia_tests::clients::phone::Phone;
use metaia_tests::fixtures::token::token;
use metaia_tests::fixtures::{emit, id_of, place_order, set_status};
use metaia_tests::server::process::{Process, ProcessOutput};
use metaia_tests::server::{Server, Setup};
use serde_json::json;

async fn backup(setup: &Setup, to: &Path) -> ProcessOutput {
    Process::run(setup.command_with(&["backup", to.to_str().unwrap()])).await
}

fn restore(setup: &Setup, copy: &Path) {
    std::fs::copy(copy, database(setup)).unwrap();
}

fn database(setup: &Setup) -> PathBuf {
    setup.folder().join("data/metaia.db")
}

/// Connects a customer with this position. Returns the name of the first event, and the data of
/// `rt:ready`.
async fn connect_with_position(server: &Server, since: &str) -> (String, serde_json::Value) {
    let mut phone = Phone::connected(
        server,
        &json!({"token": token("customer", "c1"), "since": since}),
    )
    .await;
    let mut events = phone.until("rt:ready").await;
    let first = events.remove(0);
    let ready = events.pop();
    (first.name, ready.map_or(first.data, |ready| ready.data))
}

#[tokio::test]
async fn a_restored_backup_of_a_running_server_resets_its_clients() {
    let server = Server::start().await;
    let order = id_of(&place_order(&server, "c1").await).to_owned();
    let beside = server.folder().join("monday.db");
    backup(server.setup(), &beside).await.expect_code(0);
    set_status(&server, &order, "confirmed").await;
    let seen = emit(&server, &json!({"user": "c1"}), "voucher", &json!({})).await["at"].clone();
    let seen = seen.as_str().unwrap().to_owned();

    // The position survives a crash. A restored backup, even with the write-ahead log of the crash
    // beside it, is another history.
    let server = server.kill().await.start().await;
    let (first, ready) = connect_with_position(&server, &seen).await;
    assert_eq!(
        (first.as_str(), &ready["recovered"]),
        ("rt:ready", &json!(true))
    );
    let setup = server.kill().await;
    restore(&setup, &beside);
    let server = setup.start().await;
    let stored = server
        .api("customer", "c1")
        .get(&format!("/api/orders/{order}"))
        .await
        .data(200);
    assert_eq!(stored["order"]["status"], "pending");
    let (first, ready) = connect_with_position(&server, &seen).await;
    assert_eq!(
        (first.as_str(), &ready["recovered"]),
        ("rt:reset", &json!(false))
    );
    server
        .wait_for_output("begins a new epoch: the database is a backup")
        .await;
}

#[tokio::test]
async fn a_backup_needs_no_server_and_overwrites_nothing() {
    let setup = Server::start().await.stop().await;
    let copy = setup.folder().join("copy.db");
    backup(&setup, &copy).await.expect_code(0);
    let again = backup(&setup, &copy).await.expect_code(2);
    assert!(again.stderr.contains("exists already"), "{again:?}");
    let nothing = Setup::new();
    backup(&nothing, &nothing.folder().join("copy.db"))
        .await
        .expect_code(2);
    assert!(!nothing.folder().join("copy.db").exists());
}

#[tokio::test]
async fn a_truncated_database_is_refused_and_the_error_mentions_a_backup() {
    let setup = Server::start().await.stop().await;
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(database(&setup))
        .unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    let refused = setup.run_to_end().await.expect_code(2);
    assert!(
        refused.stderr.contains("metaia.db") && refused.stderr.contains("backup"),
        "{refused:?}"
    );
}
