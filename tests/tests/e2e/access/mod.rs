//! One table of permissions: {no token, the four roles} × {owner, assigned, same role but other,
//! admin} × {every route, the join}. The tests generate the requests from it and report all
//! mismatches together.

mod table;

use metaia_tests::clients::phone::Phone;
use metaia_tests::fixtures::{id_of, order_body, place_order};
use metaia_tests::server::rest::{Api, ApiResponse};
use metaia_tests::server::{API_KEY, Server, Setup};
use serde_json::json;

use table::{ACTS, Act, PEOPLE, Person, World};

/// Starts a server whose request limit does not affect the test.
async fn server() -> Server {
    Setup::new()
        .env("METAIA_LIMITS", "rest_per_s=100000")
        .start()
        .await
}

async fn attempt(api: &Api, act: &Act, path: &str, world: &World) -> ApiResponse {
    api.send(act.method, path, (act.body)(world).as_ref()).await
}

#[tokio::test]
async fn every_person_can_do_exactly_the_acts_of_the_table() {
    let server = server().await;
    let mut mismatches = Vec::new();
    for act in ACTS {
        for person in &PEOPLE {
            let world = World::new(&server, act.from).await;
            let api = server.api(person.role, person.user);
            let answer = attempt(&api, act, &world.path(act), &world).await;
            let allowed = act.allowed.contains(&person.name);
            let right = if allowed {
                answer.status == act.success
            } else {
                person.refusals().contains(&answer.status)
            };
            if !right {
                mismatches.push(format!(
                    "{} by {}: {} {}",
                    act.name, person.name, answer.status, answer.text
                ));
            }
            if !allowed {
                let after = server
                    .admin()
                    .get(&format!("/api/orders/{}", world.order))
                    .await
                    .data(200);
                if after["order"]["status"] != act.from || after["order"]["tailor"] != "t1" {
                    mismatches.push(format!(
                        "{} by {}: refused, but it changed {after}",
                        act.name, person.name
                    ));
                }
            }
        }
    }
    assert!(mismatches.is_empty(), "{mismatches:#?}");
}

#[tokio::test]
async fn a_request_without_a_token_is_refused_everywhere() {
    let server = server().await;
    let world = World::new(&server, "pending").await;
    for act in ACTS {
        let answer = attempt(&server.anonymous(), act, &world.path(act), &world).await;
        answer.refused_as(401, "unauthorized");
    }
    for path in ["/api/orders", "/api/notifications"] {
        server
            .anonymous()
            .get(path)
            .await
            .refused_as(401, "unauthorized");
    }
    server
        .anonymous()
        .put("/api/notifications/read-all", &json!({}))
        .await
        .refused_as(401, "unauthorized");
}

#[tokio::test]
async fn a_foreign_object_looks_like_a_missing_one() {
    let server = server().await;
    let world = World::new(&server, "pending").await;
    let seen = |answer: &ApiResponse| {
        let problem = answer.json();
        [
            json!(answer.status),
            problem["code"].clone(),
            problem["title"].clone(),
            problem["detail"].clone(),
        ]
    };
    for act in ACTS.iter().filter(|act| act.path.contains('{')) {
        let may_not =
            |person: &&Person| !act.allowed.contains(&person.name) && !person.is_concerned();
        for person in PEOPLE.iter().filter(may_not) {
            let api = server.api(person.role, person.user);
            let forbidden = attempt(&api, act, &world.path(act), &world).await;
            let missing = attempt(&api, act, &World::path_to_nothing(act), &world).await;
            assert_eq!(
                seen(&forbidden),
                seen(&missing),
                "{} by {}",
                act.name,
                person.name
            );
        }
    }
}

#[tokio::test]
async fn the_order_room_admits_only_users_whom_the_order_concerns() {
    let server = server().await;
    let world = World::new(&server, "pending").await;
    for person in &PEOPLE {
        let mut phone = Phone::ready_as(&server, person.role, person.user).await;
        let answer = phone.call("join_order_room", &json!(world.order)).await;
        let expected = if person.is_concerned() {
            &json!("ok")
        } else {
            &json!("error")
        };
        assert_eq!(&answer["status"], expected, "{}: {answer}", person.name);
    }
}

#[tokio::test]
async fn lists_show_only_the_users_own_objects() {
    let server = server().await;
    let world = World::new(&server, "pending").await;
    for person in &PEOPLE {
        let api = server.api(person.role, person.user);
        let orders = api.get("/api/orders").await.data(200);
        let ids: Vec<_> = orders["orders"]
            .as_array()
            .unwrap()
            .iter()
            .map(id_of)
            .collect();
        assert_eq!(
            ids.contains(&world.order.as_str()),
            person.is_concerned(),
            "{}: {ids:?}",
            person.name
        );
        let notifications = api.get("/api/notifications").await.data(200);
        for notification in notifications["notifications"].as_array().unwrap() {
            assert_eq!(notification["user"], person.user, "{}", person.name);
        }
    }
}

#[tokio::test]
async fn the_api_key_opens_only_the_backends_two_routes() {
    let server = server().await;
    let world = World::new(&server, "pending").await;
    let backend = server.anonymous().header("x-api-key", API_KEY);
    let wrong = server.anonymous().header("x-api-key", "wrong");
    for act in ACTS {
        let answer = attempt(&backend, act, &world.path(act), &world).await;
        let opened = ["notify", "emit"].contains(&act.name);
        let right = if opened {
            answer.status == act.success
        } else {
            [401, 403].contains(&answer.status)
        };
        assert!(right, "{}: {answer:#?}", act.name);
        attempt(&wrong, act, &world.path(act), &world)
            .await
            .refused(401);
    }
}

#[tokio::test]
async fn only_customers_and_admins_place_orders() {
    let server = server().await;
    for person in &PEOPLE {
        let mut body = order_body();
        if person.role == "admin" {
            body["customer"] = "c1".into();
        }
        let answer = server
            .api(person.role, person.user)
            .post("/api/orders", &body)
            .await;
        let expected = if ["customer", "admin"].contains(&person.role) {
            201
        } else {
            403
        };
        assert_eq!(answer.status, expected, "{}: {answer:#?}", person.name);
    }
}

#[tokio::test]
async fn only_an_admin_orders_for_a_customer() {
    let server = server().await;
    let mut body = order_body();
    body["customer"] = "c7".into();
    let order = server.admin().post("/api/orders", &body).await.data(201);
    assert_eq!(order["order"]["customer"], "c7");
    server
        .admin()
        .post("/api/orders", &order_body())
        .await
        .refused(422);
    let problem = server
        .api("customer", "c1")
        .post("/api/orders", &body)
        .await
        .refused(422);
    assert_eq!(problem["errors"][0]["pointer"], "/customer");
}

/// A distance below 2³² has a probability of 2⁻³¹ if ids are random. It was 2 when they counted.
#[tokio::test]
async fn the_id_of_an_order_tells_nothing_of_the_next_one() {
    let server = server().await;
    let own = place_order(&server, "c1").await;
    let next = place_order(&server, "c2").await;
    let after_the_time = |order| u64::from_str_radix(&id_of(order)[8..], 16).unwrap();
    let distance = after_the_time(&own).abs_diff(after_the_time(&next));
    assert!(distance > u64::from(u32::MAX), "{own} {next}");
}
