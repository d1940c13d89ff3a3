//! Pages and filters of lists.

use super::*;

on_both_stores!(
    Api: pages_hold_everything_once_newest_first,
    a_page_that_cannot_be_is_refused,
    payments_are_listed_for_admins_alone,
    lists_are_filtered,
);

async fn pages(who: &As<'_>, path: &str, list: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = who.get(&format!("{path}?limit=2{cursor}")).await.data(200);
        found.extend(
            page[list]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["_id"].clone()),
        );
        let Some(next) = page["nextCursor"].as_str() else {
            return found;
        };
        cursor = format!("&cursor={next}");
    }
}

async fn pages_hold_everything_once_newest_first(api: Api) {
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.insert(0, api.order().await.0["_id"].clone());
    }
    assert_eq!(
        pages(&api.customer(), "/api/orders", "orders").await,
        placed
    );
    assert_eq!(pages(&api.admin(), "/api/orders", "orders").await, placed);
    assert_eq!(
        pages(&api.customer(), "/api/notifications", "notifications")
            .await
            .len(),
        5
    );
    assert!(
        pages(&api.user(Role::Tailor, "t1"), "/api/orders", "orders")
            .await
            .is_empty()
    );
}

async fn a_page_that_cannot_be_is_refused(api: Api) {
    for path in ["/api/orders", "/api/notifications", "/api/payments"] {
        for (query, pointer) in [
            ("limit=0", "/limit"),
            ("limit=101", "/limit"),
            ("limit=-1", "/limit"),
            ("limit=9999999", "/limit"),
            ("cursor=banana", "/cursor"),
            (
                "cursor=1ffffffffffffffff000000000000000000000000",
                "/cursor",
            ),
            ("page=2", "/page"),
            ("limit[$gt]=1", "/limit[$gt]"),
        ] {
            api.customer()
                .get(&format!("{path}?{query}"))
                .await
                .refused_at(pointer);
        }
    }
    api.customer()
        .get("/api/orders?status=lost")
        .await
        .refused_at("/status");
    api.customer()
        .get("/api/notifications?since=yesterday")
        .await
        .refused_at("/since");
    api.customer()
        .get("/api/notifications?unread=maybe")
        .await
        .refused_at("/unread");
}

async fn payments_are_listed_for_admins_alone(api: Api) {
    let mut opened = Vec::new();
    for _ in 0..5 {
        opened.insert(0, payments::opened(&api).await["_id"].clone());
    }
    assert_eq!(
        pages(&api.admin(), "/api/payments", "payments").await,
        opened
    );
    let flagged = api
        .admin()
        .get("/api/payments?flagged=true")
        .await
        .data(200);
    assert_eq!(flagged, json!({ "payments": [], "nextCursor": null }));
    for role in [Role::Customer, Role::Tailor, Role::Delivery] {
        api.user(role, "c1")
            .get("/api/payments")
            .await
            .refused(403, "forbidden");
    }
    api.admin()
        .get("/api/payments?flagged=maybe")
        .await
        .refused_at("/flagged");
}

async fn lists_are_filtered(api: Api) {
    let (_, first) = api.order().await;
    api.order().await;
    api.admin()
        .put(&format!("{first}/status"), json!({ "status": "confirmed" }))
        .await
        .data(200);
    let orders = api
        .customer()
        .get("/api/orders?status=confirmed")
        .await
        .data(200);
    assert_eq!(orders["orders"].as_array().unwrap().len(), 1);
    let list = |query: &'static str| {
        let customer = api.customer();
        async move {
            customer
                .get(&format!("/api/notifications?{query}"))
                .await
                .data(200)
        }
    };
    let all = list("").await;
    assert_eq!(
        (
            all["notifications"].as_array().unwrap().len(),
            &all["unreadCount"]
        ),
        (3, &json!(3))
    );
    assert_eq!(
        list("since=2999-01-01T00:00:00Z").await["notifications"],
        json!([])
    );
    assert_eq!(
        list("since=2020-01-01T00:00:00%2B05:30").await["notifications"],
        all["notifications"]
    );
    let path = format!(
        "/api/notifications/{}/read",
        all["notifications"][0]["_id"].as_str().unwrap()
    );
    api.customer().put(&path, json!({})).await.data(200);
    let unread = list("unread=true").await;
    assert_eq!(
        (
            unread["notifications"].as_array().unwrap().len(),
            &unread["unreadCount"]
        ),
        (2, &json!(2))
    );
    assert_eq!(
        list("unread=false").await["notifications"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}
