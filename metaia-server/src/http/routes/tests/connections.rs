//! Sessions, rooms and presence: only admins see them, and only admins end a session.

use super::*;

/// A client that is connected by polling.
pub(super) struct Phone {
    router: Router,
    address: String,
    /// The packets that it received together with CONNECT.
    first: String,
}

impl Phone {
    pub(super) async fn connect(api: &Api, role: Role, user: &str, auth: Value) -> Self {
        let router = Router::new().layer(api.world.realtime.layer());
        let mut phone = Self {
            router,
            address: "/socket.io/?EIO=4&transport=polling".to_owned(),
            first: String::new(),
        };
        let open = phone.send("GET", String::new()).await;
        let open: Value = serde_json::from_str(open.strip_prefix('0').unwrap()).unwrap();
        phone.address = format!("{}&sid={}", phone.address, open["sid"].as_str().unwrap());
        let mut auth = auth;
        auth["token"] = token(role, user).into();
        assert_eq!(phone.send("POST", format!("40{auth}")).await, "ok");
        phone.first = phone.received_until("40{").await;
        phone
    }

    /// Returns everything that it receives until it is ready.
    pub(super) async fn received_until_ready(self) -> String {
        if self.first.contains("rt:ready") {
            return self.first;
        }
        let later = self.received_until("rt:ready").await;
        self.first + &later
    }

    /// Sends a token that is none in place of the present one, and waits for the refusal.
    pub(super) async fn refused_refresh(&self) {
        let refresh = r#"420["rt:refresh",{"token":"damaged"}]"#;
        assert_eq!(self.send("POST", refresh.to_owned()).await, "ok");
        self.received_until("430[").await;
    }

    /// Polls until an answer has this text. The server's pings may come before it.
    async fn received_until(&self, text: &str) -> String {
        let mut received = String::new();
        for _ in 0..8 {
            received += &self.send("GET", String::new()).await;
            if received.contains(text) {
                return received;
            }
        }
        panic!("no {text}: {received}");
    }

    async fn send(&self, method: &str, body: String) -> String {
        let request = Request::builder()
            .method(method)
            .uri(&self.address)
            .header("content-type", "text/plain");
        let request = request.body(Body::from(body)).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    }
}

const NOBODY: &str = "/api/realtime/sessions/0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn only_admins_see_and_end() {
    let api = Api::new(On::Embedded).await;
    for (method, path, found) in [
        ("GET", "/api/realtime/sessions", 200),
        ("GET", "/api/realtime/rooms", 200),
        ("GET", "/api/realtime/presence?user=c1", 200),
        ("GET", "/api/realtime/stats", 200),
        ("GET", "/api/realtime/refusals", 200),
        ("DELETE", NOBODY, 404),
    ] {
        let ask = async |who: As<'_>| who.send(method, path, Vec::new()).await;
        ask(api.nobody()).await.refused(401, "unauthorized");
        ask(api.backend()).await.refused(401, "unauthorized");
        for (role, user) in [
            (Role::Customer, "c1"),
            (Role::Tailor, "t1"),
            (Role::Delivery, "d1"),
        ] {
            ask(api.user(role, user)).await.refused(403, "forbidden");
        }
        assert_eq!(ask(api.admin()).await.status, found, "{method} {path}");
    }
}

