//! Every input gets a success or a refusal with a reason, never a failure of the server.

use proptest::{collection::vec, prelude::*, sample::select, test_runner::TestRunner};

use super::{payments::deliver, *};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "(\\PC{0,12}|everyone|c1|pending|order_0_90000|[\u{0}-\u{1f}]{1,3})".prop_map(Value::from),
    ];
    let member =
        "(items|price|status|tailor|user|to|data|event|payload|entity|\\$ne|__proto__|[a-z]{1,6})";
    leaf.prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((member, inner), 0..4).prop_map(|members| members.into_iter().collect::<Value>()),
        ]
    })
}

/// Returns a valid body of each route.
fn bodies() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("POST", "/api/orders", order()),
        (
            "PUT",
            "/api/orders/{id}/status",
            json!({ "status": "confirmed" }),
        ),
        ("PUT", "/api/orders/{id}/assign", json!({ "tailor": "t1" })),
        (
            "POST",
            "/api/notifications",
            json!({ "user": "c1", "type": "system", "title": "t", "message": "m" }),
        ),
        (
            "POST",
            "/api/payments/verify",
            json!({
                "razorpay_order_id": "a", "razorpay_payment_id": "pay_b", "razorpay_signature": "c",
            }),
        ),
        ("PUT", "/api/tailors/me/status", json!({ "status": "busy" })),
        (
            "POST",
            "/api/realtime/emit",
            json!({ "to": "everyone", "event": "x", "data": {} }),
        ),
    ]
}

/// Replaces one member of a valid body, at any depth.
fn spoil(body: &mut Value, path: &[usize], junk: Value) {
    let mut place = body;
    for step in path {
        let children = place
            .as_array()
            .map(Vec::len)
            .or(place.as_object().map(serde_json::Map::len));
        let Some(step) = children
            .filter(|count| *count > 0)
            .map(|count| step % count)
        else {
            break;
        };
        place = match place {
            Value::Array(items) => &mut items[step],
            Value::Object(members) => members.values_mut().nth(step).unwrap(),
            _ => unreachable!("has children"),
        };
    }
    *place = junk;
}

/// Tries random cases: fewer on MongoDB, where a world takes longer to make.
fn with_apis<S: Strategy>(cases: &S, on: On, ask: impl AsyncFn(&Api, S::Value)) {
    let count = if matches!(on, On::Embedded) { 48 } else { 6 };
    let run = |case| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async { ask(&Api::new(on).await, case).await });
        Ok(())
    };
    TestRunner::new(ProptestConfig::with_cases(count))
        .run(cases, run)
        .unwrap();
}

async fn ask_as_every_caller(api: &Api, method: &str, path: &str, body: &Value) {
    let (_, order) = api.order().await;
    let path = path.replace("/api/orders/{id}", &order);
    let tailor = api.user(Role::Tailor, "t1");
    for who in [
        api.admin(),
        api.customer(),
        tailor,
        api.backend(),
        api.nobody(),
    ] {
        let reply = who.send(method, &path, body.to_string().into_bytes()).await;
        assert!(
            reply.status.as_u16() < 500,
            "{method} {path} {body}: {reply:?}"
        );
        assert!(
            reply.body["data"].is_object() || reply.body["code"].is_string(),
            "{reply:?}"
        );
    }
}

fn spoilt_bodies_are_refused_and_never_break_the_server(on: On) {
    let cases = (select(bodies()), vec(0usize..6, 0..4), any_json());
    with_apis(
        &cases,
        on,
        async |api, ((method, address, mut body), path, junk)| {
            spoil(&mut body, &path, junk);
            ask_as_every_caller(api, method, address, &body).await;
        },
    );
}

fn genuine_deliveries_of_any_shape_never_break_the_server(on: On) {
    with_apis(&(any_json(), any_json()), on, async |api, (junk, deep)| {
        let nested =
            json!({ "event": "payment.captured", "payload": { "payment": { "entity": deep } } });
        for (id, body) in [("evt_1", &junk), ("evt_2", &nested)] {
            let reply = deliver(api, id, &body.to_string()).await;
            assert!(
                [200, 400].contains(&reply.status.as_u16()),
                "{body}: {reply:?}"
            );
        }
    });
}

fn any_query_is_a_page_or_a_refusal(on: On) {
    let queries = "[a-z]{0,8}=[!-~]{0,20}(&(limit|cursor|since|unread|status)=[!-~]{0,45})?";
    with_apis(&queries, on, async |api, query: String| {
        let query = query.replace(['#', '"', '<', '>', '\\', '^', '`', '{', '}', '|'], "");
        for path in ["/api/orders", "/api/notifications"] {
            let reply = api.customer().get(&format!("{path}?{query}")).await;
            assert!(
                [200, 422].contains(&reply.status.as_u16()),
                "{query}: {reply:?}"
            );
        }
    });
}

/// Makes two tests of each function: one per kind of store.
macro_rules! on_both {
    ($($name:ident),+) => {
        mod embedded {
            $(#[test] fn $name() { super::$name(super::On::Embedded); })+
        }
        mod mongodb {
            $(#[test] fn $name() { super::$name(super::On::MongoDb); })+
        }
    };
}
on_both!(
    spoilt_bodies_are_refused_and_never_break_the_server,
    genuine_deliveries_of_any_shape_never_break_the_server,
    any_query_is_a_page_or_a_refusal
);
