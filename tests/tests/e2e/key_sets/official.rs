//! The official clients with tokens of an issuer.

use metaia_tests::clients::driver::Driver;
use metaia_tests::faults::key_host::KeyHost;
use metaia_tests::fixtures::issuer::IssuerKey;
use serde_json::json;

use super::setup;

async fn check(mut driver: Driver) {
    let key = IssuerKey::rs256("k");
    let host = KeyHost::publishing(&[&key]).await;
    let server = setup(&host).start().await;
    driver
        .ready("a", &server, &key.token("customer", "c1"))
        .await;
    let synced = driver.call("a", "rt:sync", &json!({})).await;
    assert_eq!(synced["status"], "ok", "{synced}");
    let stranger = IssuerKey::next_rs256("k").token("customer", "c1");
    driver.connect("b", &server, &stranger).await;
    driver.event("b", "connect_error").await;
}

#[tokio::test]
async fn the_javascript_client_connects_with_rs256() {
    check(Driver::node()).await;
}

#[tokio::test]
async fn the_python_client_connects_with_rs256() {
    check(Driver::python()).await;
}
