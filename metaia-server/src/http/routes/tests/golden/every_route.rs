//! The refusals that every route shares: before its handler runs, and while the store is away.

use super::{
    super::{
        others::served_routes,
        payments::{event, signed},
    },
    schema::fits,
    *,
};

const ID: &str = "000000000000000000000000";

/// Returns a request to each route but the webhook: with the role that may send it, and its body.
fn requests() -> Vec<(&'static str, String, Role, Option<Value>)> {
    use Role::{Admin, Customer, Tailor};
    let step = json!({ "status": "confirmed" });
    let seat = json!({ "tailor": "t1" });
    let notice = json!({ "user": "c1", "type": "system", "title": "t", "message": "m" });
    let event = json!({ "to": "everyone", "event": "x", "data": {} });
    let checkout = json!({
        "razorpay_order_id": "a", "razorpay_payment_id": "pay_b", "razorpay_signature": "c",
    });
    let session = "0".repeat(32);
    vec![
        ("POST", "/api/orders".into(), Customer, Some(order())),
        ("GET", "/api/orders".into(), Customer, None),
        ("GET", format!("/api/orders/{ID}"), Customer, None),
        ("PUT", format!("/api/orders/{ID}/status"), Admin, Some(step)),
        ("PUT", format!("/api/orders/{ID}/assign"), Admin, Some(seat)),
        ("GET", "/api/notifications".into(), Customer, None),
        ("POST", "/api/notifications".into(), Admin, Some(notice)),
        (
            "PUT",
            format!("/api/notifications/{ID}/read"),
            Customer,
            None,
        ),
        ("PUT", "/api/notifications/read-all".into(), Customer, None),
        ("GET", "/api/payments".into(), Admin, None),
        ("POST", format!("/api/payments/orders/{ID}"), Customer, None),
        (
            "POST",
            "/api/payments/verify".into(),
            Customer,
            Some(checkout),
        ),
        (
            "PUT",
            "/api/tailors/me/status".into(),
            Tailor,
            Some(json!({ "status": "busy" })),
        ),
        ("POST", "/api/realtime/emit".into(), Admin, Some(event)),
        (
            "POST",
            "/api/realtime/revoke".into(),
            Admin,
            Some(json!({ "jti": "t" })),
        ),
        ("GET", "/api/realtime/sessions".into(), Admin, None),
        (
            "DELETE",
            format!("/api/realtime/sessions/{session}"),
            Admin,
            None,
        ),
        ("GET", "/api/realtime/rooms".into(), Admin, None),
        ("GET", "/api/realtime/presence?user=c1".into(), Admin, None),
        ("GET", "/api/realtime/stats".into(), Admin, None),
        ("GET", "/api/realtime/refusals".into(), Admin, None),
    ]
}

/// The provider calls this route, and no user: the tests send its requests themselves.
const WEBHOOK: &str = "post /api/payments/webhook";

#[tokio::test]
async fn there_is_one_request_to_each_route() {
    let requests = requests();
    let mut served = served_routes().await;
    assert!(served.remove(WEBHOOK));
    for route in &served {
        let (method, template) = route.split_once(' ').unwrap();
        let is_to_it = |path: &str| fits(template, path.split('?').next().unwrap());
        let count = requests
            .iter()
            .filter(|(used, path, ..)| used.eq_ignore_ascii_case(method) && is_to_it(path))
            .count();
        assert_eq!(count, 1, "requests to {route}");
    }
    assert_eq!(requests.len(), served.len());
}

fn bytes_of(body: Option<&Value>) -> Vec<u8> {
    body.map(|body| body.to_string().into_bytes())
        .unwrap_or_default()
}

#[tokio::test]
async fn refusals_before_the_handler() {
    let api = Api::new(On::Embedded).await;
    let mut transcript = Transcript::new(&api);
    for (method, path, role, body) in requests() {
        let route = (method, path.as_str());
        let body = bytes_of(body.as_ref());
        let has_body = !body.is_empty();
        let stranger = api.nobody().with("authorization", "Bearer nonsense");
        transcript
            .send("no token", &stranger, route, body.clone())
            .await;
        if !has_body {
            continue;
        }
        let user = api.user(role, "u1");
        transcript
            .send("no JSON", &user, route, b"{".to_vec())
            .await;
        let text = user.clone().with("content-type", "text/plain");
        transcript.send("no JSON type", &text, route, body).await;
        let large = vec![b' '; 65 * 1024];
        transcript.send("too large", &user, route, large).await;
    }
    let large = vec![b' '; 65 * 1024];
    let route = ("POST", "/api/payments/webhook");
    transcript
        .send("too large", &api.nobody(), route, large)
        .await;
    transcript
        .get("no route", &api.nobody(), "/api/nothing")
        .await;
    let route = ("PATCH", "/api/orders");
    transcript
        .send("no method", &api.nobody(), route, Vec::new())
        .await;
    transcript.check("refused_before_the_handler");
}

#[tokio::test]
async fn refusals_of_the_rate() {
    let api = Api::with_rate(World::new(On::Embedded).await, NonZeroU32::MIN);
    let mut transcript = Transcript::new(&api);
    for (n, (method, path, _, body)) in requests().into_iter().enumerate() {
        let route = (method, path.as_str());
        let body = bytes_of(body.as_ref());
        let user = api.user(Role::Customer, &format!("u{n}"));
        // The burst is two requests.
        for _ in 0..2 {
            transcript.ask(&user, route, body.clone()).await;
        }
        transcript.send("too many", &user, route, body).await;
    }
    transcript.check("refused_by_the_rate");
}

#[tokio::test]
async fn failures_of_a_store_that_is_closed() {
    let api = Api::new(On::Embedded).await;
    let mut transcript = Transcript::new(&api);
    api.world.store.close().await;
    for (method, path, role, body) in requests() {
        let writes = path.ends_with("emit") || path.ends_with("revoke");
        if path.starts_with("/api/realtime/") && !writes {
            continue;
        }
        let user = api.user(role, "u1");
        let route = (method, path.as_str());
        transcript
            .send("no store", &user, route, bytes_of(body.as_ref()))
            .await;
    }
    let body = event("payment.captured", &json!({ "razorpayOrderId": "o" }), 1);
    let route = ("POST", "/api/payments/webhook");
    transcript
        .send("no store", &signed(&api, "e", &body), route, body.into())
        .await;
    transcript.check("no_store");
}
