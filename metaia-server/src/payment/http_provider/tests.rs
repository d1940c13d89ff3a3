//! Tests against a stand-in on a local port that answers as Razorpay's API documents.

use axum::{
    Json, Router,
    response::{IntoResponse, Response},
    routing::post,
};
use http::HeaderMap;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

use super::*;

/// Starts a provider that answers every order with the result of `answer`; `None` never answers.
async fn stand_in<R: IntoResponse>(
    answer: impl Fn(HeaderMap, Value) -> Option<R> + Clone + Send + Sync + 'static,
) -> (HttpProvider, JoinSet<()>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let handler = async move |headers: HeaderMap, Json(body): Json<Value>| {
        let answer = answer(headers, body).map(IntoResponse::into_response);
        match answer {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    };
    let app = Router::new().route("/v1/orders", post(handler));
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { axum::serve(listener, app).await.unwrap() });
    let timeout = Duration::from_millis(500);
    let secret = Secret::from("s3cret");
    let provider = HttpProvider::with_timeout(&url, "rzp_test_1", &secret, timeout).unwrap();
    (provider, tasks)
}

async fn answering(status: u16, body: impl ToString) -> Result<String, ProviderError> {
    let status = StatusCode::from_u16(status).unwrap();
    let body = body.to_string();
    let (provider, _tasks) =
        stand_in(move |_, _| Some((status, [("location", "http://127.0.0.1:1/")], body.clone())))
            .await;
    provider.open(ORDER).await
}

const ORDER: NewPaymentOrder<'static> = NewPaymentOrder {
    amount: 50_000,
    currency: "INR",
    receipt: "p1",
};

/// The documented answer.
fn created(amount: i64) -> Value {
    json!({
        "id": "order_EKwxwAgItmmXdp", "entity": "order", "amount": amount, "amount_paid": 0,
        "amount_due": amount, "currency": "INR", "receipt": "p1", "offer_id": null,
        "status": "created", "attempts": 0, "notes": [], "created_at": 1582628071,
    })
}

fn error(code: &str, description: &str) -> Value {
    json!({ "error": {
        "code": code, "description": description, "source": "business",
        "step": "payment_initiation", "reason": "input_validation_failed", "metadata": {},
        "field": "amount",
    } })
}

#[tokio::test]
async fn an_order_is_asked_for_as_documented() {
    let (provider, _tasks) = stand_in(|headers, body| {
        // rzp_test_1:s3cret
        assert_eq!(headers["authorization"], "Basic cnpwX3Rlc3RfMTpzM2NyZXQ=");
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(
            body,
            json!({ "amount": 50_000, "currency": "INR", "receipt": "p1" })
        );
        Some(Json(created(50_000)))
    })
    .await;
    assert_eq!(provider.open(ORDER).await.unwrap(), "order_EKwxwAgItmmXdp");
}

#[tokio::test]
async fn an_amount_with_a_fraction_of_zero_is_the_same_amount() {
    let mut created = created(1);
    created["amount"] = json!(50_000.0);
    assert!(answering(200, created).await.is_ok());
}

#[tokio::test]
async fn a_refusal_is_passed_on_with_its_reason() {
    let refused = answering(
        400,
        error("BAD_REQUEST_ERROR", "Order amount less than minimum"),
    )
    .await
    .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the payment provider refused (BAD_REQUEST_ERROR): Order amount less than minimum"
    );
    let refused = answering(401, error("BAD_REQUEST_ERROR", "Authentication failed")).await;
    assert!(
        matches!(refused, Err(ProviderError::Refused { .. })),
        "{refused:?}"
    );
}

#[track_caller]
fn unavailable_because(answer: Result<String, ProviderError>, expected: &str) {
    let error = answer.unwrap_err();
    assert!(matches!(error, ProviderError::Unavailable(_)), "{error:?}");
    let text = crate::error_chain::chain(&error);
    assert!(
        text.contains(expected) && !text.contains("s3cret"),
        "{text}"
    );
}

#[tokio::test]
async fn trouble_at_the_provider_is_unavailability() {
    unavailable_because(answering(500, error("SERVER_ERROR", "down")).await, "500");
    unavailable_because(
        answering(429, error("BAD_REQUEST_ERROR", "slow")).await,
        "429",
    );
    unavailable_because(answering(400, "<html>").await, "400");
    unavailable_because(answering(302, "").await, "302");
    unavailable_because(answering(200, "<html>").await, "not the documented JSON");
    unavailable_because(answering(200, created(1)).await, "another amount");
    unavailable_because(answering(200, "x".repeat(100_000)).await, "too long");
    let odd = json!({ "id": "order_1/../2", "amount": 50_000, "currency": "INR" });
    unavailable_because(answering(200, odd).await, "order id");
}

#[tokio::test]
async fn silence_is_unavailability() {
    let (provider, mut tasks) = stand_in(|_, _| None::<Response>).await;
    unavailable_because(provider.open(ORDER).await, "timed out");
    tasks.shutdown().await;
    unavailable_because(provider.open(ORDER).await, "does not answer");
}
