//! Every refusal of the gate of REST requests is counted, listed for admins and logged within
//! bounds, also in a flood.

use std::collections::BTreeSet;
use std::time::Instant;

use metaia_tests::eventually::eventually;
use metaia_tests::faults::cluster::{ReplicaSet, node};
use metaia_tests::fixtures::token::{Token, in_seconds, token};
use metaia_tests::server::rest::{Api, ApiResponse};
use metaia_tests::server::{API_KEY, Server, Setup};
use serde_json::{Value, json};

/// The requests of each row: beyond every limit of wrong keys.
const REQUESTS: u64 = 60;

/// The most lines a second of the log about one kind of refusal: five, and one that counts the
/// others.
const MAX_LINES: usize = 6;

/// A request that the gate refuses.
struct Row {
    client: Api,
    method: &'static str,
    path: &'static str,
    /// The statuses with the codes of the answers.
    answers: &'static [(u16, &'static str)],
    /// The code in the list of refusals.
    listed: &'static str,
    metric: String,
    log: &'static str,
}

impl Row {
    fn new(client: Api, path: &'static str, status: &'static (u16, &'static str)) -> Self {
        Self {
            client,
            method: "GET",
            path,
            answers: std::slice::from_ref(status),
            listed: status.1,
            metric: format!("metaia_requests_refused_total{{code=\"{}\"}}", status.1),
            log: "a request was refused",
        }
    }

    fn post(self) -> Self {
        Self {
            method: "POST",
            ..self
        }
    }

    /// Makes it a row of a wrong key, of which those over the limit are answered otherwise.
    fn wrong_key(self, kind: &str, listed: &'static str) -> Self {
        Self {
            listed,
            metric: format!("metaia_wrong_keys_total{{kind=\"{kind}\"}}"),
            log: "a wrong key was refused",
            ..self.post()
        }
    }

    async fn send(&self) -> ApiResponse {
        // A body that the route of events takes; the other ones refuse before they judge it.
        let body = json!({"to": "everyone", "event": "hello", "data": {}});
        let is_event = self.path == "/api/realtime/emit";
        let body = if is_event { body } else { json!({}) };
        let body = (self.method == "POST").then_some(body);
        self.client
            .send(self.method, self.path, body.as_ref())
            .await
    }
}

/// Returns the value of a metric.
async fn count(server: &Server, metric: &str) -> u64 {
    let text = server.metrics().await;
    let value = text.lines().find_map(|line| line.strip_prefix(metric));
    let value = value.unwrap_or_else(|| panic!("no {metric} in {text}"));
    value.trim().parse().unwrap()
}

/// Returns the entries of the list that name this client.
async fn listed(server: &Server, agent: &str) -> Vec<Value> {
    let data = server.admin().get("/api/realtime/refusals").await.data(200);
    let all = data["refusals"].as_array().unwrap().iter();
    all.filter(|one| one["userAgent"] == agent)
        .cloned()
        .collect()
}

/// Sends the requests of a row. Checks the answers, the metric and the lines in the log. Returns
/// the name by which the client describes itself.
async fn assert_counted_and_logged(server: &Server, number: usize, row: Row) -> String {
    let agent = format!("row {number}");
    let row = Row {
        client: row.client.header("user-agent", &agent),
        ..row
    };
    let before = count(server, &row.metric).await;
    let lines_before = server.output_lines().len();
    let began = Instant::now();
    for _ in 0..REQUESTS {
        let answer = row.send().await;
        let is_expected = |expected: &&(u16, &str)| expected.0 == answer.status;
        let expected = row.answers.iter().find(is_expected);
        let (status, code) = expected.unwrap_or_else(|| panic!("{agent}: {answer:#?}"));
        answer.refused_as(*status, code);
    }
    let seconds = usize::try_from(began.elapsed().as_secs()).unwrap();
    let after = count(server, &row.metric).await;
    assert_eq!(after - before, REQUESTS, "{agent}: {}", row.metric);
    server.wait_for_output(row.log).await;
    let lines = server.output_lines().len() - lines_before;
    assert!(
        lines <= MAX_LINES * (seconds + 1),
        "{agent}: {lines} lines in {seconds} s"
    );
    agent
}

async fn assert_listed(server: &Server, agent: &str, code: &str) {
    let entries = listed(server, agent).await;
    let counts = entries.iter().map(|one| one["count"].as_u64().unwrap());
    assert_eq!(counts.sum::<u64>(), REQUESTS, "{agent}: {entries:#?}");
    for entry in &entries {
        assert_eq!(entry["code"], code, "{agent}: {entry}");
        assert_eq!(entry["transport"], "rest", "{agent}: {entry}");
    }
}

/// Returns the rows of everything but the loss of the store.
fn rows(server: &Server) -> Vec<Row> {
    let nobody = server.anonymous();
    // One for each row: a user has a rate.
    let [guest, sender, revoker, twin] =
        ["c1", "c2", "c3", "c4"].map(|user| server.api("customer", user));
    let backend = nobody.header("x-api-key", API_KEY);
    let claims = json!({"userId": "c7", "role": "customer", "exp": in_seconds(-60)});
    let expired = nobody.bearer(&Token::with_claims(&claims).sign());
    let revoked = nobody.bearer(&token("customer", "revoked"));
    let unknown_role = nobody.bearer(&token("king", "k1"));
    let wrong_key = nobody.header("x-api-key", "a-key-of-yesterday");
    let forged = nobody.header("x-razorpay-signature", "00");
    let two_tokens = twin.another_header("authorization", "Bearer another");
    let two_keys = backend.another_header("x-api-key", "another");
    let two_signatures = forged.another_header("x-razorpay-signature", "11");
    let [orders, stats, emit] = ["/api/orders", "/api/realtime/stats", "/api/realtime/emit"];
    let [revoke, webhook] = ["/api/realtime/revoke", "/api/payments/webhook"];
    let wrong_keys = &[(401, "unauthorized"), (429, "wrong_key")];
    let forgeries = &[(401, "invalid_signature"), (429, "wrong_key")];
    vec![
        Row::new(nobody.clone(), orders, &(401, "unauthorized")),
        Row::new(nobody.bearer("nonsense"), orders, &(401, "unauthorized")),
        Row::new(expired, orders, &(401, "token_expired")),
        Row::new(revoked, orders, &(401, "token_revoked")),
        Row::new(unknown_role, orders, &(403, "forbidden")),
        Row::new(guest, stats, &(403, "forbidden")),
        Row::new(sender, emit, &(403, "forbidden")).post(),
        Row::new(revoker, revoke, &(403, "forbidden")).post(),
        Row::new(backend.clone(), orders, &(401, "unauthorized")),
        Row::new(backend, revoke, &(401, "unauthorized")).post(),
        Row::new(two_tokens.clone(), orders, &(400, "repeated_header")),
        Row::new(two_tokens, "/no/such/route", &(400, "repeated_header")),
        Row::new(two_keys, emit, &(400, "repeated_header")).post(),
        Row::new(two_signatures, webhook, &(400, "repeated_header")).post(),
        Row {
            answers: wrong_keys,
            ..Row::new(wrong_key, emit, &wrong_keys[0]).wrong_key("api_key", "wrong_api_key")
        },
        Row {
            answers: forgeries,
            ..Row::new(forged, webhook, &forgeries[0])
                .wrong_key("webhook_signature", "wrong_webhook_signature")
        },
    ]
}

#[tokio::test]
async fn every_refusal_is_counted_listed_and_logged_within_bounds() {
    let server = Server::start().await;
    let body = json!({"user": "revoked"});
    server
        .admin()
        .post("/api/realtime/revoke", &body)
        .await
        .ok(200);
    for (number, row) in rows(&server).into_iter().enumerate() {
        let code = row.listed;
        let agent = assert_counted_and_logged(&server, number, row).await;
        assert_listed(&server, &agent, code).await;
    }
}

/// Sends requests until this many were over the rate.
async fn over_the_rate(client: &Api) -> u64 {
    let mut refused = 0;
    for _ in 0..REQUESTS {
        let answer = client.get("/api/orders").await;
        if answer.status != 200 {
            answer.refused_as(429, "rate_limited");
            refused += 1;
        }
    }
    refused
}

#[tokio::test]
async fn a_user_over_the_rate_is_counted_listed_and_logged() {
    let setup = Setup::new().env("METAIA_LIMITS", "rest_per_s=1");
    let server = setup.start().await;
    let client = server.api("customer", "c1").header("user-agent", "hasty");
    let refused = over_the_rate(&client).await;
    assert!(refused > 0, "60 requests at once are over 1 per second");
    let metric = "metaia_requests_refused_total{code=\"rate_limited\"}";
    assert_eq!(count(&server, metric).await, refused);
    let entries = listed(&server, "hasty").await;
    let counts = entries.iter().map(|one| one["count"].as_u64().unwrap());
    assert_eq!(counts.sum::<u64>(), refused, "{entries:#?}");
    for entry in &entries {
        let named = (&entry["code"], &entry["user"], &entry["role"]);
        assert_eq!(
            named,
            (&json!("rate_limited"), &json!("c1"), &json!("customer"))
        );
    }
    server.wait_for_output("rate_limited").await;
}

#[tokio::test]
async fn while_nobody_can_be_authenticated_requests_are_counted_listed_and_logged() {
    let set = ReplicaSet::start(1).await;
    let server = node(&set.uri("metaia"), None).start().await;
    server.ready().await;
    let customer = server.api("customer", "c1").header("user-agent", "early");
    set.pause().await;
    let refused = async || (customer.get("/api/orders").await.status == 503).then_some(());
    eventually("a node that authenticates no client", refused).await;
    let row = Row::new(
        server.api("customer", "c1"),
        "/api/realtime/stats",
        &(503, "unavailable"),
    );
    let agent = assert_counted_and_logged(&server, 503, row).await;
    set.resume().await;
    server.ready().await;
    assert_listed(&server, &agent, "unavailable").await;
}

/// Nobody is named for a token beside another one: a proxy may have judged either.
#[tokio::test]
async fn a_repeated_header_names_nobody_and_repeats_nothing() {
    let server = Server::start().await;
    let agent = "two tokens";
    let [one, other] = [token("customer", "c1"), token("admin", "a1")];
    let client = server.anonymous().header("user-agent", agent).bearer(&one);
    let client = client.another_header("authorization", &format!("Bearer {other}"));
    client
        .get("/api/orders")
        .await
        .refused_as(400, "repeated_header");
    server.wait_for_output("repeated_header").await;
    let entries = listed(&server, agent).await;
    assert_eq!(entries.len(), 1, "{entries:#?}");
    let named = (&entries[0]["user"], &entries[0]["role"]);
    assert_eq!(named, (&Value::Null, &Value::Null));
    let shown: BTreeSet<String> = server.output_lines().into_iter().collect();
    for secret in [&one, &other] {
        let is_shown = |line: &String| line.contains(secret.as_str());
        assert!(!shown.iter().any(is_shown), "{shown:#?}");
        assert!(!entries[0].to_string().contains(secret.as_str()));
    }
}
