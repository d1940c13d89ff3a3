//! Clocks that differ: the server's `Date` tells by how much.

use metaia_tests::clients::cli::Cli;
use metaia_tests::faults::stub::{Stub, problem};
use metaia_tests::server::Listening;
use serde_json::{Value, json};

use super::{EMIT, TAIL, check};

/// A server that lives years behind this machine.
const DATE: &str = "Tue, 14 Nov 2023 22:13:20 GMT";
const DATE_MS: i64 = 1_700_000_000_000;

const AHEAD: &str = "d ahead of the server's";

#[tokio::test]
async fn an_expired_token_shows_a_wrong_clock() {
    let refusal = r#"44{"message":"token_expired"}"#.to_owned();
    let stub = Stub::with_date(DATE, &[refusal]).await;
    let output = Cli::for_url(&stub.url()).run(&TAIL).await;
    check(
        &output,
        4,
        &["token_expired", AHEAD, "set this machine's clock"],
    );
    let body = &problem(401, "token_expired", "The token expired.");
    let head = format!(
        "HTTP/1.1 401 Unauthorized\r\nDate: {DATE}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let stub = Stub::answering(&[&head, body]).await;
    let output = Cli::for_url(&stub.url()).run(&EMIT).await;
    check(
        &output,
        4,
        &["token_expired", AHEAD, "set this machine's clock"],
    );
}

#[tokio::test]
async fn latencies_are_by_one_clock() {
    let event = json!(["order_update", {"_rt": {"id": "e1", "at": "p.1", "ts": DATE_MS}}]);
    let ready = json!(["rt:ready", {"userId": "c1", "role": "customer", "rooms": []}]);
    let frames = [
        r#"40{"sid":"a"}"#.to_owned(),
        format!("42{ready}"),
        format!("42{event}"),
    ];
    let stub = Stub::with_date(DATE, &frames).await;
    let args = [
        "tail",
        "--as",
        "customer:c1",
        "--count",
        "1",
        "-o",
        "ndjson",
    ];
    let output = Cli::for_url(&stub.url()).run(&args).await;
    check(&output, 0, &[AHEAD, "latencies are corrected"]);
    let line: Value = serde_json::from_str(&output.stdout).expect("one event");
    let latency = line["latencyMs"].as_i64().expect("a latency");
    assert!(latency.abs() < 30_000, "{line}");
}
