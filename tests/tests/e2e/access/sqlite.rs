//! The table of access on SQLite.

use super::world::Store::Sqlite;

#[tokio::test]
async fn every_route_answers_as_the_table_says() {
    super::every_route_answers_as_the_table_says(Sqlite).await;
}

#[tokio::test]
async fn what_belongs_to_others_looks_as_if_it_did_not_exist() {
    super::what_belongs_to_others_looks_as_if_it_did_not_exist(Sqlite).await;
}

#[tokio::test]
async fn every_event_of_clients_is_answered_as_the_table_says() {
    super::every_event_of_clients_is_answered_as_the_table_says(Sqlite).await;
}

#[tokio::test]
async fn every_room_is_heard_by_those_in_the_table_alone() {
    super::every_room_is_heard_by_those_in_the_table_alone(Sqlite).await;
}

#[tokio::test]
async fn every_event_of_the_server_is_heard_by_those_in_the_table_alone() {
    super::every_event_of_the_server_is_heard_by_those_in_the_table_alone(Sqlite).await;
}
