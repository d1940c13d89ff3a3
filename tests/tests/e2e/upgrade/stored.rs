//! The server finds again all that commit 79f6e03 has stored: every record, every position, and
//! every event that a client had yet to receive.

use std::path::Path;

use metaia_tests::clients::driver::Driver;
use metaia_tests::faults::cluster::{Database, Mongod};
use metaia_tests::fixtures::emit;
use metaia_tests::server::temp_folder::copy_folder;
use metaia_tests::server::{Server, Setup};
use metaia_tests::upgrade::{assert_contains, change, dump, fixture, manifest, observe};
use serde_json::{Value, json};

const COMMIT: &str = "79f6e03";

/// Returns the number of a position's entry.
fn number_in(position: &Value) -> u64 {
    let position = position.as_str().unwrap_or_default();
    let (_, n) = position.rsplit_once('.').expect("a position");
    n.parse().expect("a number")
}

/// Returns the position of the log's end: every client of the manifest was told it last.
fn head_in(manifest: &Value) -> &Value {
    let events = manifest["clients"][0]["events"].as_array().unwrap();
    let [_, ready] = events.last().unwrap().as_array().unwrap().as_slice() else {
        panic!("an event is a name and its data: {events:#?}");
    };
    &ready["_rt"]["at"]
}

/// Checks that a server has everything that the manifest names, and continues the log where the
/// earlier version has ended it.
async fn finds_everything(server: &Server, folder: &Path) {
    server.ready().await;
    let manifest = manifest(folder);
    let mut driver = Driver::node();
    assert_contains(&observe(server, &mut driver, &manifest).await, &manifest);
    continues(server, &driver, &manifest).await;
    lists_payments(server).await;
    assert_contains(&change(server, &manifest).await, &manifest);
}

/// Checks that every payment lists the attempt that it names: the earlier version listed none.
async fn lists_payments(server: &Server) {
    let answer = server
        .admin()
        .get("/api/payments?limit=100")
        .await
        .data(200);
    for payment in answer["payments"].as_array().expect("payments") {
        let attempts = payment["attempts"].as_array().expect("attempts").iter();
        let listed: Vec<&Value> = attempts.map(|attempt| &attempt["id"]).collect();
        let named = Some(&payment["razorpayPaymentId"]).filter(|named| !named.is_null());
        assert_eq!(listed, Vec::from_iter(named), "{payment}");
        assert_eq!(payment["flags"], json!([]), "{payment}");
    }
}

/// Sends an event. It has the next number, and every client of the manifest receives it.
async fn continues(server: &Server, driver: &Driver, manifest: &Value) {
    let sent = emit(server, &json!("everyone"), "after", &json!({})).await;
    let head = head_in(manifest);
    assert_eq!(number_in(&sent["at"]), number_in(head) + 1);
    for client in manifest["clients"].as_array().unwrap() {
        let name = client["name"].as_str().unwrap();
        let event = driver.event(name, "after").await;
        assert_eq!(event["_rt"]["at"], sent["at"], "{name}");
    }
}

#[tokio::test]
async fn a_data_folder_opens_with_everything() {
    let folder = fixture(COMMIT, "sqlite");
    let setup = Setup::new();
    copy_folder(&folder.join("data"), &setup.folder().join("data"));
    finds_everything(&setup.start().await, &folder).await;
}

#[tokio::test]
async fn a_mongodb_database_opens_with_everything() {
    let folder = fixture(COMMIT, "mongodb");
    let database = Database::new().await;
    dump::restore(&database.uri(), &folder).await;
    let setup = Setup::new().env("MONGODB_URI", &database.uri());
    finds_everything(&setup.start().await, &folder).await;
}

#[tokio::test]
async fn a_batch_that_a_killed_node_left_in_the_head_is_carried_out() {
    let folder = fixture(COMMIT, "interrupted");
    let mongod = Mongod::standalone().await;
    let uri = mongod.uri("metaia");
    dump::restore(&uri, &folder).await;
    let setup = Setup::new().env("MONGODB_URI", &uri);
    finds_everything(&setup.start().await, &folder).await;
}
