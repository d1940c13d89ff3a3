//! The table of `docs/access.md`, cell by cell, against real servers on both stores: every route,
//! every event of clients, every room and every event of the server.
//!
//! The page is the only source of what is expected here. It is written by hand: neither the server
//! nor `metaia matrix` reads it.

mod causes;
mod client_events;
mod crowd;
mod faults;
mod mongodb;
mod people;
mod routes;
mod sqlite;
mod table;
mod world;

use std::collections::BTreeSet;

use metaia_tests::clients::phone::Phone;
use metaia_tests::fixtures::{
    NO_ORDER, id_of, order_body, place_order, place_order_at, set_status,
};
use metaia_tests::server::Server;
use serde_json::json;

use crowd::Crowd;
use people::{Column, Person, everyone};
use routes::Request;
use table::{Row, rows};
use world::{Site, Store, World};

/// Fails with all mismatches at once.
#[track_caller]
fn assert_none(mismatches: &[String]) {
    let count = mismatches.len();
    assert!(mismatches.is_empty(), "{count} mismatches: {mismatches:#?}");
}

/// Returns whether an answer may have changed something.
fn is_success(answer: &str) -> bool {
    answer.starts_with('2')
}

async fn every_route_answers_as_the_table_says(store: Store) {
    let site = Site::start(store).await;
    assert_none(&judge_routes(&site.server, &rows("Routes")).await);
}

async fn judge_routes(server: &Server, rows: &[Row]) -> Vec<String> {
    let mut mismatches = Vec::new();
    for row in rows {
        mismatches.extend(judge_route(server, row).await);
    }
    mismatches
}

/// Makes the request of a row as everyone, first as those who are refused: nothing may change.
async fn judge_route(server: &Server, row: &Row) -> Vec<String> {
    let mut mismatches = Vec::new();
    let people = everyone();
    let is_served = |person: &&Person| is_success(row.expected(person));
    let (served, refused): (Vec<_>, Vec<_>) = people.iter().partition(is_served);
    let world = World::new(server, routes::status_before(row)).await;
    let before = world.state(server).await;
    for person in refused {
        mismatches.extend(judge_answer(server, row, person, &world).await);
    }
    let after = world.state(server).await;
    if after != before {
        let name = &row.name;
        mismatches.push(format!(
            "{name}: refused, and changed {before:#?} to {after:#?}"
        ));
    }
    for person in served {
        let world = World::new(server, routes::status_before(row)).await;
        mismatches.extend(judge_answer(server, row, person, &world).await);
    }
    mismatches
}

async fn judge_answer(
    server: &Server,
    row: &Row,
    person: &Person,
    world: &World,
) -> Option<String> {
    let answer = Request::of(row, world).send(server, person).await;
    row.mismatch(person, &routes::word(row, &answer, world))
}

/// Returns the people who may read an order.
fn readers(person: &Person) -> bool {
    let rows = rows("Routes");
    let read = rows.iter().find(|row| row.name == "GET /api/orders/{id}");
    read.expect("the row").expected(person) == "200"
}

async fn what_belongs_to_others_looks_as_if_it_did_not_exist(store: Store) {
    let site = Site::start(store).await;
    let server = &site.server;
    let mut mismatches = Vec::new();
    let mut compared = 0;
    for row in rows("Routes")
        .iter()
        .filter(|row| routes::is_about_a_record(row))
    {
        let world = World::new(server, routes::status_before(row)).await;
        let strangers = everyone();
        let strangers = strangers.iter().filter(|person| !readers(person));
        for person in strangers.filter(|person| !is_success(row.expected(person))) {
            let request = Request::of(row, &world);
            let forbidden = routes::bytes(&request.send(server, person).await);
            let nothing = request.about_nothing(&world);
            let missing = routes::bytes(&nothing.send(server, person).await);
            compared += 1;
            if forbidden != missing {
                let name = &row.name;
                mismatches.push(format!("{name} by {person}: {forbidden:?} and {missing:?}"));
            }
        }
    }
    assert!(compared > 200, "{compared}");
    mismatches.extend(joins_that_differ(server).await);
    assert_none(&mismatches);
}

/// Compares refused joins of an order that exists with those of one that does not.
async fn joins_that_differ(server: &Server) -> Vec<String> {
    let mut mismatches = Vec::new();
    let world = World::new(server, "pending").await;
    let people = everyone();
    let strangers = people.iter().filter(|person| person.column.has_sessions());
    for person in strangers.filter(|person| !readers(person)) {
        let forbidden = client_events::refused_joins(server, person, &world.order).await;
        let missing = client_events::refused_joins(server, person, NO_ORDER).await;
        if forbidden != missing {
            mismatches.push(format!("a join by {person}: {forbidden} and {missing}"));
        }
    }
    mismatches
}

async fn every_event_of_clients_is_answered_as_the_table_says(store: Store) {
    let site = Site::start(store).await;
    let rows = rows("Events of clients");
    assert_none(&judge_client_events(&site.server, &rows).await);
}

async fn judge_client_events(server: &Server, rows: &[Row]) -> Vec<String> {
    let world = World::new(server, "pending").await;
    let mut mismatches = Vec::new();
    for row in rows {
        for person in everyone() {
            let answer = client_events::answer(server, row, &person, &world.order).await;
            mismatches.extend(row.mismatch(&person, &answer));
        }
    }
    mismatches
}

async fn every_room_is_heard_by_those_in_the_table_alone(store: Store) {
    let site = Site::start(store).await;
    assert_none(&judge_rooms(&site.server, &rows("Rooms")).await);
}

