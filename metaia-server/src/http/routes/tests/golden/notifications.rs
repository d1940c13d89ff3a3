//! `/api/notifications`, `/api/tailors` and `/api/realtime/emit`

use super::*;

on_both_stores!(
    Api: notifications,
    a_tailors_status,
    emitted_events,
);

const NOTIFY: (&str, &str) = ("POST", "/api/notifications");
const STATUS: (&str, &str) = ("PUT", "/api/tailors/me/status");
const EMIT: (&str, &str) = ("POST", "/api/realtime/emit");

fn notice() -> Value {
    json!({ "user": "c1", "type": "system", "title": "Hello", "message": "A \"test\"" })
}

async fn notifications(api: Api) {
    let mut transcript = Transcript::new(&api);
    let customer = api.customer();
    let mut about = notice();
    about["relatedOrder"] = json!("o1");
    let mut faulty = notice();
    faulty["title"] = json!("");
    let keyed = api.admin().with("idempotency-key", "k-1");
    let made = transcript
        .json("made by a backend", &api.backend(), NOTIFY, &notice())
        .await;
    for (title, who, body) in [
        ("made about an order, under a key", &keyed, &about),
        ("made again under the key", &keyed, &about),
        ("another one under the key", &keyed, &notice()),
        ("made by a customer", &customer, &notice()),
        ("made without a title", &keyed, &faulty),
        (
            "made of no type",
            &keyed,
            &json!({ "user": "c1", "type": "advert" }),
        ),
    ] {
        transcript.json(title, who, NOTIFY, body).await;
    }
    let id = made["notification"]["_id"].as_str().unwrap();
    let read = format!("/api/notifications/{id}/read");
    for (title, path) in [
        ("all", "/api/notifications"),
        ("a page", "/api/notifications?limit=1"),
        (
            "unread, since a time",
            "/api/notifications?unread=true&since=2999-01-01T00:00:00Z",
        ),
        ("since no time", "/api/notifications?since=yesterday"),
    ] {
        transcript.get(title, &customer, path).await;
    }
    transcript
        .get("of a backend", &api.backend(), NOTIFY.1)
        .await;
    let under_key = customer.clone().with("idempotency-key", "k-1");
    let other = "/api/notifications/000000000000000000000000/read".to_owned();
    for (title, who, path) in [
        ("read by another user", api.admin(), read.as_str()),
        ("read", customer.clone(), &read),
        ("read again", customer.clone(), &read),
        ("read under a key", under_key.clone(), &read),
        ("another one read under the key", under_key, &other),
        ("all read", customer.clone(), "/api/notifications/read-all"),
        (
            "all read by a backend",
            api.backend(),
            "/api/notifications/read-all",
        ),
    ] {
        transcript
            .send(title, &who, ("PUT", path), Vec::new())
            .await;
    }
    transcript.check("notifications");
}

async fn a_tailors_status(api: Api) {
    let mut transcript = Transcript::new(&api);
    let tailor = api.user(Role::Tailor, "t1");
    let busy = json!({ "status": "busy" });
    for (title, who, body) in [
        ("of a tailor", &tailor, &busy),
        ("of a customer", &api.customer(), &busy),
        (
            "that does not exist",
            &tailor,
            &json!({ "status": "asleep" }),
        ),
    ] {
        transcript.json(title, who, STATUS, body).await;
    }
    transcript.check("tailors");
}

async fn emitted_events(api: Api) {
    let mut transcript = Transcript::new(&api);
    let event = json!({ "to": { "role": "tailor" }, "event": "fabric:low", "data": { "n": 1.50 } });
    let volatile = json!({ "to": "everyone", "event": "tick", "data": 7, "volatile": true });
    let keyed = api.admin().with("idempotency-key", "k-1");
    let place = json!({
        "to": "everyone",
        "event": "courier_at",
        "data": { "at": [12.97, 77.59] },
        "volatile": true,
        "key": "courier d1",
    });
    let keyed_volatile = api.admin().with("idempotency-key", "k-2");
    for (title, who, body) in [
        ("by a backend", &api.backend(), &event),
        ("under a key", &keyed, &event),
        ("again under the key", &keyed, &event),
        ("another one under the key", &keyed, &volatile),
        ("volatile", &api.admin(), &volatile),
        ("volatile, with a conflation key", &api.admin(), &place),
        ("volatile, under a key", &keyed_volatile, &volatile),
        ("volatile, again under the key", &keyed_volatile, &volatile),
        ("by a customer", &api.customer(), &event),
    ] {
        transcript.json(title, who, EMIT, body).await;
    }
    for (title, member, value) in [
        ("of a reserved name", "event", json!("rt:ready")),
        ("that is no object", "data", json!([1])),
        ("with a key, but not volatile", "key", json!("courier d1")),
        ("to nobody", "to", json!({})),
        ("too large", "data", json!({ "t": "x".repeat(65_500) })),
    ] {
        let mut body = event.clone();
        body[member] = value;
        // Close to the limit of a body, which is checked first.
        transcript.json(title, &api.admin(), EMIT, &body).await;
    }
    transcript.check("emitted");
}
