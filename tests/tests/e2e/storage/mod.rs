//! The embedded file cannot be written: its disk is full, or its folder is gone. Writes are refused
//! with a code, reads go on, the server says what it is, and goes on without a restart.

mod deleted;
mod full;

use metaia_tests::eventually::eventually;
use metaia_tests::fixtures::order_body;
use metaia_tests::server::Server;
use metaia_tests::server::rest::ApiResponse;

/// Tries to place an order.
async fn try_to_place(server: &Server) -> ApiResponse {
    let customer = server.api("customer", "c1");
    customer.post("/api/orders", &order_body()).await
}

/// Returns the number of orders that the customer reads.
async fn placed(server: &Server) -> usize {
    let customer = server.api("customer", "c1");
    let listed = customer.get("/api/orders?limit=100").await;
    listed.data(200)["orders"].as_array().unwrap().len()
}

/// Waits until `/readyz` is 503 with this text, and checks that the metric says the same.
async fn assert_not_ready(server: &Server, text: &str, reason: &str) {
    let not_ready = async || {
        let answer = server.anonymous().get("/readyz").await;
        (answer.status == 503).then_some(answer)
    };
    let answer = eventually("the server to be not ready", not_ready).await;
    let problem = answer.refused(503);
    assert_eq!(problem["code"], "not_ready");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains(text), "{detail}");
    assert_obstacle(server, reason, 1).await;
}

/// Checks the metric of an obstacle.
async fn assert_obstacle(server: &Server, reason: &str, value: u64) {
    let line = format!("metaia_store_write_obstacle{{reason=\"{reason}\"}} {value}");
    let metrics = server.metrics().await;
    assert!(metrics.contains(&line), "{line} is not in {metrics}");
}

/// Returns the lines of the server's log with this text.
fn lines(server: &Server, text: &str) -> Vec<String> {
    let lines = server.output_lines().into_iter();
    lines.filter(|line| line.contains(text)).collect()
}
