//! `metaia matrix`: what everybody may do, measured, and compared with the committed file.

use std::path::PathBuf;

use futures_util::StreamExt as _;
use metaia_tests::clients::cli::Cli;
use metaia_tests::eventually::eventually;
use metaia_tests::fixtures::razorpay::WEBHOOK_SECRET;
use metaia_tests::fixtures::token::token;
use metaia_tests::server::paths::package_path;
use metaia_tests::server::process::ProcessOutput;
use metaia_tests::server::{API_KEY, Server, Setup};
use serde_json::Value;

/// Returns the tool with everything that the whole matrix needs.
fn cli_for(server: &Server) -> Cli {
    Cli::for_server(server)
        .env("METAIA_API_KEY", API_KEY)
        .env("RAZORPAY_WEBHOOK_SECRET", WEBHOOK_SECRET)
}

/// Returns the committed file.
fn golden() -> PathBuf {
    package_path("../examples/matrix.golden.md")
}

fn golden_text() -> String {
    std::fs::read_to_string(golden()).expect("the golden file")
}

async fn compare(cli: &Cli, more: &[&str]) -> ProcessOutput {
    let file = golden().display().to_string();
    let args = [&["matrix", "--golden", &file], more].concat();
    cli.run(&args).await
}

/// Returns the orders of a server that are not cancelled.
async fn left_orders(server: &Server) -> Vec<Value> {
    let list = server.admin().get("/api/orders?limit=100").await.data(200);
    let orders = list["orders"].as_array().expect("a list").iter();
    let left = orders.filter(|order| order["status"] != "cancelled");
    left.cloned().collect()
}

