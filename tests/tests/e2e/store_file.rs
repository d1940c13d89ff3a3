//! The store's file: one process at a time. A damaged file is refused or repaired, and never read
//! wrongly.

use std::fs;
use std::path::PathBuf;

use metaia_tests::clients::phone::{Event, Phone};
use metaia_tests::fixtures::token::token;
use metaia_tests::fixtures::{all_until_now, emit, names, order_body, place_order, set_status};
use metaia_tests::server::{Server, Setup};
use serde_json::json;

fn database(setup: &Setup) -> PathBuf {
    setup.folder().join("data").join("metaia.db")
}

/// Starts a server, places some orders, and stops it.
async fn stopped_with_orders() -> Setup {
    let server = Server::start().await;
    for _ in 0..20 {
        place_order(&server, "c1").await;
    }
    server.stop().await
}

#[tokio::test]
async fn a_second_process_on_the_same_file_is_refused() {
    let server = Server::start().await;
    let second = Setup::new().env(
        "METAIA_DATA",
        &server.folder().join("data").to_string_lossy(),
    );
    let refused = second.run_to_end().await.expect_code(2);
    assert!(
        refused.stderr.contains("metaia.db"),
        "the error names the file: {refused:?}"
    );
    place_order(&server, "c1").await;
    server.stop().await;
    second.start().await.stop().await;
}

/// Starts the server with a damaged file. It must refuse the start with the file's name and exit
/// code 2, or serve correct data.
async fn assert_refused_or_correct(setup: Setup, damage: &str) {
    match setup.try_start().await {
        Err(setup) => {
            let refused = setup.run_to_end().await;
            assert_eq!(refused.code, Some(2), "{damage}: {refused:#?}");
            assert!(
                refused.stderr.contains("metaia.db"),
                "{damage}: {refused:#?}"
            );
            assert!(
                !refused.output().contains("panicked"),
                "{damage}: {refused:#?}"
            );
        }
        Ok(server) => {
            let orders = server.admin().get("/api/orders?limit=100").await;
            if orders.status == 200 {
                for order in orders.data(200)["orders"].as_array().unwrap() {
                    assert_eq!(order["status"], "pending", "{damage}");
                    assert_eq!(order["items"], order_body()["items"], "{damage}");
                }
            }
            server.anonymous().get("/livez").await.ok(200);
            assert!(
                !server.output_lines().join("\n").contains("panicked"),
                "{damage}: {:#?}",
                server.output_lines()
            );
        }
    }
}

#[tokio::test]
async fn a_damaged_file_is_refused_or_served_correctly() {
    let whole = fs::read(database(&stopped_with_orders().await)).unwrap();
    let pages = whole.len() / 4096;
    let mut damages = vec![
        (
            "empty header".to_owned(),
            [&[0; 100], &whole[100..]].concat(),
        ),
        (
            "not a database".to_owned(),
            b"this was a picture once".repeat(1_000),
        ),
        ("cut in the first page".to_owned(), whole[..1_000].to_vec()),
        (
            "cut in the last page".to_owned(),
            whole[..whole.len() - 100].to_vec(),
        ),
        ("cut in half".to_owned(), whole[..whole.len() / 2].to_vec()),
    ];
    for page in [1, pages / 3, pages / 2, pages - 1] {
        let mut bytes = whole.clone();
        bytes[page * 4096..][..4096].fill(0xa5);
        damages.push((format!("page {page} of {pages} overwritten"), bytes));
    }
    for (damage, bytes) in damages {
        let setup = Setup::new();
        setup.folder().write("data/metaia.db", bytes);
        assert_refused_or_correct(setup, &damage).await;
    }
}

#[tokio::test]
async fn an_older_copy_of_the_file_is_a_new_epoch_even_when_its_head_has_grown_past() {
    let setup = stopped_with_orders().await;
    let older = fs::read(database(&setup)).unwrap();
    let server = setup.start().await;
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    emit(
        &server,
        &json!({"user": "c1"}),
        "lost_with_the_copy",
        &json!({}),
    )
    .await;
    let since = phone
        .until("lost_with_the_copy")
        .await
        .pop()
        .unwrap()
        .at()
        .to_owned();
    let setup = server.stop().await;
    fs::write(database(&setup), older).unwrap();
    for side in ["metaia.db-wal", "metaia.db-shm"] {
        // They belong to the newer file. An administrator who does not remove them is not the
        // subject of this test.
        let _ = fs::remove_file(setup.folder().join("data").join(side));
    }
    let server = setup.start().await;
    for _ in 0..5 {
        emit(&server, &json!({"user": "c1"}), "after", &json!({})).await;
    }
    let auth = json!({"token": token("customer", "c1"), "since": since});
    let events = Phone::connected(&server, &auth)
        .await
        .until("rt:ready")
        .await;
    assert_eq!(names(&events), ["rt:reset", "rt:ready"]);
    assert_eq!(events[0].data["reason"], "epoch_changed");
}

/// Returns an order with notes so long that its document has about this size.
fn order_of(bytes: usize) -> serde_json::Value {
    let mut body = order_body();
    let item = body["items"][0].clone();
    body["items"] = json!(vec![item; 100]);
    let missing = bytes.saturating_sub(body.to_string().len());
    for item in body["items"].as_array_mut().unwrap() {
        item["notes"] = json!("x".repeat(missing / 100));
    }
    body
}

#[tokio::test]
async fn an_order_too_large_for_an_event_is_refused_and_one_that_fits_can_reach_its_last_status() {
    let server = Server::start().await;
    let customer = server.api("customer", "c1");
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    let mut fitting = None;
    let mut refused = 0;
    for bytes in (55_000..65_400).step_by(400) {
        let answer = customer.post("/api/orders", &order_of(bytes)).await;
        if answer.status == 201 {
            assert_eq!(refused, 0, "larger ones are refused, too");
            fitting = Some(answer.data(201)["order"].take());
        } else {
            refused += 1;
            let problem = answer.refused(413);
            // The event is over its limit, and the largest bodies are over theirs, too.
            let codes = ["payload_too_large", "body_too_large"];
            assert!(codes.contains(&code(&problem)), "{problem}");
        }
    }
    let fitting = fitting.expect("an order below the limit");
    assert!(refused > 0, "an order above the limit");
    let id = fitting["_id"].as_str().unwrap();
    for status in [
        "confirmed",
        "in_progress",
        "ready",
        "out_for_delivery",
        "delivered",
    ] {
        set_status(&server, id, status).await;
    }
    let events = all_until_now(&server, &mut phone).await;
    let updates = |status: &str| {
        events
            .iter()
            .filter(|event| is_update(event, status))
            .count()
    };
    let placed = customer.get("/api/orders?limit=100").await.data(200)["orders"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(
        updates("pending"),
        placed,
        "a refused order is neither stored nor announced"
    );
    assert_eq!(updates("delivered"), 1);
}

fn code(problem: &serde_json::Value) -> &str {
    problem["code"].as_str().unwrap_or_default()
}

fn is_update(event: &Event, status: &str) -> bool {
    event.name == "order_update" && event.data["status"] == status
}
