//! Revoked tokens: refused by REST on every node, after a restart, and by an admin's own hand.

use metaia_realtime::revocation::Revocation;

use super::*;

on_both_stores!(
    Api: a_revoked_token_is_refused_and_a_later_one_is_not,
    a_token_from_the_future_is_refused_before_a_revocation_and_after_it,
    a_revocation_of_a_token_is_of_no_other,
    an_admin_can_revoke_everyone_and_so_themselves,
    a_repeated_request_gets_its_first_reply,
    a_revocation_that_is_not_valid_changes_nothing,
    a_revocation_survives_a_restart,
);

const REVOKE: &str = "/api/realtime/revoke";

fn token_of(claims: &Value) -> String {
    let mut all = json!({ "role": "customer", "userId": "c1", "exp": u32::MAX });
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    sign_hs256(&all, JWT_SECRET).unwrap()
}

impl Api {
    fn bearer(&self, claims: Value) -> As<'_> {
        let bearer = format!("Bearer {}", token_of(&claims));
        self.nobody().with("authorization", &bearer)
    }

    /// Returns the code with which a token of `c1` with these claims is refused; none if it is not.
    async fn code(&self, claims: Value) -> Option<String> {
        let reply = self.bearer(claims).get("/api/orders").await;
        reply.body["code"].as_str().map(str::to_owned)
    }

    async fn is_revoked(&self, claims: Value) -> bool {
        let code = self.code(claims).await;
        assert!(code.as_deref().is_none_or(|code| code == "token_revoked"));
        code.is_some()
    }
}

async fn a_revoked_token_is_refused_and_a_later_one_is_not(api: Api) {
    let body = json!({ "user": "c1", "issuedBefore": 1_000 });
    let data = api.admin().post(REVOKE, body.clone()).await.data(200);
    assert_eq!(data, json!({ "revocation": body }));
    for (claims, is_revoked) in [
        (json!({}), true),
        (json!({ "iat": null }), true),
        (json!({ "iat": "1001" }), true),
        (json!({ "iat": 0 }), true),
        (json!({ "iat": 1_000 }), true),
        (json!({ "iat": 1_000.000_9 }), true),
        (json!({ "iat": -1e300 }), true),
        (json!({ "iat": 1_000.001 }), false),
        (json!({ "iat": 1_001 }), false),
        (json!({ "iat": 1_000, "userId": "c2" }), false),
        (json!({ "iat": 1_000, "role": "tailor" }), true),
    ] {
        assert_eq!(api.is_revoked(claims.clone()).await, is_revoked, "{claims}");
    }
    let reply = api.bearer(json!({})).get("/api/orders").await;
    reply.refused(401, "token_revoked");
    assert!(reply.header("www-authenticate").contains("invalid_token"));
    // The time never goes back.
    let body = json!({ "user": "c1", "issuedBefore": 5 });
    let data = api.admin().post(REVOKE, body).await.data(200);
    assert_eq!(data["revocation"]["issuedBefore"], 1_000);
    // A user alone: everything until now.
    let before = now_s();
    let data = api
        .admin()
        .post(REVOKE, json!({ "user": "c1" }))
        .await
        .data(200);
    let stands = data["revocation"]["issuedBefore"].as_f64().unwrap();
    assert!((before..=now_s()).contains(&stands), "{data}");
    assert!(api.is_revoked(json!({ "iat": stands as u64 })).await);
    // A user of whom nothing is known.
    api.admin()
        .post(REVOKE, json!({ "user": "nobody" }))
        .await
        .data(200);
}

/// Its time would come, and a revocation until now would not be of it then.
async fn a_token_from_the_future_is_refused_before_a_revocation_and_after_it(api: Api) {
    let from_the_future = async |api: &Api| {
        let ahead = [6.5, 3_600.0, 1_796_000_000_000.0, 1e300];
        for iat in ahead.map(|ahead| now_s() + ahead) {
            let reply = api.bearer(json!({ "iat": iat })).get("/api/orders").await;
            reply.refused(401, "unauthorized");
        }
    };
    from_the_future(&api).await;
    assert_eq!(api.code(json!({ "iat": now_s() + 3.0 })).await, None);
    let until = now_s() + 4.0;
    let body = json!({ "user": "c1", "issuedBefore": until });
    api.admin().post(REVOKE, body).await.data(200);
    from_the_future(&api).await;
    assert!(api.is_revoked(json!({ "iat": until - 1.0 })).await);
}

fn now_s() -> f64 {
    crate::model::Timestamp::now().ms() as f64 / 1_000.0
}

async fn a_revocation_of_a_token_is_of_no_other(api: Api) {
    let body = json!({ "jti": "t1", "expiresAt": 4_000_000_000_u32 });
    let data = api.admin().post(REVOKE, body.clone()).await.data(200);
    assert_eq!(data, json!({ "revocation": body }));
    // For good counts from now on.
    let data = api
        .admin()
        .post(REVOKE, json!({ "jti": "t1" }))
        .await
        .data(200);
    assert_eq!(data, json!({ "revocation": { "jti": "t1" } }));
    let data = api.admin().post(REVOKE, body).await.data(200);
    assert_eq!(data, json!({ "revocation": { "jti": "t1" } }));
    api.admin()
        .post(REVOKE, json!({ "jti": "7" }))
        .await
        .data(200);
    for (claims, is_revoked) in [
        (json!({ "jti": "t1" }), true),
        (
            json!({ "jti": "t1", "userId": "c2", "iat": 1_796_000_000 }),
            true,
        ),
        (json!({ "jti": 7 }), true),
        (json!({ "jti": "t2" }), false),
        (json!({ "jti": "" }), false),
        (json!({}), false),
    ] {
        assert_eq!(api.is_revoked(claims.clone()).await, is_revoked, "{claims}");
    }
}

