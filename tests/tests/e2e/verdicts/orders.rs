//! Commands that name an order: `emit order:ORDER`, `trigger --order ORDER`.

use metaia_tests::clients::cli::Cli;
use metaia_tests::clients::phone::Phone;
use metaia_tests::fixtures::token::token;
use metaia_tests::fixtures::{NO_ORDER, id_of, place_order};
use metaia_tests::server::{API_KEY, Server};
use serde_json::{Value, json};

use super::{objects, start, without_secret};

/// Returns the order's id, its room and its number.
fn names_of(order: &Value) -> [String; 3] {
    let id = id_of(order);
    let number = order["orderNumber"].as_str().expect("a number");
    [id.to_owned(), format!("order-{id}"), number.to_owned()]
}

/// Texts that name no order.
const NO_ORDERS: [&str; 4] = [NO_ORDER, "nosuch", "order-nosuch", "MT-261129-ZZZZZZ"];

#[tokio::test]
async fn an_event_reaches_the_order_by_its_id_its_room_and_its_number() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    let joined = phone.call("join_order_room", &json!(id_of(&order))).await;
    assert_eq!(joined["status"], "ok", "{joined}");
    let cli = Cli::for_server(&server);
    for name in names_of(&order) {
        let target = format!("order:{name}");
        let args = ["emit", &target, "fitting", &format!("by={name}")];
        cli.run(&args).await.expect_code(0);
        assert_eq!(phone.event("fitting").await["by"], name);
    }
}

#[tokio::test]
async fn an_event_for_no_order_is_wrong_usage() {
    let (_server, cli) = start().await;
    for name in NO_ORDERS {
        let ended = cli.run(&["emit", &format!("order:{name}"), "x"]).await;
        assert_eq!(ended.code, Some(2), "{name}: {ended:#?}");
        assert!(ended.stderr.contains("there is no order"), "{ended:#?}");
    }
    let cli = Cli::for_url("http://127.0.0.1:9");
    for name in ["", "order-", "a b"] {
        let args = ["emit", &format!("order:{name}"), "x"];
        cli.run(&args).await.expect_code(2);
    }
}

/// A backend may emit, but not look at orders.
#[tokio::test]
async fn a_backend_emits_to_an_order_that_nobody_can_look_up() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let cli = without_secret(&server).env("METAIA_API_KEY", API_KEY);
    let target = format!("order:{}", id_of(&order));
    let ended = cli.run(&["emit", &target, "x"]).await.expect_code(0);
    assert!(ended.stderr.contains("no admin at hand"), "{ended:#?}");
}

#[tokio::test]
async fn a_number_that_nobody_can_look_up_is_wrong_usage() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let cli = without_secret(&server);
    let [_, _, number] = names_of(&order);
    let target = format!("order:{number}");
    let stranger = token("customer", "c2");
    let args = ["emit", &target, "x", "--token", &stranger];
    let ended = cli.run(&args).await.expect_code(2);
    assert!(ended.stderr.contains("set JWT_SECRET"), "{ended:#?}");
    let backend = cli.env("METAIA_API_KEY", API_KEY);
    backend.run(&args[..3]).await.expect_code(2);
}

#[tokio::test]
async fn a_customer_may_not_emit_to_an_order_though_nobody_can_look_it_up() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let target = format!("order:{}", id_of(&order));
    let stranger = token("customer", "c2");
    let args = ["emit", &target, "x", "--token", &stranger];
    without_secret(&server).run(&args).await.expect_code(5);
}

#[tokio::test]
async fn a_flow_takes_an_order_by_its_id_its_room_and_its_number() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let cli = Cli::for_server(&server);
    for (name, status) in names_of(&order)
        .iter()
        .zip(["confirmed", "in_progress", "ready"])
    {
        let args = ["trigger", "order_update", "--order", name, "-o", "ndjson"];
        let steps = objects(&cli.run(&args).await.expect_code(0).stdout);
        assert_eq!(steps[1]["data"]["order"]["status"], status, "{steps:#?}");
    }
    let number = &names_of(&order)[2];
    for flow in ["payment_update", "new_notification"] {
        let args = ["trigger", flow, "--order", number];
        cli.run(&args).await.expect_code(0);
    }
}

#[tokio::test]
async fn a_flow_of_no_order_is_wrong_usage() {
    let (_server, cli) = start().await;
    for name in NO_ORDERS {
        for flow in ["order_update", "payment_update", "new_notification"] {
            let ended = cli.run(&["trigger", flow, "--order", name]).await;
            assert_eq!(ended.code, Some(2), "{flow} {name}: {ended:#?}");
            assert_eq!(ended.stdout, "");
            assert!(ended.stderr.contains("there is no order"), "{ended:#?}");
        }
    }
}