/// With `METAIA_TEST_STORE=mongodb`, on MongoDB.
#[tokio::test]
async fn the_measured_matrix_is_the_committed_one() {
    let server = Server::start().await;
    let ended = compare(&cli_for(&server), &[]).await.expect_code(0);
    assert!(ended.stdout.contains("✓ equal to "), "{ended:#?}");
    assert!(ended.stdout.contains("lost the room after"), "{ended:#?}");
    assert_eq!(left_orders(&server).await, Vec::<Value>::new());
    let all = server.admin().get("/api/orders").await.data(200);
    assert_eq!(all["orders"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn three_runs_in_a_row_are_equal() {
    let server = Server::start().await;
    let cli = cli_for(&server);
    for _ in 0..3 {
        let ended = compare(&cli, &[]).await.expect_code(0);
        assert!(ended.stdout.contains("✓ equal to "), "{ended:#?}");
    }
}

#[tokio::test]
async fn what_a_busy_server_does_not_answer_is_not_measured() {
    let server = Server::start().await;
    let anonymous = server.anonymous();
    for _ in 0..20 {
        let unsigned = anonymous.post_bytes("/api/payments/webhook", "{}").await;
        unsigned.refused(401);
    }
    let cli = cli_for(&server);
    let ended = compare(&cli, &[]).await.expect_code(1);
    let said = "Payments, webhook, unsigned, anonymous: ? HTTP 429 wrong_key";
    assert!(ended.stdout.contains(said), "{ended:#?}");
    let path = cli.folder().path().join("new.md");
    let file = path.display().to_string();
    let args = ["matrix", "--golden", &file, "--update"];
    let ended = cli.run(&args).await.expect_code(1);
    assert!(ended.stdout.contains(" is not written"), "{ended:#?}");
    assert!(!path.exists());
}

#[tokio::test]
async fn an_update_writes_the_committed_file() {
    let server = Server::start().await;
    let cli = cli_for(&server);
    let path = cli.folder().path().join("new.md");
    let file = path.display().to_string();
    let args = ["matrix", "--golden", &file, "--update"];
    let ended = cli.run(&args).await.expect_code(0);
    assert!(ended.stdout.contains("✓ written to "), "{ended:#?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), golden_text());
}

/// Each fault, and the cell that shows it.
const SHOWN_BY: [(&str, &str); 12] = [
    (
        "stranger_joins",
        "Rooms, join the order's room, other customer: expected forbidden, found allowed",
    ),
    (
        "owner_refused",
        "Rooms, join the order's room, owner: expected allowed, found forbidden",
    ),
    (
        "stranger_reads_order",
        "Orders, read the order, other tailor: expected hidden, found allowed",
    ),
    (
        "stranger_lists_orders",
        "Orders, find it in the list, other customer: expected hidden, found allowed",
    ),
    (
        "forbidden_step_accepted",
        "Orders, move to confirmed, owner: expected forbidden, found allowed",
    ),
    (
        "anyone_emits",
        "Realtime, emit an event, other courier: expected forbidden, found allowed",
    ),
    (
        "deliver_to_role",
        "Events, before a join, order_update, other customer: expected nothing, found received",
    ),
    (
        "payment_to_strangers",
        "Events, before a join, payment_update, other customer: expected nothing, found received",
    ),
    (
        "courier_untold",
        "Events, before a join, order_update, courier: expected received, found nothing",
    ),
    (
        "tailor_status_untold",
        "Events, after the joins, tailor_status_update, admin: expected received, found nothing",
    ),
    (
        "revoked_late",
        "replaced by the other, order_update, tailor: expected nothing, found received",
    ),
    (
        "never_revoked",
        "replaced by the other, event of its room, tailor: expected nothing, found received",
    ),
];

#[tokio::test]
async fn a_planted_fault_is_shown_by_its_cell() {
    let judged = futures_util::stream::iter(SHOWN_BY).map(|(fault, cell)| async move {
        let setup = Setup::new().env("METAIA_PLANTED_FAULT", fault);
        let server = setup.start().await;
        let ended = compare(&cli_for(&server), &["--within", "1s"]).await;
        if ended.code == Some(6) && ended.stdout.contains(cell) {
            return None;
        }
        Some(format!("\n{fault}: expected `{cell}`: {ended:#?}"))
    });
    let missing = judged.buffer_unordered(3);
    let missing: Vec<String> = missing.filter_map(std::future::ready).collect().await;
    assert!(missing.is_empty(), "{}", missing.concat());
}

#[tokio::test]
async fn access_that_is_not_lost_in_time_is_exit_code_6_without_a_file_too() {
    let setup = Setup::new().env("METAIA_PLANTED_FAULT", "never_revoked");
    let server = setup.start().await;
    let args = ["matrix", "--within", "200ms"];
    let ended = cli_for(&server).run(&args).await.expect_code(6);
    let said = "✗ the replaced tailor did not lose the room within 200 ms";
    assert!(ended.stdout.contains(said), "{ended:#?}");
    assert_eq!(left_orders(&server).await, Vec::<Value>::new());
}

fn is_other(tailor: &str) -> bool {
    tailor.contains("other")
}

#[tokio::test]
async fn an_interrupt_cancels_the_orders() {
    // The matrix waits for a loss of access that never comes.
    let setup = Setup::new().env("METAIA_PLANTED_FAULT", "never_revoked");
    let server = setup.start().await;
    let running = cli_for(&server).start(&["matrix", "--within", "1h"]);
    let admin = server.admin();
    eventually("the tailor to be replaced", async || {
        let list = admin.get("/api/orders").await.data(200);
        let mut tailors = list["orders"].as_array()?.iter();
        let other = tailors.any(|order| order["tailor"].as_str().is_some_and(is_other));
        other.then_some(())
    })
    .await;
    assert!(!left_orders(&server).await.is_empty());
    running.signal("INT").await;
    let ended = running.wait_with_output().await.expect_code(130);
    assert!(ended.stderr.contains("interrupted: "), "{ended:#?}");
    assert_eq!(left_orders(&server).await, Vec::<Value>::new());
}

#[tokio::test]
async fn programs_get_a_line_for_each_row_and_one_for_the_result() {
    let server = Server::start().await;
    let cli = cli_for(&server);
    let ended = compare(&cli, &["-o", "ndjson"]).await.expect_code(0);
    let lines: Vec<Value> = ended
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    let is_join = |line: &&Value| line["row"] == "join the order's room";
    let join = lines.iter().find(is_join).expect("the row");
    assert_eq!(join["cells"]["other tailor"], "forbidden");
    let last = lines.last().expect("the result");
    assert_eq!(last["golden"], "equal");
    assert!(last["accessLostMs"].is_u64(), "{last}");
}

#[tokio::test]
async fn the_table_fits_its_terminal() {
    let server = Server::start().await;
    let cli = cli_for(&server);
    for (width, heading) in [(80, "anon own  oth"), (120, "other    tailor other")] {
        let args = ["matrix", "--color", "never"];
        let terminal = cli.start_on_terminal_of_width(width, &args);
        let shown = terminal.finish().await.expect_code(0).shown;
        for line in shown.lines() {
            assert!(line.chars().count() <= usize::from(width), "{line}");
        }
        assert!(shown.contains(heading), "{shown}");
    }
}

#[tokio::test]
async fn a_golden_file_that_cannot_be_used_is_wrong_usage() {
    let nowhere = Cli::for_url("http://127.0.0.1:9").env("METAIA_API_KEY", API_KEY);
    let folder = nowhere.folder().path();
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let whole = golden_text();
    let without_backend = whole.replace(" backend |", "");
    let cut = without_backend.replace("| - |\n", "|\n");
    std::fs::write(folder.join("no-text"), [0xff, 0xfe]).expect("a file");
    for (file, part) in [
        (
            folder.join("missing.md").display().to_string(),
            "--update writes it",
        ),
        (folder.display().to_string(), "cannot be read"),
        (
            folder.join("no-text").display().to_string(),
            "it is not UTF-8",
        ),
        (write("empty.md", ""), "is empty"),
        (
            write("other.md", "# Notes\n"),
            "is no golden file of `metaia matrix`",
        ),
        (
            write("newer.md", &whole.replace("format 1", "format 2")),
            "has format 2, and this metaia reads format 1",
        ),
        (
            write("roles.md", &whole.replace("| courier |", "| driver |")),
            "no such subject is known",
        ),
        (
            write("columns.md", &cut),
            "has a row of 11 cells instead of 10",
        ),
        (
            write("answers.md", &whole.replace("| hidden |", "| maybe |")),
            "has no answer \"maybe\"",
        ),
    ] {
        let ended = nowhere.run(&["matrix", "--golden", &file]).await;
        assert_eq!(ended.code, Some(2), "{ended:#?}");
        assert!(ended.stderr.contains(part), "{part}: {ended:#?}");
        assert_eq!(ended.stdout, "");
    }
    let other = folder.join("other.md").display().to_string();
    let update = ["matrix", "--golden", &other, "--update"];
    let ended = nowhere.run(&update).await.expect_code(2);
    assert!(ended.stderr.contains("it is not replaced"), "{ended:#?}");
    let alone = nowhere.run(&["matrix", "--update"]).await.expect_code(2);
    assert!(alone.stderr.contains("--golden"), "{alone:#?}");
}

#[tokio::test]
async fn the_matrix_needs_the_servers_secrets() {
    let server = Server::start().await;
    let without_key = Cli::for_server(&server);
    let ended = compare(&without_key, &[]).await.expect_code(2);
    assert!(ended.stderr.contains("set METAIA_API_KEY"), "{ended:#?}");
    let one = ["matrix", "--token", &token("admin", "a1")];
    let ended = without_key.run(&one).await.expect_code(2);
    assert!(ended.stderr.contains("needs all of them"), "{ended:#?}");
    let forged = Cli::for_server(&server).secret("another");
    forged.run(&["matrix"]).await.expect_code(4);
    // A wrong key is a cell like any other: the server refuses it.
    let wrong_key = cli_for(&server).env("METAIA_API_KEY", "wrong-key-of-the-backend");
    let ended = compare(&wrong_key, &[]).await.expect_code(6);
    let said = "emit an event, backend: expected allowed, found unauthorized";
    assert!(ended.stdout.contains(said), "{ended:#?}");
    // Without its webhook secret, one row is not measured: the file is not met.
    let no_webhook = Cli::for_server(&server).env("METAIA_API_KEY", API_KEY);
    let ended = compare(&no_webhook, &[]).await.expect_code(6);
    assert!(
        ended.stderr.contains("payment_update is not measured"),
        "{ended:#?}"
    );
}
