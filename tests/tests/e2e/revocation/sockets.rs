//! One node: every state that a session can be in, each way to connect, and a restart.

use metaia_tests::clients::phone::{Event, Phone};
use metaia_tests::clients::way::{Reached, Way};
use metaia_tests::fixtures::token::in_seconds;
use metaia_tests::fixtures::{emit, names, raise_fence, up_to_fence};
use metaia_tests::server::Server;
use serde_json::{Value, json};

use super::{issued, orders_by, revoke, token_issued, token_with};

/// Checks the last event of a session, and that its transport was closed.
async fn assert_revoked(what: &str, phone: &mut Phone) -> Vec<Event> {
    let events = phone.closed().await;
    let last = events
        .last()
        .map(|event| (event.name.as_str(), event.data.clone()));
    let expected = ("rt:end", json!({"code": "token_revoked"}));
    assert_eq!(last, Some(expected), "{what}: {:?}", names(&events));
    events
}

async fn code_of_connect(server: &Reached<&Server>, token: &str) -> Result<(), String> {
    let mut phone = Phone::open(server).await;
    phone.connect(&json!({"token": token})).await
}

#[tokio::test]
async fn sessions_of_a_user_end_and_the_tokens_are_refused_everywhere() {
    let server = Server::start().await;
    let old = token_with("customer", "c1", "t1");
    let new = token_issued("customer", "c1", "t2", &json!(issued() + 60));
    let mut phones = Vec::new();
    for way in Way::ALL {
        let reached = Reached::by(way, &server);
        let revoked = Phone::ready_with(&reached, &json!({"token": old})).await;
        let later = Phone::ready_with(&reached, &json!({"token": new})).await;
        let other = Phone::ready_as(&reached, "customer", "c2").await;
        phones.push((way, revoked, [later, other]));
    }
    let body = json!({"user": "c1", "issuedBefore": issued()});
    assert_eq!(revoke(&server.admin(), &body).await, body);
    for (way, mut revoked, others) in phones {
        assert_revoked(&format!("{way:?}"), &mut revoked).await;
        for mut other in others {
            raise_fence(&server).await;
            let events = up_to_fence(&mut other).await;
            assert!(!names(&events).contains(&"rt:end"), "{way:?}");
        }
        let reached = Reached::by(way, &server);
        let refused = code_of_connect(&reached, &old).await;
        assert_eq!(refused, Err("token_revoked".to_owned()), "{way:?}");
        code_of_connect(&reached, &new)
            .await
            .expect("a later token");
    }
    orders_by(&server.anonymous(), &old)
        .await
        .refused_as(401, "token_revoked");
    orders_by(&server.anonymous(), &new).await.ok(200);
}

/// A revocation until now is not of it, so that it must not be used yet.
#[tokio::test]
async fn a_token_from_the_future_is_refused_whether_its_user_is_revoked_or_not() {
    let server = Server::start().await;
    let ahead = [8, 3_600].map(|ahead| json!(in_seconds(ahead)));
    let from_the_future = ahead.map(|iat| token_issued("customer", "c1", "t1", &iat));
    let now = token_issued("customer", "c1", "t2", &json!(in_seconds(0)));
    let mut phone = Phone::ready_with(&server, &json!({"token": now})).await;
    for token in &from_the_future {
        let answer = phone.call("rt:refresh", &json!({"token": token})).await;
        assert_eq!(answer["code"], "unauthorized", "{answer}");
    }
    for is_revoked in [false, true] {
        for way in Way::ALL {
            let reached = Reached::by(way, &server);
            for token in &from_the_future {
                let refused = code_of_connect(&reached, token).await;
                assert_eq!(refused, Err("unauthorized".to_owned()), "{way:?}");
            }
        }
        for token in &from_the_future {
            orders_by(&server.anonymous(), token)
                .await
                .refused_as(401, "unauthorized");
        }
        if !is_revoked {
            revoke(&server.admin(), &json!({"user": "c1"})).await;
            assert_revoked("a token of now", &mut phone).await;
        }
    }
}

#[tokio::test]
async fn a_revoked_token_in_the_header_is_refused() {
    let server = Server::start().await;
    let token = token_with("customer", "c1", "t1");
    revoke(&server.admin(), &json!({"jti": "t1"})).await;
    let header = format!("Bearer {token}");
    let opened = Phone::open_with(&server, &[("authorization", &header)]).await;
    let refused = opened.expect("a handshake").connect(&json!({})).await;
    assert_eq!(refused, Err("token_revoked".to_owned()));
}

