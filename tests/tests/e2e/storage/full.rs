//! A full disk: a bound on the size of files that the system keeps, and the error of SQLite that
//! stands for no space.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use metaia_tests::eventually::eventually;
use metaia_tests::server::paths::binary;
use metaia_tests::server::{Server, Setup};

use super::{assert_not_ready, assert_obstacle, lines, placed, try_to_place};

/// Returns a server whose files cannot be larger than 1 MiB.
async fn with_small_files() -> Server {
    let setup = Setup::new();
    let program = binary("metaia-server");
    // The signal would end the server; without it, a write fails as on a full disk.
    let script = format!(
        "#!/bin/sh\ntrap '' XFSZ\nulimit -Sf 2048\nexec {}\n",
        program.display()
    );
    let script = setup.folder().write("start.sh", script);
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    setup.program(&script).start().await
}

/// Removes the bound, as somebody who makes space.
fn make_space(server: &Server) {
    let mut command = Command::new("prlimit");
    command.arg("--pid").arg(server.pid().to_string());
    let status = command.arg("--fsize=unlimited:unlimited").status();
    assert!(status.unwrap().success(), "prlimit");
}

/// Places orders until one is refused. Returns how many were placed.
async fn fill(server: &Server) -> usize {
    let mut count = 0;
    let refused = async || {
        let answer = try_to_place(server).await;
        if answer.status == 201 {
            count += 1;
            return None;
        }
        Some(answer.refused(503))
    };
    let problem = eventually("an order to be refused", refused).await;
    // After a failed write it is not known what the disk has.
    let codes = ["unavailable", "outcome_unknown"];
    assert!(
        codes.iter().any(|code| problem["code"] == *code),
        "{problem}"
    );
    count
}

#[tokio::test]
async fn a_disk_that_takes_no_more_refuses_writes_until_there_is_space() {
    let server = with_small_files().await;
    server.wait_for_output("/metrics").await;
    let mut count = fill(&server).await;
    // The file may have room for one more page, which is all that the server itself writes.
    let full = async || {
        let answer = try_to_place(&server).await;
        count += usize::from(answer.status == 201);
        let ready = server.anonymous().get("/readyz").await;
        (ready.status == 503).then_some(())
    };
    eventually("a disk without a page", full).await;
    let orders = placed(&server).await;
    assert_not_ready(&server, "the system refuses writes", "failing").await;
    server.anonymous().get("/livez").await.ok(200);

    make_space(&server);
    server.ready().await;
    assert_obstacle(&server, "failing", 0).await;
    try_to_place(&server).await.ok(201);
    server
        .wait_for_output("the database can be written again")
        .await;
    assert_eq!(orders, count.min(100), "what was refused is not read");
    let server = server.stop().await.start().await;
    assert!(placed(&server).await >= (count + 1).min(100));
}

#[tokio::test]
async fn a_full_disk_is_said_once_and_not_for_each_write() {
    let setup = Setup::new().env("METAIA_PLANTED_FAULT", "disk_full");
    let server = setup.start().await;
    server.wait_for_output("/metrics").await;
    try_to_place(&server).await.ok(201);
    let full = server.folder().write("data/metaia.db.full", "");
    // Fewer than a user may send at once.
    for _ in 0..80 {
        try_to_place(&server).await.refused_as(503, "unavailable");
    }
    assert_eq!(placed(&server).await, 1, "reads go on");
    assert_not_ready(&server, "the disk is full", "disk_full").await;
    let said = lines(&server, "the database cannot be written: the disk is full");
    assert_eq!(said.len(), 1, "{said:#?}");
    let failed = lines(&server, "request failed");
    assert!((1..30).contains(&failed.len()), "{failed:#?}");

    fs::remove_file(full).unwrap();
    server.ready().await;
    try_to_place(&server).await.ok(201);
    assert_obstacle(&server, "disk_full", 0).await;
    let again = lines(&server, "the database can be written again");
    assert_eq!(again.len(), 1, "{again:#?}");
    let server = server.stop().await.start().await;
    assert_eq!(placed(&server).await, 2);
}
