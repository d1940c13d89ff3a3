//! Tokens that must be refused. Each one is tried on the socket, in the header and in `auth`, and
//! on REST.

use metaia_tests::clients::phone::Phone;
use metaia_tests::fixtures::token::{SECRET, Token, base64url, in_seconds, token};
use metaia_tests::server::Server;
use serde_json::{Value, json};

fn claims() -> Value {
    json!({"userId": "c1", "role": "customer", "exp": in_seconds(3600)})
}

fn with(member: &str, value: Value) -> Token {
    let mut claims = claims();
    claims[member] = value;
    Token::with_claims(&claims)
}

fn without(member: &str) -> Token {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(member);
    Token::with_claims(&claims)
}

fn algorithm(name: &str) -> Token {
    Token::new("customer", "c1").header(&json!({"alg": name, "typ": "JWT"}))
}

/// Returns a token whose `exp` is written like this.
fn raw_expiry(exp: &str) -> String {
    let claims = format!(r#"{{"userId":"c1","role":"customer","exp":{exp}}}"#);
    Token::with_raw_claims(&claims).sign()
}

/// Tries each token everywhere. The socket must refuse it with this message, REST with this status.
async fn assert_all_refused(message: &str, status: u16, tokens: &[(&str, String)]) {
    let server = Server::start().await;
    for (name, token) in tokens {
        let mut phone = Phone::open(&server).await;
        let refusal = phone.connect(&json!({"token": token})).await;
        assert_eq!(refusal, Err(message.to_owned()), "in auth: {name}: {token}");

        let header = format!("Bearer {token}");
        let mut phone = Phone::open_with(&server, &[("authorization", &header)])
            .await
            .expect("a handshake");
        let refusal = phone.connect(&json!({})).await;
        assert_eq!(
            refusal,
            Err(message.to_owned()),
            "in the header: {name}: {token}"
        );

        let answer = server.anonymous().bearer(token).get("/api/orders").await;
        assert_eq!(
            answer.refused(status)["code"],
            message,
            "on REST: {name}: {token}"
        );
    }
}

#[tokio::test]
async fn other_algorithms_are_refused() {
    let none = |name: &str| {
        (
            format!("alg {name}"),
            format!("{}.", algorithm(name).unsigned()),
        )
    };
    let mut tokens: Vec<_> = ["none", "None", "NONE", "nOnE", ""].map(none).into();
    // Signed with the right secret but with another algorithm in the header. The header must not
    // choose the algorithm.
    let confused = |name: &str| (format!("alg {name}, HMAC"), algorithm(name).sign());
    tokens.extend(["none", "RS256", "ES256", "PS256", "EdDSA", "HS512", "hs256"].map(confused));
    tokens.push((
        "HS384 with our secret".into(),
        algorithm("HS384").sign_384(),
    ));
    tokens.push((
        "HS512 with our secret".into(),
        algorithm("HS512").sign_512(),
    ));
    let jwk = json!({"kty": "oct", "k": base64url(b"mine")});
    let header = json!({"alg": "HS256", "jwk": jwk, "jku": "http://127.0.0.1:1/keys", "kid": "../../dev/null"});
    tokens.push((
        "a key of its own".into(),
        Token::new("customer", "c1")
            .header(&header)
            .secret("mine")
            .sign(),
    ));
    let tokens: Vec<_> = tokens
        .iter()
        .map(|(name, token)| (name.as_str(), token.clone()))
        .collect();
    assert_all_refused("unauthorized", 401, &tokens).await;
}

#[tokio::test]
async fn broken_signatures_and_shapes_are_refused() {
    let good = token("customer", "c1");
    let (start, signature) = good.rsplit_once('.').unwrap();
    let (header, claims) = start.split_once('.').unwrap();
    let other = token("customer", "c2");
    let other_claims = other.split('.').nth(1).unwrap();
    assert_all_refused(
        "unauthorized",
        401,
        &[
            (
                "wrong secret",
                Token::new("customer", "c1")
                    .secret("another-secret-of-32-bytes-length")
                    .sign(),
            ),
            (
                "empty secret",
                Token::new("customer", "c1").secret("").sign(),
            ),
            ("empty signature", format!("{start}.")),
            ("no signature", start.to_owned()),
            (
                "another's claims",
                format!("{header}.{other_claims}.{signature}"),
            ),
            ("no claims", format!("{header}..{signature}")),
            ("four parts", format!("{good}.{signature}")),
            (
                "five parts",
                format!("{header}.{claims}.{signature}.{signature}.{signature}"),
            ),
            ("not base64", format!("{header}.{claims}.!!!!")),
            ("words", "not-a-token".to_owned()),
            ("the secret itself", SECRET.to_owned()),
            (
                "claims are no object",
                Token::with_raw_claims("[1,2]").sign(),
            ),
            ("claims are no JSON", Token::with_raw_claims("{").sign()),
            (
                "oversized",
                with("padding", json!("x".repeat(4_096))).sign(),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_expiry_that_is_no_number_is_refused() {
    assert_all_refused(
        "unauthorized",
        401,
        &[
            ("missing", without("exp").sign()),
            ("null", with("exp", json!(null)).sign()),
            ("true", with("exp", json!(true)).sign()),
            (
                "text",
                with("exp", json!(in_seconds(3600).to_string())).sign(),
            ),
            ("array", with("exp", json!([in_seconds(3600)])).sign()),
            (
                "object",
                with("exp", json!({"at": in_seconds(3600)})).sign(),
            ),
            (
                "not before in the future",
                with("nbf", json!(in_seconds(3600))).sign(),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_token_from_the_future_is_refused() {
    assert_all_refused(
        "unauthorized",
        401,
        &[
            ("an hour ahead", with("iat", json!(in_seconds(3600))).sign()),
            (
                "beyond the leeway",
                with("iat", json!(in_seconds(10))).sign(),
            ),
            (
                "in milliseconds",
                with("iat", json!(in_seconds(0) * 1_000)).sign(),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_expired_token_has_its_own_code() {
    assert_all_refused(
        "token_expired",
        401,
        &[
            ("a minute ago", with("exp", json!(in_seconds(-60))).sign()),
            (
                "beyond the leeway",
                with("exp", json!(in_seconds(-10))).sign(),
            ),
            ("long ago", with("exp", json!(0)).sign()),
            ("with a fraction", raw_expiry("1700000000.25")),
            ("with an exponent", raw_expiry("1.7E+9")),
            ("before 1970", raw_expiry("-1.5")),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_header_that_changes_the_meaning_of_the_token_is_refused() {
    let header = |member: &str, value: Value| {
        let mut header = json!({"alg": "HS256", "typ": "JWT"});
        header[member] = value;
        Token::new("customer", "c1").header(&header).sign()
    };
    assert_all_refused(
        "unauthorized",
        401,
        &[
            ("critical", header("crit", json!(["exp"]))),
            ("compressed", header("zip", json!("DEF"))),
            ("encrypted", header("enc", json!("A128GCM"))),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_unknown_role_is_forbidden() {
    assert_all_refused(
        "forbidden",
        403,
        &[
            ("superuser", with("role", json!("superuser")).sign()),
            ("upper case", with("role", json!("ADMIN")).sign()),
            ("empty", with("role", json!("")).sign()),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_malformed_user_id_is_refused() {
    let long = "x".repeat(65);
    assert_all_refused(
        "unauthorized",
        401,
        &[
            ("missing", without("userId").sign()),
            ("empty", with("userId", json!("")).sign()),
            ("too long", with("userId", json!(long)).sign()),
            ("a path", with("userId", json!("../admin")).sign()),
            ("a space", with("userId", json!("c 1")).sign()),
            ("a fraction", with("userId", json!(1.5)).sign()),
            ("below zero", with("userId", json!(-1)).sign()),
            ("2^53", with("userId", json!(1_u64 << 53)).sign()),
            ("a boolean", with("userId", json!(true)).sign()),
            ("an object", with("userId", json!({"$ne": null})).sign()),
            ("an id that is no id", with("jti", json!({})).sign()),
        ],
    )
    .await;
}

#[tokio::test]
async fn valid_tokens_of_every_kind_are_accepted() {
    let server = Server::start().await;
    let by_subject = json!({"sub": "c1", "role": "customer", "exp": in_seconds(60)});
    for (name, token) in [
        ("the guide's", Token::new("customer", "c1")),
        ("by subject", Token::with_claims(&by_subject)),
        ("within the leeway", with("exp", json!(in_seconds(-1)))),
        ("with more claims", with("name", json!("Asha"))),
        ("of 64 characters", with("userId", json!("x".repeat(64)))),
        (
            "of a number",
            with("userId", json!(9_007_199_254_740_991_u64)),
        ),
        ("with a number as id", with("jti", json!(7))),
        ("with another subject", with("sub", json!({}))),
        ("with times in fractions", with("exp", json!(4e9 + 0.5))),
        ("issued in a fraction", with("iat", json!(1.7e9 + 0.25))),
        (
            "issued within the leeway",
            with("iat", json!(in_seconds(2))),
        ),
    ] {
        let mut phone = Phone::open(&server).await;
        assert_eq!(
            phone.connect(&json!({"token": token.sign()})).await,
            Ok(()),
            "{name}"
        );
        server
            .anonymous()
            .bearer(&token.sign())
            .get("/api/orders")
            .await
            .ok(200);
    }
}

/// Connects with this `auth.token`, and a good token in the header.
async fn connect_beside_a_good_header(server: &Server, in_auth: Value) -> Result<(), String> {
    let header = format!("Bearer {}", token("customer", "c1"));
    let mut phone = Phone::open_with(server, &[("authorization", &header)])
        .await
        .expect("a handshake");
    phone.connect(&json!({"token": in_auth})).await
}

#[tokio::test]
async fn an_empty_token_in_auth_leaves_it_to_the_header() {
    let server = Server::start().await;
    for absent in [json!(""), json!(null)] {
        let connected = connect_beside_a_good_header(&server, absent.clone()).await;
        assert_eq!(connected, Ok(()), "{absent}");
    }
    for bad in [
        json!("nonsense"),
        json!(" "),
        json!(0),
        json!({}),
        json!(["x"]),
    ] {
        let connected = connect_beside_a_good_header(&server, bad.clone()).await;
        assert_eq!(connected, Err("unauthorized".to_owned()), "{bad}");
    }
}

#[tokio::test]
async fn a_session_ends_with_its_token() {
    let server = Server::start().await;
    let brief = with("exp", json!(in_seconds(2))).sign();
    let mut phone = Phone::ready_with(&server, &json!({"token": brief})).await;
    // Only the transport closes, so that the official clients reconnect with a new token.
    phone.closed().await;
}

#[tokio::test]
async fn a_token_in_the_query_is_ignored() {
    let server = Server::start().await;
    let path = format!("/api/orders?token={}", token("customer", "c1"));
    server.anonymous().get(&path).await.refused(401);
}
