//! Payments that are opened at the provider over HTTP, with a stand-in that responds as the
//! provider documents its API.

use metaia_tests::clients::phone::Phone;
use metaia_tests::fixtures::provider::{Provider, ProviderMode};
use metaia_tests::fixtures::{all_until_now, id_of, open_payment, place_order, verification};
use metaia_tests::server::{Server, Setup};
use serde_json::json;

async fn server(provider: &Provider) -> Server {
    Setup::new()
        .env("RAZORPAY_URL", &provider.url())
        .start()
        .await
}

#[tokio::test]
async fn an_order_is_opened_at_the_provider_with_our_key_and_the_orders_amount() {
    let provider = Provider::start(ProviderMode::Working).await;
    let server = server(&provider).await;
    let order = place_order(&server, "c1").await;
    let customer = server.api("customer", "c1");
    let payment = open_payment(&customer, id_of(&order)).await;
    assert_eq!(payment["razorpayOrderId"], "order_0");

    let requests = provider.requests.so_far();
    let [request] = requests.as_slice() else {
        panic!("one request: {requests:#?}")
    };
    assert!(
        request.head.starts_with("POST ") && request.head.contains("/orders "),
        "{}",
        request.head
    );
    assert!(
        request
            .head
            .to_lowercase()
            .contains("authorization: basic "),
        "{}",
        request.head
    );
    assert_eq!(request.body["amount"], order["amount"]);
    assert_eq!(request.body["currency"], "INR");
    customer
        .post("/api/payments/verify", &verification(&payment, "pay_http"))
        .await
        .ok(200);
}

#[tokio::test]
async fn an_error_of_the_provider_is_a_refusal_and_changes_nothing() {
    for mode in [
        ProviderMode::Refusing,
        ProviderMode::Failing,
        ProviderMode::Silent,
    ] {
        let provider = Provider::start(mode).await;
        let server = server(&provider).await;
        let order = place_order(&server, "c1").await;
        let mut phone = Phone::ready_as(&server, "customer", "c1").await;
        let path = format!("/api/payments/orders/{}", id_of(&order));
        let answer = server.api("customer", "c1").post(&path, &json!({})).await;
        answer.refused(502);
        assert!(
            !answer.text.contains("Authentication failed"),
            "the provider's error text must not reach the client: {answer:#?}"
        );
        assert_eq!(all_until_now(&server, &mut phone).await, []);
    }
}
