//! A restart, by SIGTERM or by a power cut, keeps everything that was answered with 2xx.

use metaia_tests::clients::phone::Phone;
use metaia_tests::eventually::eventually;
use metaia_tests::fixtures::{
    id_of, open_payment, order_body, place_order, set_status, verification,
};
use metaia_tests::server::{Server, Setup};
use serde_json::{Value, json};

/// Returns the content of all lists of the store.
async fn all_lists(server: &Server) -> Value {
    let customer = server.api("customer", "c1");
    json!([
        customer.get("/api/orders").await.data(200),
        customer.get("/api/notifications").await.data(200),
        server.admin().get("/api/orders").await.data(200),
    ])
}

async fn keeps_everything_over(restart: impl AsyncFnOnce(Server) -> Setup) {
    let server = Server::start().await;
    let customer = server.api("customer", "c1");
    let keyed = customer.header("idempotency-key", "before-the-restart");
    let order = keyed.post("/api/orders", &order_body()).await.data(201);
    let id = id_of(&order["order"]).to_owned();
    let payment = open_payment(&customer, &id).await;
    customer
        .post("/api/payments/verify", &verification(&payment, "pay_1"))
        .await
        .ok(200);
    set_status(&server, &id, "confirmed").await;
    customer
        .put("/api/notifications/read-all", &json!({}))
        .await
        .ok(200);
    place_order(&server, "c1").await;
    let before = all_lists(&server).await;

    let server = restart(server).await.start().await;
    assert_eq!(all_lists(&server).await, before);
    let customer = server.api("customer", "c1");
    let keyed = customer.header("idempotency-key", "before-the-restart");
    assert_eq!(
        keyed.post("/api/orders", &order_body()).await.data(201),
        order,
        "the first response"
    );
    let again = customer
        .post("/api/payments/verify", &verification(&payment, "pay_1"))
        .await
        .data(200);
    assert_eq!(again["payment"]["status"], "completed");
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    set_status(&server, &id, "in_progress").await;
    assert_eq!(phone.event("order_update").await["status"], "in_progress");
}

#[tokio::test]
async fn a_restart_with_sigterm_keeps_everything() {
    keeps_everything_over(async |server: Server| server.stop().await).await;
}

#[tokio::test]
async fn a_power_cut_keeps_everything() {
    keeps_everything_over(async |server: Server| server.kill().await).await;
}

#[tokio::test]
async fn a_generated_secret_is_kept() {
    let server = Setup::new().without("JWT_SECRET").start().await;
    let secret = |server: &Server| {
        let entries = std::fs::read_dir(server.folder().join("data")).unwrap();
        let texts = entries.filter_map(|entry| std::fs::read_to_string(entry.unwrap().path()).ok());
        let mut texts: Vec<_> = texts.filter(|text| !text.trim().is_empty()).collect();
        texts.sort();
        texts
    };
    let before = secret(&server);
    assert!(!before.is_empty(), "a secret file");
    let server = server.stop().await.start().await;
    assert_eq!(secret(&server), before);
}

#[tokio::test]
async fn power_cuts_under_load_lose_no_answered_order() {
    let mut setup = Setup::new().env("METAIA_LIMITS", "rest_per_s=100000");
    let mut answered = Vec::new();
    for _ in 0..3 {
        let server = setup.start().await;
        let customer = server.api("customer", "c1");
        for order in server.admin().get("/api/orders?limit=100").await.data(200)["orders"]
            .as_array()
            .unwrap()
        {
            assert_eq!(order["status"], "pending");
        }
        let admin = server.admin();
        let enough = answered.len() + 10;
        let writing = async {
            let body = order_body();
            while let Some(order) = customer.try_post("/api/orders", &body).await {
                answered.push(order.data(201)["order"].take());
            }
        };
        let cutting = async {
            eventually("some orders", async || {
                let list = admin.get("/api/orders?limit=100").await.data(200);
                (list["orders"].as_array().unwrap().len() >= enough).then_some(())
            })
            .await;
            server.kill().await
        };
        ((), setup) = tokio::join!(writing, cutting);
    }
    let server = setup.start().await;
    for order in &answered {
        let found = server
            .admin()
            .get(&format!("/api/orders/{}", id_of(order)))
            .await
            .data(200);
        assert_eq!(found["order"], *order);
    }
    assert!(
        answered.len() >= 20,
        "{} orders were answered",
        answered.len()
    );
}
