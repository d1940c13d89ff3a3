//! Writes the fixtures of an earlier version, with the server that `METAIA_OLD_SERVER` names, which
//! has the feature of crash points.
//!
//! ```sh
//! METAIA_OLD_SERVER=… cargo run -p metaia-tests --example write_fixture -- tests/fixtures/COMMIT
//! ```
#![allow(
    clippy::expect_used,
    reason = "a tool for developers: to fail is to panic, with the reason"
)]

use std::path::{Path, PathBuf};

use metaia_tests::clients::driver::Driver;
use metaia_tests::clients::phone::Phone;
use metaia_tests::eventually::eventually;
use metaia_tests::faults::cluster::{Database, Mongod};
use metaia_tests::server::temp_folder::copy_folder;
use metaia_tests::server::{Server, Setup};
use metaia_tests::upgrade::{change, dump, observe, old_server, story};
use serde_json::Value;

#[tokio::main]
async fn main() {
    let folder = std::env::args().nth(1).expect("the folder to write");
    let folder = PathBuf::from(folder);
    sqlite(&folder.join("sqlite")).await;
    mongodb(&folder.join("mongodb")).await;
    interrupted(&folder.join("interrupted")).await;
}

/// Returns the setup of the earlier version.
fn old() -> Setup {
    let program = old_server().expect("METAIA_OLD_SERVER");
    let mut setup = Setup::new().program(&program);
    // The server's clock may be another one: see the README of the fixtures.
    for name in ["LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC"] {
        if let Ok(value) = std::env::var(name) {
            setup = setup.env(name, &value);
        }
    }
    setup
}

fn trimming(setup: Setup) -> Setup {
    setup.env("METAIA_RETENTION_ENTRIES", story::RETENTION)
}

/// Writes a data folder.
async fn sqlite(folder: &Path) {
    let server = trimming(old()).start().await;
    let questions = story::play(&server).await;
    let setup = server.stop().await;
    let data = folder.join("data");
    copy_folder(&setup.folder().join("data"), &data);

    let copy = old();
    copy_folder(&data, &copy.folder().join("data"));
    write_manifest(folder, copy.start().await, &questions).await;
}

/// Writes the database of a replica set.
async fn mongodb(folder: &Path) {
    let database = Database::new().await;
    let on_replica_set = trimming(old()).env("MONGODB_URI", &database.uri());
    let server = on_replica_set.start().await;
    server.ready().await;
    let questions = story::play(&server).await;
    server.stop().await;
    dump::write(&database.uri(), folder).await;

    let copy = Database::new().await;
    dump::restore(&copy.uri(), folder).await;
    let server = old().env("MONGODB_URI", &copy.uri()).start().await;
    write_manifest(folder, server, &questions).await;
}

/// Writes the database of a standalone server. Its node was killed when a batch was committed and
/// not carried out.
async fn interrupted(folder: &Path) {
    let mongod = Mongod::standalone().await;
    let uri = mongod.uri("story");
    let crashing = old().env("METAIA_CRASH", "mongo-pending:2");
    let server = crashing.env("MONGODB_URI", &uri).start().await;
    server.ready().await;
    let phone = Phone::ready_as(&server, "customer", "c2").await;
    eventually("the session in the directory", async || {
        let sessions = dump::count(&uri, "rt_session").await;
        (sessions > 0).then_some(())
    })
    .await;
    let questions = story::play_until_crash(server).await;
    drop(phone);
    dump::write(&uri, folder).await;

    let copy = mongod.uri("copy");
    dump::restore(&copy, folder).await;
    let server = old().env("MONGODB_URI", &copy).start().await;
    write_manifest(folder, server, &questions).await;
}

/// Writes the answers of the earlier version itself, to a copy of its data.
async fn write_manifest(folder: &Path, server: Server, questions: &Value) {
    server.ready().await;
    let manifest = observe(&server, &mut Driver::node(), questions).await;
    let manifest = change(&server, &manifest).await;
    std::fs::write(folder.join("manifest.json"), lines(&manifest)).expect("a file");
}

/// Returns a manifest as JSON with a line for each request and each client.
fn lines(manifest: &Value) -> String {
    let mut parts = Vec::new();
    for (name, list) in manifest.as_object().expect("a manifest") {
        let items = list.as_array().expect("a list").iter();
        let items: Vec<String> = items.map(Value::to_string).collect();
        parts.push(format!("\"{name}\": [\n{}\n]", items.join(",\n")));
    }
    format!("{{\n{}\n}}\n", parts.join(",\n"))
}