#[tokio::test]
async fn a_revocation_of_a_token_ends_the_sessions_of_that_token() {
    let server = Server::start().await;
    let [first, second] = ["t1", "t2"].map(|jti| token_with("customer", "c1", jti));
    let mut revoked = Phone::ready_with(&server, &json!({"token": first})).await;
    let mut tab = Phone::ready_with(&server, &json!({"token": first, "device": "d"})).await;
    let mut other = Phone::ready_with(&server, &json!({"token": second})).await;
    revoke(&server.admin(), &json!({"jti": "t1"})).await;
    assert_revoked("the phone", &mut revoked).await;
    assert_revoked("the other tab", &mut tab).await;
    raise_fence(&server).await;
    up_to_fence(&mut other).await;
    orders_by(&server.anonymous(), &first)
        .await
        .refused_as(401, "token_revoked");
    orders_by(&server.anonymous(), &second).await.ok(200);
}

/// In `hold`, catching up, and while it joins the rooms of orders.
#[tokio::test]
async fn a_session_that_is_not_live_ends_too() {
    let server = Server::start().await;
    for way in Way::ALL {
        let reached = Reached::by(way, &server);
        let user = format!("u{way:?}");
        let first = emit(&server, &json!({"user": user}), "load", &json!({"n": 0})).await;
        for n in 1..=300 {
            emit(&server, &json!({"user": user}), "load", &json!({"n": n})).await;
        }
        let token = token_with("customer", &user, "t1");
        let hold = json!({"token": token, "hold": true});
        let resume = json!({"token": token, "since": first["at"]});
        let joins = json!({"token": token, "orders": ["o1", "o2"]});
        let mut phones = Vec::new();
        for auth in [hold, resume, joins] {
            phones.push((auth.clone(), Phone::connected(&reached, &auth).await));
        }
        revoke(&server.admin(), &json!({"user": user})).await;
        for (auth, mut phone) in phones {
            assert_revoked(&format!("{way:?} {auth}"), &mut phone).await;
        }
    }
}

#[tokio::test]
async fn a_session_is_judged_by_the_token_that_it_was_refreshed_with() {
    let server = Server::start().await;
    let [old, revoked, new] = ["t1", "t2", "t3"].map(|jti| token_with("customer", "c1", jti));
    let mut phone = Phone::ready_with(&server, &json!({"token": old})).await;
    revoke(&server.admin(), &json!({"jti": "t2"})).await;
    let refused = phone.call("rt:refresh", &json!({"token": revoked})).await;
    assert_eq!(refused, json!({"status": "error", "code": "token_revoked"}));
    let answer = phone.call("rt:refresh", &json!({"token": new})).await;
    assert_eq!(answer["status"], "ok");
    // The token that it had does not matter any more.
    revoke(&server.admin(), &json!({"jti": "t1"})).await;
    raise_fence(&server).await;
    up_to_fence(&mut phone).await;
    revoke(&server.admin(), &json!({"jti": "t3"})).await;
    assert_revoked("the phone", &mut phone).await;
    let refusals = server.admin().get("/api/realtime/refusals").await.data(200);
    let refusals = refusals["refusals"].as_array().cloned().unwrap_or_default();
    let refresh = refusals.iter().find(|it| it["event"] == "rt:refresh");
    assert_eq!(refresh.map(|it| &it["code"]), Some(&json!("token_revoked")));
}

#[tokio::test]
async fn nothing_is_received_after_a_revocation() {
    let server = Server::start().await;
    let token = token_with("customer", "c1", "t1");
    let mut phone = Phone::ready_with(&server, &json!({"token": token})).await;
    revoke(&server.admin(), &json!({"user": "c1"})).await;
    emit(&server, &json!({"user": "c1"}), "secret", &json!({})).await;
    let events = assert_revoked("the phone", &mut phone).await;
    assert!(!names(&events).contains(&"secret"), "{events:?}");
}

