//! The guide with `python-socketio`, whose handlers break on a second argument.

use metaia_tests::clients::driver::Driver;
use serde_json::json;

#[tokio::test]
async fn a_new_order_is_announced() {
    super::a_new_order_is_announced(Driver::python()).await;
}

#[tokio::test]
async fn an_order_update_reaches_each_once() {
    super::an_order_update_reaches_each_once(Driver::python()).await;
}

#[tokio::test]
async fn the_order_room_receives_updates() {
    super::the_order_room_receives_updates(Driver::python()).await;
}

#[tokio::test]
async fn a_verified_payment_is_announced() {
    super::a_verified_payment_is_announced(Driver::python()).await;
}

#[tokio::test]
async fn a_tailors_status_is_announced() {
    super::a_tailors_status_is_announced(Driver::python()).await;
}

#[tokio::test]
async fn a_bad_token_is_refused() {
    assert_eq!(
        super::a_bad_token_is_refused(Driver::python()).await,
        "unauthorized"
    );
}

#[tokio::test]
async fn a_new_token_keeps_the_connection() {
    for driver in [Driver::python_by_polling(), Driver::python_by_websocket()] {
        super::a_new_token_keeps_the_connection(driver, json!({})).await;
    }
}
