//! The guide's own code, without changes: only its two placeholders, the address and the token, are
//! filled in.

use metaia_tests::fixtures::token::token;
use metaia_tests::fixtures::{id_of, open_payment, place_order_at, set_status, verification};
use metaia_tests::server::paths;
use metaia_tests::server::process::Process;
use metaia_tests::server::{Listening, Server};
use serde_json::json;
use tokio::process::Command;

/// Runs JavaScript like `node -e`, in a folder where `require` finds the official client.
fn node(script: &str) -> Process {
    let mut command = Command::new("node");
    command.arg("-e").arg(script).current_dir(paths::js());
    Process::start(command)
}

fn guide(server: &Server, token: &str) -> String {
    let snippet = std::fs::read_to_string(paths::js().join("guide_snippet.cjs")).unwrap();
    let address = format!("http://localhost:{}", server.port());
    snippet
        .replace("http://localhost:5000", &address)
        .replace("YOUR_JWT_TOKEN", token)
}

#[tokio::test]
async fn the_guides_connection_test_works() {
    let server = Server::start().await;
    let node = node(&guide(&server, &token("customer", "c1")));
    node.stdout
        .first("Connected", |line| line == "Connected")
        .await;
    server
        .wait_for_output("User connected: c1 (customer)")
        .await;
    place_order_at(&server, "c1", "t1").await;
    node.stdout
        .first("a notification", |line| line.starts_with("Notification: {"))
        .await;
}

#[tokio::test]
async fn the_guides_listeners_and_order_room_work() {
    let server = Server::start().await;
    let order = place_order_at(&server, "c1", "t1").await;
    let listeners = std::fs::read_to_string(paths::js().join("guide_events.cjs")).unwrap();
    let script = format!(
        "{}const orderId = {};\n{listeners}",
        guide(&server, &token("customer", "c1")),
        order["_id"]
    );
    // The guide's join asks for no ack. A second join that asks for one shows when the first is
    // done.
    let node = node(&format!(
        "{script}socket.emit('join_order_room', orderId, () => console.log('Joined'));\n"
    ));
    node.stdout.first("the join", |line| line == "Joined").await;

    set_status(&server, id_of(&order), "confirmed").await;
    node.stdout
        .first("an order update", |line| {
            line.starts_with("Order updated: {")
        })
        .await;
    let customer = server.api("customer", "c1");
    let payment = open_payment(&customer, id_of(&order)).await;
    customer
        .post("/api/payments/verify", &verification(&payment, "pay_guide"))
        .await
        .ok(200);
    node.stdout
        .first("a payment update", |line| {
            line.starts_with("Payment status: {")
        })
        .await;
    server
        .api("tailor", "t1")
        .put("/api/tailors/me/status", &json!({"status": "available"}))
        .await
        .ok(200);
    node.stdout
        .first("a tailor's status", |line| {
            line.starts_with("Tailor status: {")
        })
        .await;
}