#[tokio::test]
async fn a_revocation_survives_a_restart_and_a_kill() {
    let server = metaia_tests::server::Setup::new().start().await;
    let of_user = token_with("customer", "c1", "t1");
    let of_token = token_with("customer", "c2", "t2");
    let good = token_with("customer", "c3", "t3");
    revoke(&server.admin(), &json!({"user": "c1"})).await;
    let server = server.stop().await.start().await;
    orders_by(&server.anonymous(), &of_user)
        .await
        .refused_as(401, "token_revoked");
    revoke(&server.admin(), &json!({"jti": "t2"})).await;
    let server = server.kill().await.start().await;
    for token in [of_user, of_token] {
        orders_by(&server.anonymous(), &token)
            .await
            .refused_as(401, "token_revoked");
        let refused = code_of_connect(&Reached::by(Way::WebSocket, &server), &token).await;
        assert_eq!(refused, Err("token_revoked".to_owned()));
    }
    orders_by(&server.anonymous(), &good).await.ok(200);
}

#[tokio::test]
async fn a_refusal_is_listed_and_counted_and_names_no_token() {
    let server = Server::start().await;
    let token = token_with("tailor", "t7", "canary-jti");
    let mut phone = Phone::ready_with(&server, &json!({"token": token})).await;
    revoke(&server.admin(), &json!({"jti": "canary-jti"})).await;
    assert_revoked("the phone", &mut phone).await;
    let refused = code_of_connect(&Reached::by(Way::WebSocket, &server), &token).await;
    assert_eq!(refused, Err("token_revoked".to_owned()));
    let listed = server.admin().get("/api/realtime/refusals").await.data(200);
    let refusal = &listed["refusals"][0];
    assert_eq!(
        [&refusal["code"], &refusal["user"], &refusal["role"]],
        ["token_revoked", "t7", "tailor"]
    );
    let stats = server.admin().get("/api/realtime/stats").await.data(200);
    let count = |pointer: &str| stats["stats"].pointer(pointer).and_then(Value::as_u64);
    assert_eq!(count("/ends/token_revoked"), Some(1));
    assert_eq!(count("/connectsRefused/token_revoked"), Some(1));
    assert_eq!(count("/revocations"), Some(1));
    assert_eq!(count("/revocationsAge"), Some(0));
    let lines = server.output_lines().join("\n");
    assert!(lines.contains("token_revoked"), "{lines}");
    assert!(
        !lines.contains("canary-jti") && !lines.contains(&token),
        "{lines}"
    );
}

#[tokio::test]
async fn an_admin_who_revokes_everyone_has_to_sign_in_again() {
    let server = Server::start().await;
    let admin = server.anonymous().bearer(&token_with("admin", "a1", "t1"));
    let mut phone = Phone::ready_with(
        &server,
        &json!({"token": token_with("customer", "c1", "t2")}),
    )
    .await;
    let body = json!({"issuedBefore": issued()});
    assert_eq!(revoke(&admin, &body).await, body);
    assert_revoked("a phone", &mut phone).await;
    let again = admin.post("/api/realtime/revoke", &body).await;
    again.refused_as(401, "token_revoked");
    let later = token_issued("admin", "a1", "t3", &json!(issued() + 1));
    revoke(&server.anonymous().bearer(&later), &body).await;
}

/// A user of whom nothing is known, what contradicts itself, and a wrong unit.
#[tokio::test]
async fn a_revocation_that_is_not_valid_is_refused_with_its_place() {
    let server = Server::start().await;
    let admin = server.admin();
    revoke(&admin, &json!({"user": "nobody"})).await;
    for (body, pointer) in [
        (json!({}), ""),
        (json!({"user": "c1", "jti": "t"}), "/user"),
        (json!({"user": ["c1"]}), "/user"),
        (json!({"user": {"$ne": null}}), "/user"),
        (json!({"user": null, "issuedBefore": 1}), "/user"),
        (json!({"jti": ""}), "/jti"),
        (json!({"jti": "x".repeat(5_000)}), "/jti"),
        (json!({"issuedBefore": issued() * 1_000}), "/issuedBefore"),
        (json!({"issuedBefore": issued() + 7_200}), "/issuedBefore"),
        (json!({"issuedBefore": -1}), "/issuedBefore"),
        (json!({"jti": "t", "expiresAt": issued()}), "/expiresAt"),
        (json!({"user": "c1", "until": 1}), "/until"),
    ] {
        let answer = admin.post("/api/realtime/revoke", &body).await;
        let problem = answer.refused(422);
        assert_eq!(
            problem["errors"][0]["pointer"], pointer,
            "{body}: {problem}"
        );
    }
    let bad = admin.try_post_text("/api/realtime/revoke", "{").await;
    bad.expect("an answer").refused_as(400, "invalid_json");
    orders_by(&server.anonymous(), &token_with("customer", "c1", "t"))
        .await
        .ok(200);
}
