//! `/api/orders`

use super::*;

on_both_stores!(
    Api: orders_that_are_placed,
    orders_that_are_read,
    orders_that_are_moved,
    orders_that_are_assigned,
);

const PLACE: (&str, &str) = ("POST", "/api/orders");
const NOWHERE: &str = "/api/orders/000000000000000000000000";

fn full_order() -> Value {
    json!({
        "items": [
            {
                "garment": "sherwani", "quantity": 1, "price": 450_000,
                "measurements": { "chest": 96.5, "sleeve": "long", "waist": 80 },
                "notes": "gold \"zari\", ₹",
            },
            { "garment": "shirt", "quantity": 2, "price": 45_000 },
        ],
        "tailor": "t1", "deliveryAddress": "12 Brigade Road\nBengaluru", "currency": "INR",
    })
}

async fn orders_that_are_placed(api: Api) {
    let mut transcript = Transcript::new(&api);
    let customer = api.customer();
    for (title, who, body) in [
        ("by a customer", customer.clone(), order()),
        ("with all members", customer.clone(), full_order()),
        (
            "by an admin, for a customer",
            api.admin(),
            json!({ "items": order()["items"], "customer": "c7" }),
        ),
        ("by a tailor", api.user(Role::Tailor, "t1"), order()),
        ("by a backend", api.backend(), order()),
        ("by an admin, for nobody", api.admin(), order()),
        (
            "with two faults",
            customer.clone(),
            json!({ "items": [{ "garment": "", "quantity": 0, "price": 1 }] }),
        ),
        ("without items", customer.clone(), json!({})),
        ("as a list", customer.clone(), json!([])),
    ] {
        transcript.json(title, &who, PLACE, &body).await;
    }
    let large = json!({ "garment": "g", "quantity": 1, "price": 1, "notes": "x".repeat(980) });
    let body = json!({ "items": vec![large; 63] });
    transcript
        .json("too large for its event", &customer, PLACE, &body)
        .await;
    let keyed = customer.with("idempotency-key", "k-1");
    for title in ["under a key", "again under the key"] {
        transcript.json(title, &keyed, PLACE, &full_order()).await;
    }
    transcript
        .json("another one under the key", &keyed, PLACE, &order())
        .await;
    let malformed = keyed.with("idempotency-key", "a b");
    transcript
        .json("under a malformed key", &malformed, PLACE, &order())
        .await;
    transcript.check("orders_placed");
}

async fn orders_that_are_read(api: Api) {
    let mut transcript = Transcript::new(&api);
    let customer = api.customer();
    transcript.get("no orders", &customer, "/api/orders").await;
    customer.post("/api/orders", full_order()).await.data(201);
    let (_, path) = api.order().await;
    for (title, path) in [
        ("all", "/api/orders"),
        ("a page", "/api/orders?limit=1"),
        ("of a status", "/api/orders?status=delivered"),
        ("of no status", "/api/orders?status=lost"),
        ("a page that is too long", "/api/orders?limit=101"),
        ("by an unknown parameter", "/api/orders?sort=price"),
        ("one", path.as_str()),
        ("one that is not there", NOWHERE),
        ("by no id", "/api/orders/a%20b"),
    ] {
        transcript.get(title, &customer, path).await;
    }
    let stranger = api.user(Role::Customer, "c2");
    transcript
        .get("one of another user", &stranger, &path)
        .await;
    transcript.check("orders_read");
}

async fn orders_that_are_moved(api: Api) {
    let mut transcript = Transcript::new(&api);
    let (_, path) = api.order().await;
    let status = format!("{path}/status");
    let confirmed = json!({ "status": "confirmed" });
    let seen = |version| api.admin().with("if-match", version);
    for (title, who, body) in [
        (
            "by a role that never may",
            api.customer(),
            confirmed.clone(),
        ),
        ("over a version", seen("\"2\""), confirmed.clone()),
        ("over a malformed version", seen("2"), confirmed.clone()),
        ("over a weak version", seen("W/\"2\""), confirmed.clone()),
        ("by an admin", seen("\"1\""), confirmed.clone()),
        (
            "to where it cannot go",
            api.admin(),
            json!({ "status": "delivered" }),
        ),
        ("to nowhere", api.admin(), json!({ "status": "lost" })),
        (
            "with more",
            api.admin(),
            json!({ "status": "ready", "force": true }),
        ),
        (
            "by a stranger",
            api.user(Role::Tailor, "t9"),
            confirmed.clone(),
        ),
    ] {
        transcript.json(title, &who, ("PUT", &status), &body).await;
    }
    transcript
        .json(
            "one that is not there",
            &api.admin(),
            ("PUT", &format!("{NOWHERE}/status")),
            &confirmed,
        )
        .await;
    transcript.check("orders_moved");
}

async fn orders_that_are_assigned(api: Api) {
    let mut transcript = Transcript::new(&api);
    let (_, path) = api.order().await;
    let assign = format!("{path}/assign");
    let both = json!({ "tailor": "t1", "deliveryPartner": "d1" });
    let seen = |version| api.admin().with("if-match", version);
    for (title, who, body) in [
        ("by a customer", api.customer(), both.clone()),
        ("over a version", seen("\"2\""), both.clone()),
        ("to a tailor and a courier", seen("\"1\""), both.clone()),
        ("again to the same", api.admin(), both.clone()),
        ("to nobody", api.admin(), json!({ "deliveryPartner": null })),
        ("to no seat", api.admin(), json!({})),
        (
            "to no user",
            api.admin(),
            json!({ "tailor": { "$ne": null } }),
        ),
    ] {
        transcript.json(title, &who, ("PUT", &assign), &body).await;
    }
    let nowhere = format!("{NOWHERE}/assign");
    transcript
        .json(
            "one that is not there",
            &api.admin(),
            ("PUT", &nowhere),
            &both,
        )
        .await;
    let cancelled = json!({ "status": "cancelled" });
    api.admin()
        .put(&format!("{path}/status"), cancelled)
        .await
        .data(200);
    transcript
        .json(
            "one that is cancelled",
            &api.admin(),
            ("PUT", &assign),
            &both,
        )
        .await;
    transcript.check("orders_assigned");
}
