//! One table of permissions: {no token, the four roles} × {owner, assigned, same role but other,
//! admin} × {every route, the join}. The tests generate the requests from it and report all
//! mismatches together.

use metaia_tests::clients::phone::Phone;
use metaia_tests::fixtures::{
    NO_ORDER, assign, id_of, order_body, place_order_at, set_status, verification,
};
use metaia_tests::server::rest::{Api, ApiResponse};
use metaia_tests::server::{API_KEY, Server, Setup};
use serde_json::{Value, json};

/// Everyone who tries an act. The last two have the id of the owner or of the tailor, under another
/// role.
const PEOPLE: [Person; 9] = [
    Person {
        name: "owner",
        role: "customer",
        user: "c1",
    },
    Person {
        name: "another customer",
        role: "customer",
        user: "c2",
    },
    Person {
        name: "the order's tailor",
        role: "tailor",
        user: "t1",
    },
    Person {
        name: "another tailor",
        role: "tailor",
        user: "t2",
    },
    Person {
        name: "the order's courier",
        role: "delivery",
        user: "d1",
    },
    Person {
        name: "another courier",
        role: "delivery",
        user: "d2",
    },
    Person {
        name: "admin",
        role: "admin",
        user: "a1",
    },
    Person {
        name: "a tailor called as the owner",
        role: "tailor",
        user: "c1",
    },
    Person {
        name: "a customer called as the tailor",
        role: "customer",
        user: "t1",
    },
];

#[derive(Debug)]
struct Person {
    name: &'static str,
    role: &'static str,
    user: &'static str,
}

impl Person {
    /// Returns whether the order concerns this person. Such a person may know that the order
    /// exists.
    fn is_concerned(&self) -> bool {
        [
            "owner",
            "the order's tailor",
            "the order's courier",
            "admin",
        ]
        .contains(&self.name)
    }

    /// Returns the statuses by which an act may be refused. Only a person who may know the order
    /// may learn that its status does not allow the act.
    fn refusals(&self) -> &'static [u16] {
        if self.is_concerned() {
            &[403, 404, 409]
        } else {
            &[403, 404]
        }
    }
}

/// One act on one order, and the persons who may do it. All others are refused.
struct Act {
    name: &'static str,
    /// The status of the order before the act.
    from: &'static str,
    method: &'static str,
    /// The path, with the placeholders `{order}` and `{notification}`.
    path: &'static str,
    body: fn(&World) -> Option<Value>,
    success: u16,
    allowed: &'static [&'static str],
}

const ACTS: &[Act] = &[
    act(
        "read the order",
        "GET",
        "/api/orders/{order}",
        &[
            "owner",
            "the order's tailor",
            "the order's courier",
            "admin",
        ],
    ),
    Act {
        body: |_| Some(json!({"status": "cancelled"})),
        ..act(
            "cancel",
            "PUT",
            "/api/orders/{order}/status",
            &["owner", "admin"],
        )
    },
    Act {
        from: "confirmed",
        body: |_| Some(json!({"status": "cancelled"})),
        ..act(
            "cancel late",
            "PUT",
            "/api/orders/{order}/status",
            &["admin"],
        )
    },
    Act {
        from: "confirmed",
        body: |_| Some(json!({"status": "in_progress"})),
        ..act(
            "start work",
            "PUT",
            "/api/orders/{order}/status",
            &["the order's tailor", "admin"],
        )
    },
    Act {
        from: "ready",
        body: |_| Some(json!({"status": "out_for_delivery"})),
        ..act(
            "carry",
            "PUT",
            "/api/orders/{order}/status",
            &["the order's courier", "admin"],
        )
    },
    Act {
        body: |_| Some(json!({"tailor": "t2"})),
        ..act("assign", "PUT", "/api/orders/{order}/assign", &["admin"])
    },
    Act {
        success: 201,
        body: |_| Some(json!({})),
        ..act(
            "open a payment",
            "POST",
            "/api/payments/orders/{order}",
            &["owner"],
        )
    },
    Act {
        body: |world| Some(verification(&world.payment, "pay_matrix")),
        ..act(
            "verify a payment",
            "POST",
            "/api/payments/verify",
            &["owner"],
        )
    },
    // Notifications belong to a user id, and one person may have several roles.
    act(
        "read a notification",
        "PUT",
        "/api/notifications/{notification}/read",
        &["owner", "a tailor called as the owner"],
    ),
    Act {
        success: 201,
        body: |_| Some(json!({"user": "c1", "type": "system", "title": "t", "message": "m"})),
        ..act("notify", "POST", "/api/notifications", &["admin"])
    },
    Act {
        success: 202,
        body: |_| Some(json!({"to": {"user": "c1"}, "event": "x", "data": {}})),
        ..act("emit", "POST", "/api/realtime/emit", &["admin"])
    },
    Act {
        body: |_| Some(json!({"status": "available"})),
        ..act(
            "tell a tailor's status",
            "PUT",
            "/api/tailors/me/status",
            &[
                "the order's tailor",
                "another tailor",
                "a tailor called as the owner",
            ],
        )
    },
];

const fn act(
    name: &'static str,
    method: &'static str,
    path: &'static str,
    allowed: &'static [&'static str],
) -> Act {
    Act {
        name,
        from: "pending",
        method,
        path,
        body: |_| None,
        success: 200,
        allowed,
    }
}

/// An order of c1 with tailor t1 and courier d1, with a payment and a notification.
struct World {
    order: String,
    payment: Value,
    notification: String,
}

impl World {
    async fn new(server: &Server, status: &str) -> Self {
        let order = id_of(&place_order_at(server, "c1", "t1").await).to_owned();
        assign(server, &order, &json!({"deliveryPartner": "d1"})).await;
        for step in ["confirmed", "in_progress", "ready"] {
            if status == "pending" {
                break;
            }
            set_status(server, &order, step).await;
            if step == status {
                break;
            }
        }
        let owner = server.api("customer", "c1");
        let payment = metaia_tests::fixtures::open_payment(&owner, &order).await;
        let notifications = owner.get("/api/notifications?limit=1").await.data(200);
        let notification = id_of(&notifications["notifications"][0]).to_owned();
        Self {
            order,
            payment,
            notification,
        }
    }

    fn path(&self, act: &Act) -> String {
        act.path
            .replace("{order}", &self.order)
            .replace("{notification}", &self.notification)
    }

    /// Returns the path of the same request for objects that do not exist.
    fn path_to_nothing(act: &Act) -> String {
        act.path
            .replace("{order}", NO_ORDER)
            .replace("{notification}", NO_ORDER)
    }
}

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
    let refused = server
        .api("customer", "c1")
        .post("/api/orders", &body)
        .await;
    assert!([403, 422].contains(&refused.status), "{refused:#?}");
}