async fn judge_rooms(server: &Server, rows: &[Row]) -> Vec<String> {
    let world = World::new(server, "pending").await;
    let mut crowd = Crowd::connect(server).await;
    crowd.try_to_join(&world.order).await;
    let mut mismatches = Vec::new();
    for row in rows {
        causes::emit_to(server, row, &world).await;
        let heard = crowd.heard(server, "test:room").await;
        mismatches.extend(judge_heard(row, &heard));
    }
    mismatches
}

async fn every_event_of_the_server_is_heard_by_those_in_the_table_alone(store: Store) {
    let site = Site::start(store).await;
    let rows = rows("Events of the server");
    assert_none(&judge_server_events(&site.server, &rows).await);
}

async fn judge_server_events(server: &Server, rows: &[Row]) -> Vec<String> {
    let world = World::new(server, "pending").await;
    let mut crowd = Crowd::connect(server).await;
    let mut mismatches = Vec::new();
    for row in rows {
        causes::provoke(server, row, &world, &mut crowd).await;
        let heard = crowd.heard(server, &row.name).await;
        mismatches.extend(judge_heard(row, &heard));
    }
    mismatches
}

/// Compares who heard an event with a row. People without a session hear nothing.
fn judge_heard(row: &Row, heard: &[(Person, bool)]) -> Vec<String> {
    let word = |has_heard: bool| if has_heard { "hears" } else { "–" };
    let connected = heard.iter().copied();
    let others = everyone().into_iter();
    let others = others.filter(|person| !person.column.has_sessions());
    let all = connected.chain(others.map(|person| (person, false)));
    all.filter_map(|(person, has_heard)| row.mismatch(&person, word(has_heard)))
        .collect()
}

/// Returns the routes of `/openapi.json`, in the words of the table.
async fn described_routes(server: &Server) -> BTreeSet<String> {
    let description = server.anonymous().get("/openapi.json").await.json();
    let paths = description["paths"].as_object().expect("paths").iter();
    let routes = paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods").keys();
        methods.map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    routes.collect()
}

#[tokio::test]
async fn the_table_has_every_route_that_the_server_describes() {
    let server = Server::start().await;
    let mut routes = described_routes(&server).await;
    // Those have no description.
    routes.extend(["GET /livez", "GET /readyz", "GET /openapi.json"].map(str::to_owned));
    let named: BTreeSet<String> = rows("Routes").into_iter().map(|row| row.name).collect();
    assert_eq!(named, routes);
}

/// The tests above would find each of these.
#[test]
fn a_wrong_answer_is_a_mismatch() {
    let rows = rows("Routes");
    let read = rows.iter().find(|row| row.name == "GET /api/orders/{id}");
    let read = read.expect("the row");
    let people = everyone();
    assert_eq!(people.len(), 4 + 5 * 5);
    for person in people {
        let right = read.expected(&person);
        assert_eq!(read.mismatch(&person, right), None);
        let found = read.mismatch(&person, "500").expect("a mismatch");
        let parts = [
            "GET /api/orders/{id}",
            right,
            "got 500",
            &person.to_string(),
        ];
        for part in parts {
            assert!(found.contains(part), "{part}: {found}");
        }
    }
    let word = |column: Column| {
        let person = everyone().into_iter().find(|it| it.column == column);
        read.expected(&person.expect("a person")).to_owned()
    };
    assert_eq!(
        Column::ALL.map(word),
        ["401", "403", "401", "200", "404", "404", "200"]
    );
}

/// An order whose customer and tailor have one id: its courier's role gains nothing by that.
#[tokio::test]
async fn a_user_in_two_roles_has_the_access_of_each_role_and_no_more() {
    let server = Server::start().await;
    let order = place_order_at(&server, "u1", "u1").await;
    let path = format!("/api/orders/{}", id_of(&order));
    for (role, status) in [("customer", 200), ("tailor", 200), ("delivery", 404)] {
        let read = server.api(role, "u1").get(&path).await;
        assert_eq!(read.status, status, "{role}: {read:#?}");
        let mut phone = Phone::ready_as(&server, role, "u1").await;
        let joined = phone.call("join_order_room", &json!(id_of(&order))).await;
        assert_eq!(joined["status"] == "ok", status == 200, "{role}: {joined}");
    }
    // Each role takes its own steps alone.
    set_status(&server, id_of(&order), "confirmed").await;
    let status = format!("{path}/status");
    let start = json!({"status": "in_progress"});
    let customer = server.api("customer", "u1");
    customer.put(&status, &start).await.refused(403);
    let tailor = server.api("tailor", "u1");
    tailor.put(&status, &start).await.ok(200);
}

#[tokio::test]
async fn only_an_admin_orders_for_a_customer() {
    let server = Server::start().await;
    let mut body = order_body();
    body["customer"] = "c7".into();
    let order = server.admin().post("/api/orders", &body).await.data(201);
    assert_eq!(order["order"]["customer"], "c7");
    let customer = server.api("customer", "c1");
    let problem = customer.post("/api/orders", &body).await.refused(422);
    assert_eq!(problem["errors"][0]["pointer"], "/customer");
}

/// A distance below 2³² has a probability of 2⁻³¹ if ids are random. It was 2 when they counted.
#[tokio::test]
async fn the_id_of_an_order_tells_nothing_of_the_next_one() {
    let server = Server::start().await;
    let own = place_order(&server, "c1").await;
    let next = place_order(&server, "c2").await;
    let after_the_time = |order| u64::from_str_radix(&id_of(order)[8..], 16).unwrap();
    let distance = after_the_time(&own).abs_diff(after_the_time(&next));
    assert!(distance > u64::from(u32::MAX), "{own} {next}");
}