#[tokio::test]
async fn sessions_rooms_and_users_are_seen_as_they_are() {
    let api = Api::new(On::Embedded).await;
    let _one = Phone::connect(&api, Role::Customer, "c1", json!({ "device": "phone-1" })).await;
    let _two = Phone::connect(&api, Role::Admin, "a1", json!({ "orders": ["o1"] })).await;
    let admin = api.admin();
    let found = admin
        .get("/api/realtime/sessions?user=c1&role=customer&room=customer-room")
        .await
        .data(200);
    let session = &found["sessions"][0];
    assert_eq!(found["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(
        (
            &session["user"],
            &session["role"],
            &session["device"],
            &session["rooms"]
        ),
        (
            &json!("c1"),
            &json!("customer"),
            &json!("phone-1"),
            &json!(["customer-room", "user-c1"])
        )
    );
    assert_eq!(
        session["node"],
        json!(api.world.realtime.node_id().to_string())
    );
    assert!(
        session["connectedAt"].as_str().unwrap().ends_with('Z') && found["nextCursor"].is_null()
    );
    let none = admin
        .get("/api/realtime/sessions?user=c1&role=tailor")
        .await
        .data(200);
    assert_eq!(none["sessions"], json!([]));

    let users = admin
        .get("/api/realtime/presence?user=c1,nobody")
        .await
        .data(200)["users"]
        .take();
    assert_eq!(
        (&users[0]["online"], &users[0]["sessions"]),
        (&json!(true), &json!(1))
    );
    let offline = json!({
        "user": "nobody", "online": false, "sessions": 0, "connectedAt": null, "activeAt": null,
    });
    assert_eq!(users[1], offline);

    let stats = admin.get("/api/realtime/stats").await.data(200);
    assert_eq!(
        (&stats["sessions"], &stats["stats"]["connects"]["customer"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(stats["nodes"], json!([stats["node"]]));
}

#[tokio::test]
async fn pages_have_each_once() {
    let api = Api::new(On::Embedded).await;
    let mut phones = Vec::new();
    for user in ["c1", "c2", "c3"] {
        phones.push(Phone::connect(&api, Role::Customer, user, json!({})).await);
    }
    for (list, key, due) in [
        ("sessions", "user", vec!["c1", "c2", "c3"]),
        (
            "rooms",
            "room",
            vec!["customer-room", "user-c1", "user-c2", "user-c3"],
        ),
    ] {
        let mut cursor = String::new();
        let mut found = Vec::new();
        loop {
            let page = api
                .admin()
                .get(&format!("/api/realtime/{list}?limit=2{cursor}"))
                .await
                .data(200);
            let items = page[list]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item[key].as_str().unwrap().to_owned());
            found.extend(items);
            let Some(next) = page["nextCursor"].as_str() else {
                break;
            };
            cursor = format!("&cursor={next}");
        }
        found.sort();
        assert_eq!(found, due);
    }
}

#[tokio::test]
async fn a_session_is_ended_once() {
    let api = Api::new(On::Embedded).await;
    let phone = Phone::connect(&api, Role::Customer, "c1", json!({})).await;
    let listed = api.admin().get("/api/realtime/sessions").await.data(200)["sessions"][0].take();
    let path = format!("/api/realtime/sessions/{}", listed["id"].as_str().unwrap());
    let ended = api
        .admin()
        .send("DELETE", &path, Vec::new())
        .await
        .data(200);
    assert_eq!(ended["session"]["user"], "c1");
    api.admin()
        .send("DELETE", &path, Vec::new())
        .await
        .refused(404, "not_found");
    phone.received_until("41").await;
    assert_eq!(
        api.world.logged_after(0).await[0].0,
        "rt:disconnect_session"
    );
}

/// Makes a handshake that is refused, and holds secrets.
pub(super) async fn refused_handshake(api: &Api) {
    let router = Router::new().layer(api.world.realtime.layer());
    let request = Request::builder()
        .uri("/socket.io/?EIO=3&transport=polling&token=secret")
        .header("authorization", "Bearer secret")
        .header("origin", "https://shop.example/?token=secret")
        .header("user-agent", "Old Phone\t2.0");
    let answer = router.oneshot(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.unwrap().status(), 400);
}

#[tokio::test]
async fn refusals_are_seen_from_a_time_on_and_without_secrets() {
    let api = Api::new(On::Embedded).await;
    refused_handshake(&api).await;
    refused_handshake(&api).await;
    let path = "/api/realtime/refusals";
    let found = api.admin().get(path).await.data(200);
    assert_eq!(
        found["node"],
        json!(api.world.realtime.node_id().to_string())
    );
    let refusals = found["refusals"].as_array().unwrap();
    let count: u64 = refusals
        .iter()
        .filter_map(|one| one["count"].as_u64())
        .sum();
    assert_eq!(count, 2);
    let newest = &refusals[0];
    assert_eq!(newest["code"], "unsupported_version");
    assert_eq!(newest["transport"], "polling");
    assert_eq!(newest["origin"], "https://shop.example/…");
    assert_eq!(newest["userAgent"], "Old Phone\\t2.0");
    assert!(newest["user"].is_null() && newest["role"].is_null());
    assert!(!found.to_string().contains("secret"), "{found}");
    let last_at = newest["lastAt"].as_str().unwrap();
    for (since, expected) in [
        (last_at, false),
        ("1970-01-01T00:00:00Z", false),
        ("2999-01-01T00:00:00Z", true),
    ] {
        let found = api
            .admin()
            .get(&format!("{path}?since={since}"))
            .await
            .data(200);
        let is_empty = found["refusals"].as_array().unwrap().is_empty();
        assert_eq!(is_empty, expected, "{since}");
    }
}

#[tokio::test]
async fn an_invalid_query_is_pointed_at() {
    let api = Api::new(On::Embedded).await;
    for (path, pointer) in [
        ("sessions?limit=0", "/limit"),
        ("sessions?limit=101", "/limit"),
        ("sessions?user=a%20b", "/user"),
        ("sessions?user[$ne]=x", "/user[$ne]"),
        ("sessions?role=king", "/role"),
        ("sessions?room=nowhere", "/room"),
        ("sessions?cursor=1", "/cursor"),
        ("sessions?sort=user", "/sort"),
        ("rooms?cursor=nowhere", "/cursor"),
        ("presence", "/user"),
        ("presence?user=", "/user"),
        ("presence?user=a,,b", "/user"),
        ("refusals?since=yesterday", "/since"),
        ("refusals?since=1764444444444", "/since"),
        ("refusals?limit=1", "/limit"),
    ] {
        api.admin()
            .get(&format!("/api/realtime/{path}"))
            .await
            .refused_at(pointer);
    }
    let many = vec!["u"; 101].join(",");
    api.admin()
        .get(&format!("/api/realtime/presence?user={many}"))
        .await
        .refused_at("/user");
    api.admin()
        .send("DELETE", "/api/realtime/sessions/x", Vec::new())
        .await
        .refused(404, "not_found");
}