async fn an_admin_can_revoke_everyone_and_so_themselves(api: Api) {
    let admin = api.bearer(json!({ "role": "admin", "userId": "a1", "iat": 1_000 }));
    let data = admin
        .post(REVOKE, json!({ "issuedBefore": 2_000 }))
        .await
        .data(200);
    assert_eq!(data, json!({ "revocation": { "issuedBefore": 2_000 } }));
    admin
        .post(REVOKE, json!({ "issuedBefore": 2_000 }))
        .await
        .refused(401, "token_revoked");
    assert!(api.is_revoked(json!({ "iat": 2_000 })).await);
    assert!(!api.is_revoked(json!({ "iat": 2_001 })).await);
    // The API key is no token.
    let notice = json!({ "user": "c1", "type": "system", "title": "t", "message": "m" });
    api.backend()
        .post("/api/notifications", notice)
        .await
        .data(201);
}

async fn a_repeated_request_gets_its_first_reply(api: Api) {
    let admin = api.admin().with("idempotency-key", "k1");
    let first = admin.post(REVOKE, json!({ "user": "c1" })).await;
    first.data(200);
    let again = admin.post(REVOKE, json!({ "user": "c1" })).await;
    assert_eq!(
        (first.text, "true"),
        (again.text.clone(), again.header("idempotency-replayed"))
    );
    admin
        .post(REVOKE, json!({ "user": "c2" }))
        .await
        .refused(422, "idempotency_key_reused");
    assert!(!api.is_revoked(json!({ "userId": "c2" })).await);
}

async fn a_revocation_that_is_not_valid_changes_nothing(api: Api) {
    let admin = api.admin();
    for (body, pointer) in [
        (json!({}), ""),
        (json!({ "user": "c1", "jti": "t" }), "/user"),
        (json!({ "user": "c 1" }), "/user"),
        (json!({ "user": null, "issuedBefore": 7 }), "/user"),
        (
            json!({ "user": "c1", "issuedBefore": 1_796_000_000_000_u64 }),
            "/issuedBefore",
        ),
        (
            json!({ "user": "c1", "issuedBefore": "now" }),
            "/issuedBefore",
        ),
        (json!({ "user": "c1", "expiresAt": 7 }), "/expiresAt"),
        (json!({ "jti": "t", "expiresAt": 7 }), "/expiresAt"),
        (json!({ "jti": "" }), "/jti"),
        (json!({ "everyone": true }), "/everyone"),
    ] {
        admin.post(REVOKE, body).await.refused_at(pointer);
    }
    for who in [
        api.customer(),
        api.user(Role::Tailor, "t1"),
        api.user(Role::Delivery, "d1"),
    ] {
        who.post(REVOKE, json!({ "user": "c1" }))
            .await
            .refused(403, "forbidden");
    }
    for who in [api.backend(), api.nobody()] {
        who.post(REVOKE, json!({ "user": "c1" }))
            .await
            .refused(401, "unauthorized");
    }
    assert!(!api.is_revoked(json!({ "jti": "t" })).await);
}

async fn a_revocation_survives_a_restart(api: Api) {
    api.admin()
        .post(REVOKE, json!({ "user": "c1" }))
        .await
        .data(200);
    api.admin()
        .post(REVOKE, json!({ "jti": "t" }))
        .await
        .data(200);
    let api = Api::over(api.world.restarted().await);
    assert!(api.is_revoked(json!({})).await);
    assert!(api.is_revoked(json!({ "userId": "c2", "jti": "t" })).await);
    assert!(!api.is_revoked(json!({ "userId": "c2" })).await);
}

/// The store fails: the answer is 503, and nothing was stored.
#[tokio::test]
async fn a_store_that_is_closed_revokes_nothing() {
    let api = Api::new(On::Embedded).await;
    api.world.store.close().await;
    let reply = api.admin().post(REVOKE, json!({ "user": "c1" })).await;
    reply.refused(503, "unavailable");
    assert_eq!(reply.header("retry-after"), "1");
    assert!(api.world.realtime.authenticate(credentials()).await.is_ok());
}

fn credentials() -> metaia_realtime::auth::Credentials {
    let token = token(Role::Customer, "c1");
    metaia_realtime::auth::Credentials::bearer(Some(&token))
}

/// A library call and the route are the same.
#[tokio::test]
async fn what_the_library_revokes_rest_refuses() {
    let api = Api::new(On::Embedded).await;
    let revocation = Revocation::of_token("t", None);
    api.world.realtime.revoke(revocation).await.unwrap();
    assert!(api.is_revoked(json!({ "jti": "t" })).await);
}
