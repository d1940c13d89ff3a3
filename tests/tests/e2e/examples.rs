//! Runs the examples and checks that they do what their first lines say.

use metaia_tests::clients::cli::Cli;
use metaia_tests::clients::phone::Phone;
use metaia_tests::fixtures::example::Example;
use metaia_tests::fixtures::token::token;
use metaia_tests::server::Listening;
use metaia_tests::server::temp_folder::TempFolder;
use serde_json::json;

#[tokio::test]
async fn embed_has_no_rest_interface_and_metaia_says_so() {
    let example = Example::start("embed").await;
    let cli = Cli::for_url(&example.url());
    for args in [
        &["emit", "user:c1", "note"][..],
        &["trigger", "new_notification", "--to", "user:c1"],
        &["join", "o1", "--as", "customer:c1", "--expect", "deny"],
    ] {
        let output = cli.run(args).await.expect_code(3);
        let said = "no REST interface of metaia-server";
        assert!(output.stderr.contains(said), "{output:#?}");
    }
    let expect = ["expect", "customer:c1", "--never", "--", "true"];
    cli.run(&expect).await.expect_code(0);
    example.stop().await;
}

#[tokio::test]
async fn embed_sends_an_order_to_its_customer() {
    let example = Example::start("embed").await;
    let mut customer = Phone::ready_as(&example, "customer", "c1").await;
    let mut other = Phone::ready_as(&example, "customer", "c2").await;
    for user in ["c1", "c2"] {
        let new = json!({"customer": user, "garment": format!("kurta of {user}")});
        let created = example.api().post("/api/orders", &new).await.data(200);
        assert!(created["at"].is_string(), "{created}");
    }
    // The first event of the other customer is its own one: the event for c1 was sent before and
    // did not reach it.
    assert_eq!(
        customer.event("order_update").await["garment"],
        "kurta of c1"
    );
    assert_eq!(other.next().await.data["garment"], "kurta of c2");
    example.stop().await;
}

#[tokio::test]
async fn custom_event_acknowledges_tailors_and_notifies_all_of_them() {
    let example = Example::start("custom_event").await;
    let mut tailor = Phone::ready_as(&example, "tailor", "t1").await;
    let mut colleague = Phone::ready_as(&example, "tailor", "t2").await;
    let mut customer = Phone::ready_as(&example, "customer", "c1").await;
    let silk = |metres: u32| json!({"fabric": "silk", "metres": metres});

    let reserved = tailor.call("reserve_fabric", &silk(8)).await;
    assert_eq!(reserved, json!({"status": "ok", "metresLeft": 12}));
    tailor.call("reserve_fabric", &silk(5)).await;
    assert_eq!(colleague.event("stock_low").await["metresLeft"], 7);

    for (phone, payload, code) in [
        (&mut tailor, silk(100), "out_of_stock"),
        (
            &mut colleague,
            json!({"fabric": "gold", "metres": 1}),
            "unknown_fabric",
        ),
        (&mut customer, silk(1), "forbidden"),
    ] {
        let refused = phone.call("reserve_fabric", &payload).await;
        assert_eq!(refused, json!({"status": "error", "code": code}));
    }
    for malformed in [
        json!("silk"),
        json!({"fabric": "silk"}),
        json!({"fabric": "silk", "metres": -1}),
        json!(null),
    ] {
        let refused = tailor.call("reserve_fabric", &malformed).await;
        assert_eq!(
            refused,
            json!({"status": "error", "code": "malformed"}),
            "{malformed}"
        );
    }
    let left = example.api().get("/api/fabrics").await;
    assert_eq!(left.json(), json!({"silk": 7, "cotton": 100}));
    example.stop().await;
}

#[tokio::test]
async fn order_access_decides_again_after_a_reassignment() {
    let example = Example::start("order_access").await;
    let mut old = Phone::ready_as(&example, "tailor", "t1").await;
    let mut new = Phone::ready_as(&example, "tailor", "t2").await;
    let mut customer = Phone::ready_as(&example, "customer", "c1").await;
    let order = json!("o1");
    assert_eq!(old.call("join_order_room", &order).await["status"], "ok");
    assert_eq!(
        customer.call("join_order_room", &order).await["status"],
        "ok"
    );
    assert_eq!(
        new.call("join_order_room", &order).await["code"],
        "forbidden"
    );
    assert_eq!(
        old.call("join_order_room", &json!("o2")).await["code"],
        "forbidden"
    );

    example
        .api()
        .put("/api/orders/o1/tailor", &json!({"tailor": "t2"}))
        .await
        .ok(200);
    assert_eq!(customer.event("order_update").await["tailor"], "t2");
    assert_eq!(new.event("order_update").await["tailor"], "t2");
    let first = old.next().await;
    assert_eq!(
        first.name, "rt:room_left",
        "the room is left before the update, which is not sent: {first:?}"
    );
    assert_eq!(first.data["reason"], "access_revoked");
    assert_eq!(
        old.call("join_order_room", &order).await["code"],
        "forbidden"
    );
    assert_eq!(new.call("join_order_room", &order).await["status"], "ok");
    example.stop().await;
}

/// Its second process reads what the first one stored.
#[tokio::test]
async fn own_log_delivers_its_entries_also_after_a_restart() {
    let folder = TempFolder::new();
    let file = folder.path().join("log.jsonl");
    let file = [("LOG_FILE", file.to_str().expect("a path that is text"))];
    let example = Example::start_with("own_log", &file).await;
    let mut first = Phone::ready_as(&example, "customer", "c1").await;
    let mut since = String::new();
    for i in 1..=3 {
        let news = json!({"text": i});
        example.api().post("/api/news", &news).await.ok(200);
        let received = first.event("news").await;
        assert_eq!(received["text"], i);
        if i == 1 {
            since = received["_rt"]["at"].as_str().expect("at").to_owned();
        }
    }
    example.stop().await;

    let example = Example::start_with("own_log", &file).await;
    let auth = json!({"token": token("customer", "c1"), "since": since});
    let mut returning = Phone::connected(&example, &auth).await;
    for i in 2..=3 {
        assert_eq!(returning.event("news").await["text"], i);
    }
    assert_eq!(returning.event("rt:ready").await["recovered"], true);
    example.stop().await;
}

/// The second node of the same example, on another port.
struct Second(u16);

impl Listening for Second {
    fn port(&self) -> u16 {
        self.0
    }
}

#[tokio::test]
async fn two_nodes_deliver_as_one_server() {
    let example = Example::start("two_nodes").await;
    let ports = example.api().get("/api/nodes").await.json();
    let second = Second(ports[1].as_u64().unwrap().try_into().unwrap());
    let mut here = Phone::ready_as(&example, "customer", "c1").await;
    let mut there = Phone::ready_as(&second, "customer", "c2").await;
    assert_eq!(
        there.call("join_order_room", &json!("o1")).await["status"],
        "ok"
    );
    example
        .api()
        .post("/api/news", &json!({"text": "open"}))
        .await
        .ok(200);
    assert_eq!(here.event("news").await["text"], "open");
    assert_eq!(there.event("news").await["text"], "open");
    example
        .api()
        .post(
            "/api/courier",
            &json!({"order": "o1", "at": [12.97, 77.59]}),
        )
        .await
        .ok(200);
    assert_eq!(
        there.event("courier_at").await,
        json!({"order": "o1", "at": [12.97, 77.59]})
    );
    example.stop().await;
}
