//! `POST /api/realtime/revoke`

use super::*;

#[tokio::test]
async fn revocations() {
    let api = Api::new(On::Embedded).await;
    let mut transcript = Transcript::new(&api);
    let admin = api.admin();
    let route = ("POST", "/api/realtime/revoke");
    let body = json!({ "jti": "5f0e" }).to_string().into_bytes();
    for (title, who) in [
        ("by a customer", api.customer()),
        ("by a backend", api.backend()),
    ] {
        transcript.send(title, &who, route, body.clone()).await;
    }
    for (title, body) in [
        (
            "of a user",
            json!({ "user": "c1", "issuedBefore": 1_700_000_000.5 }),
        ),
        (
            "of a user, earlier",
            json!({ "user": "c1", "issuedBefore": 7 }),
        ),
        ("of a token", json!({ "jti": "5f0c" })),
        (
            "of a token with its end",
            json!({ "jti": "5f0d", "expiresAt": 4_000_000_000_u32 }),
        ),
        ("of nobody", json!({})),
        (
            "of a user and a token",
            json!({ "user": "c1", "jti": "5f0c" }),
        ),
        (
            "in milliseconds",
            json!({ "issuedBefore": 1_700_000_000_000_u64 }),
        ),
        ("of null", json!({ "user": null, "issuedBefore": 7 })),
    ] {
        let body = body.to_string().into_bytes();
        transcript.send(title, &admin, route, body).await;
    }
    let body = json!({ "issuedBefore": 7 }).to_string().into_bytes();
    transcript
        .send("of everyone", &admin, route, body.clone())
        .await;
    transcript
        .send("by one who is revoked", &admin, route, body)
        .await;
    transcript.check("revocations");
}
