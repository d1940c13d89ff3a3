//! The same request in other forms: a slash at the end of the path, numbers with fractions and
//! exponents, lists of versions, and queries with parameters that say nothing.

use super::*;

on_both_stores!(
    Api: a_slash_at_the_end_is_the_same_route,
    a_whole_number_is_one_in_every_form,
    a_number_that_is_not_whole_is_never_rounded,
    a_retry_in_another_form_is_the_same_request,
    any_version_of_a_list_may_be_the_current_one,
    a_query_that_says_nothing_is_ignored,
);

async fn a_slash_at_the_end_is_the_same_route(api: Api) {
    let placed = api.customer().post("/api/orders/", order()).await.data(201);
    let id = placed["order"]["_id"].as_str().unwrap();
    let list = api.customer().get("/api/orders/?limit=1").await.data(200);
    assert_eq!(list["orders"][0], placed["order"]);
    let path = format!("/api/orders/{id}/");
    let one = api.customer().get(&path).await.data(200);
    assert_eq!(one["order"], placed["order"]);
    let status = json!({ "status": "confirmed" });
    api.admin()
        .put(&format!("{path}status/"), status)
        .await
        .data(200);
    let read_all = "/api/notifications/read-all/";
    api.customer().put(read_all, json!({})).await.data(200);
    api.admin().get("/api/realtime/stats/").await.data(200);
    let nobody = api.nobody().get(&path).await;
    nobody.refused(401, "unauthorized");
    for missing in ["/api/orders//", "/api//orders", "/api/nothing/"] {
        assert_eq!(api.admin().get(missing).await.status, 404, "{missing}");
    }
}

/// Returns the body of a new order with its numbers written like this.
fn order_of(quantity: &str, price: &str) -> Vec<u8> {
    let item = format!(r#"{{"garment":"shirt","quantity":{quantity},"price":{price}}}"#);
    format!(r#"{{"items":[{item}]}}"#).into_bytes()
}

async fn a_whole_number_is_one_in_every_form(api: Api) {
    for (quantity, price) in [
        ("2", "49900"),
        ("2.0", "49900.0"),
        ("2e0", "4.99e4"),
        ("0.2E1", "499000e-1"),
    ] {
        let body = order_of(quantity, price);
        let placed = api.customer().send("POST", "/api/orders", body).await;
        let order = &placed.data(201)["order"];
        assert_eq!(order["items"][0]["quantity"].to_string(), "2");
        assert_eq!(order["items"][0]["price"].to_string(), "49900");
        assert_eq!(order["amount"].to_string(), "99800");
    }
}

async fn a_number_that_is_not_whole_is_never_rounded(api: Api) {
    for price in [
        "1.5",
        "1e400",
        "4503599627370497.3",
        "\"1\"",
        "1e-1",
        "true",
        "null",
    ] {
        let body = order_of("1", price);
        let refused = api.customer().send("POST", "/api/orders", body).await;
        refused.refused_at("/items/0/price");
    }
    for quantity in ["0.1", "1.0000000000000000000001", "4294967296.0", "-1.0"] {
        let body = order_of(quantity, "1");
        let refused = api.customer().send("POST", "/api/orders", body).await;
        refused.refused_at("/items/0/quantity");
    }
    assert_eq!(api.world.head().await, 0);
}

async fn a_retry_in_another_form_is_the_same_request(api: Api) {
    let keyed = api.customer().with("idempotency-key", "k-1");
    let first = keyed
        .send("POST", "/api/orders", order_of("2", "45000"))
        .await;
    let again = keyed
        .send("POST", "/api/orders/", order_of("2.0", "4.5e4"))
        .await;
    assert_eq!(again.data(201), first.data(201));
    assert_eq!(again.header("idempotency-replayed"), "true");
}

async fn any_version_of_a_list_may_be_the_current_one(api: Api) {
    let (_, path) = api.order().await;
    let status = format!("{path}/status");
    let seen = |tags: &str| api.admin().with("if-match", tags);
    let confirmed = json!({ "status": "confirmed" });
    for tags in ["\"2\", \"3\"", "W/\"2\"", "\"abc\"", "\"1\u{20}\""] {
        let refused = seen(tags).put(&status, confirmed.clone()).await;
        refused.refused(412, "precondition_failed");
    }
    let malformed = seen("\"1\", 2").put(&status, confirmed.clone()).await;
    malformed.refused(400, "invalid_if_match");
    seen("\"9\", W/\"1\"")
        .put(&status, confirmed)
        .await
        .data(200);
    let assign = json!({ "tailor": "t1" });
    seen("W/\"2\"")
        .put(&format!("{path}/assign"), assign)
        .await
        .data(200);
}

async fn a_query_that_says_nothing_is_ignored(api: Api) {
    api.order().await;
    for query in [
        "_=1764444444444",
        "status=&limit=null&cursor=",
        "limit=1.0&_=",
        "status=pending&limit=1e0",
        "sort=&filter=null",
    ] {
        let list = api.customer().get(&format!("/api/orders?{query}")).await;
        assert_eq!(
            list.data(200)["orders"].as_array().unwrap().len(),
            1,
            "{query}"
        );
    }
    let quiet = "/api/notifications?unread=&since=null&_=1";
    api.customer().get(quiet).await.data(200);
    for (query, pointer) in [
        ("sort=a", "/sort"),
        ("__=1", "/__"),
        ("status=lost", "/status"),
        ("limit=1.5", "/limit"),
    ] {
        let refused = api.customer().get(&format!("/api/orders?{query}")).await;
        refused.refused_at(pointer);
    }
    let nobody = api.admin().get("/api/realtime/presence?user=").await;
    nobody.refused_at("/user");
}
