//! The data folder is deleted, moved or replaced while the server runs.

use std::fs;
use std::path::PathBuf;

use metaia_tests::eventually::eventually;
use metaia_tests::fixtures::place_order;
use metaia_tests::server::Server;

use super::{assert_not_ready, assert_obstacle, lines, placed, try_to_place};

const DETAIL: &str = "its file was deleted or replaced while it was open";

async fn server_with_an_order() -> (Server, PathBuf) {
    let server = Server::start().await;
    server.wait_for_output("/metrics").await;
    place_order(&server, "c1").await;
    assert_eq!(placed(&server).await, 1);
    let data = server.folder().join("data");
    (server, data)
}

#[tokio::test]
async fn writes_after_the_folder_was_deleted_are_refused_and_not_lost() {
    let (server, data) = server_with_an_order().await;
    fs::remove_dir_all(&data).unwrap();
    for _ in 0..20 {
        try_to_place(&server).await.refused_as(503, "unavailable");
    }
    assert_eq!(placed(&server).await, 1, "reads go on");
    assert_not_ready(&server, DETAIL, "file_gone").await;
    server.anonymous().get("/livez").await.ok(200);
    let said = lines(&server, "the database cannot be written: its file");
    assert_eq!(said.len(), 1, "{said:#?}");
    assert!(said[0].contains("metaia.db"), "{said:#?}");
    server.stop().await;
}

#[tokio::test]
async fn a_server_without_writes_notices_it_too() {
    let (server, data) = server_with_an_order().await;
    fs::remove_dir_all(&data).unwrap();
    server
        .wait_for_output("the database cannot be written")
        .await;
    assert_obstacle(&server, "file_gone", 1).await;
}

#[tokio::test]
async fn a_folder_that_is_back_is_used_again_without_a_restart() {
    let (server, data) = server_with_an_order().await;
    let aside = data.with_file_name("aside");
    fs::rename(&data, &aside).unwrap();
    try_to_place(&server).await.refused_as(503, "unavailable");
    fs::rename(&aside, &data).unwrap();
    server.ready().await;
    server
        .wait_for_output("the database can be written again")
        .await;
    assert_obstacle(&server, "file_gone", 0).await;
    place_order(&server, "c1").await;
    let server = server.stop().await.start().await;
    assert_eq!(placed(&server).await, 2);
}

#[tokio::test]
async fn a_copy_in_the_place_of_the_folder_gets_no_writes() {
    let (server, data) = server_with_an_order().await;
    let aside = data.with_file_name("aside");
    fs::rename(&data, &aside).unwrap();
    fs::create_dir(&data).unwrap();
    for file in fs::read_dir(&aside).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), data.join(file.file_name())).unwrap();
    }
    try_to_place(&server).await.refused_as(503, "unavailable");
    let all_read = async || (placed(&server).await == 1).then_some(());
    eventually("the order of the open file", all_read).await;
    server.stop().await;
}
