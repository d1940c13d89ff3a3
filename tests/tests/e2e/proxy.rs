//! Two nodes behind nginx with the configuration of `docs/deployment`. Polling clients stay with
//! one node, and nodes that accept no clients are skipped.

use metaia_tests::clients::driver::Driver;
use metaia_tests::clients::phone::Phone;
use metaia_tests::clients::polling::{HANDSHAKE, Polling};
use metaia_tests::faults::nginx::Nginx;
use metaia_tests::fixtures::token::token;
use metaia_tests::server::ports::Port;
use metaia_tests::server::rest::{Api, http_client};
use metaia_tests::server::{Listening, Server, Setup};
use serde_json::json;

const POLLERS: usize = 12;

/// Starts two servers behind one proxy. They share nothing else, so that a request at the wrong
/// server fails.
async fn start_two(limits: &str) -> (Nginx, [Server; 2]) {
    let start = || {
        Setup::new()
            .with_fixed_port()
            .env("METAIA_LIMITS", limits)
            .start()
    };
    let (one, other) = tokio::join!(start(), start());
    (
        Nginx::start([Port(one.port()), Port(other.port())]).await,
        [one, other],
    )
}

fn api(nginx: &Nginx) -> Api {
    Api::new(&nginx.url(), http_client())
}

/// Returns how often users have connected to this server.
fn connections(server: &Server) -> usize {
    server
        .output_lines()
        .iter()
        .filter(|line| line.contains("User connected: "))
        .count()
}

/// Opens a polling session and waits for `rt:ready`.
async fn poller(nginx: &Nginx, user: &str) -> Polling {
    let polling = Polling::open(&api(nginx)).await;
    polling
        .send(&format!("40{}", json!({"token": token("customer", user)})))
        .await
        .ok(200);
    let mut received = String::new();
    while !received.contains("rt:ready") {
        let answer = polling.receive().await;
        answer.ok(200);
        received.push_str(&answer.text);
    }
    polling
}

#[tokio::test]
async fn nginx_accepts_its_configuration_without_warnings() {
    let checked = Nginx::check().await.expect_code(0);
    assert!(!checked.output().contains("[warn]"), "{checked:#?}");
}

#[tokio::test]
async fn polling_clients_stay_with_one_node_and_both_nodes_have_some() {
    let (nginx, servers) = start_two("").await;
    let mut driver = Driver::node();
    for n in 0..POLLERS {
        let header = format!("Bearer {}", token("customer", &format!("c{n}")));
        let options = json!({"transports": ["polling"], "extraHeaders": {"Authorization": header}});
        driver
            .connect_with(&format!("c{n}"), &nginx, &options)
            .await;
    }
    for n in 0..POLLERS {
        driver.event(&format!("c{n}"), "rt:ready").await;
        let left = driver
            .call(&format!("c{n}"), "leave_order_room", &json!("o1"))
            .await;
        assert_eq!(left["status"], "ok");
    }
    let counts = servers.each_ref().map(connections);
    assert_eq!(
        counts.iter().sum::<usize>(),
        POLLERS,
        "no client connected twice: {:#?}",
        nginx.output_lines()
    );
    assert!(
        counts.iter().all(|count| *count > 0),
        "both have some: {counts:?}"
    );
}

#[tokio::test]
async fn official_clients_upgrade_and_reconnect_to_the_other_node() {
    for (name, mut driver) in [("javascript", Driver::node()), ("python", Driver::python())] {
        let (nginx, [one, other]) = start_two("").await;
        driver.ready(name, &nginx, &token("customer", name)).await;
        if name == "javascript" {
            assert_eq!(driver.event(name, "upgrade").await, "websocket");
        }
        let (stays, leaves) = if connections(&one) > 0 {
            (other, one)
        } else {
            (one, other)
        };
        leaves.stop().await;
        driver.nth(name, "rt:ready", 2).await;
        assert!(connections(&stays) > 0, "{name} is at the other one");
    }
}

#[tokio::test]
async fn the_origin_of_the_proxy_is_the_servers_own() {
    let start = || {
        Setup::new()
            .with_fixed_port()
            .env("CORS_ORIGINS", "https://app.metaia.example")
            .env("METAIA_TRUSTED_PROXIES", "127.0.0.1")
            .start()
    };
    let (one, other) = tokio::join!(start(), start());
    let nginx = Nginx::start([Port(one.port()), Port(other.port())]).await;
    let own = nginx.url();
    for (origin, status) in [(&own, 200), (&own.replace("http", "https"), 403)] {
        let polling = api(&nginx).header("origin", origin).get(HANDSHAKE).await;
        assert_eq!(polling.status, status, "{origin}: {polling:#?}");
        // The client chooses neither scheme nor host.
        let forged = [
            ("origin", origin.as_str()),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil.example"),
        ];
        let websocket = Phone::open_with(&nginx, &forged).await;
        let answered = websocket.map_or_else(|refusal| refusal.status, |_| 200);
        assert_eq!(answered, status, "{origin}");
    }
}

#[tokio::test]
async fn a_websocket_client_reaches_a_node_that_accepts_it() {
    let (nginx, _servers) = start_two("total=1").await;
    let _one = Phone::ready_as(&nginx, "customer", "c1").await;
    let _other = Phone::ready_as(&nginx, "customer", "c2").await;
    let refused = Phone::open_with(&nginx, &[])
        .await
        .expect_err("both are full");
    assert_eq!((refused.status, refused.retry_after.is_some()), (503, true));
}

#[tokio::test]
async fn a_polling_client_stays_at_the_node_that_accepted_it() {
    let (nginx, servers) = start_two("total=1").await;
    // The requests come from one address and have no token in a header, so that nginx selects the
    // same node for both.
    let pollers = [poller(&nginx, "c1").await, poller(&nginx, "c2").await];
    assert_eq!(servers.each_ref().map(connections), [1, 1]);
    for polling in &pollers {
        polling
            .send("420[\"leave_order_room\",\"o1\"]")
            .await
            .ok(200);
        let answer = polling.receive().await;
        assert!(answer.text.contains("\"status\":\"ok\""), "{answer:#?}");
    }
}

#[tokio::test]
async fn rest_works_with_one_node_and_is_unavailable_without_any() {
    let (nginx, [one, other]) = start_two("").await;
    let orders = async || {
        api(&nginx)
            .bearer(&token("customer", "c1"))
            .get("/api/orders")
            .await
    };
    orders().await.ok(200);
    one.stop().await;
    for _ in 0..4 {
        orders().await.ok(200);
    }
    other.stop().await;
    let unavailable = api(&nginx).get("/api/orders").await;
    assert_eq!(
        (unavailable.status, unavailable.header("retry-after")),
        (503, "2"),
        "{unavailable:#?}"
    );
    assert_eq!(unavailable.json()["code"], "unavailable");
}

#[tokio::test]
async fn routes_of_a_single_node_are_not_public() {
    let (nginx, _servers) = start_two("").await;
    assert_eq!(api(&nginx).get("/readyz").await.status, 404);
    api(&nginx).get("/livez").await.ok(200);
    api(&nginx).get(HANDSHAKE).await.ok(200);
    assert!(
        !nginx
            .output_lines()
            .iter()
            .any(|line| line.contains("sid=")),
        "session ids are not logged"
    );
}
