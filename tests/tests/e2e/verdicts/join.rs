//! `metaia join --expect deny`: a refusal proves something only for an order that exists.

use metaia_tests::clients::cli::Cli;
use metaia_tests::fixtures::token::token;
use metaia_tests::fixtures::{NO_ORDER, id_of, place_order};
use metaia_tests::server::Server;

use super::{start, without_secret};

#[tokio::test]
async fn a_refusal_of_an_order_that_does_not_exist_proves_nothing() {
    let (_server, cli) = start().await;
    for order in [NO_ORDER, "nosuch", "order-nosuch", "MT-261129-ZZZZZZ"] {
        let args = ["join", order, "--as", "customer:c2", "--expect", "deny"];
        let ended = cli.run(&args).await.expect_code(2);
        assert!(ended.stderr.contains("proves nothing"), "{ended:#?}");
    }
}

#[tokio::test]
async fn a_text_that_cannot_be_an_order_is_wrong_usage() {
    let nowhere = Cli::for_url("http://127.0.0.1:9");
    for order in ["", "order-", "a b", "a/b", &"a".repeat(65)] {
        for expect in ["allow", "deny"] {
            let args = ["join", order, "--as", "customer:c2", "--expect", expect];
            let ended = nowhere.run(&args).await;
            assert_eq!(ended.code, Some(2), "{order:?}: {ended:#?}");
        }
    }
}

#[tokio::test]
async fn an_order_has_an_id_a_room_and_a_number() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    for _ in 0..3 {
        place_order(&server, "c3").await;
    }
    let cli = Cli::for_server(&server);
    let id = id_of(&order);
    let room = format!("order-{id}");
    let number = order["orderNumber"].as_str().unwrap();
    for name in [id, &room, number] {
        for (who, expect) in [("customer:c1", "allow"), ("customer:c2", "deny")] {
            let args = ["join", name, who, "--expect", expect];
            let ended = cli.run(&args).await.expect_code(0);
            assert!(ended.stdout.contains(&room), "{ended:#?}");
        }
    }
}

#[tokio::test]
async fn without_an_admin_a_refusal_proves_nothing() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let cli = without_secret(&server);
    let join = async |role: &str, user: &str, expect: &str| {
        let token = token(role, user);
        let args = ["join", id_of(&order), "--token", &token, "--expect", expect];
        cli.run(&args).await
    };
    let denied = join("customer", "c2", "deny").await.expect_code(2);
    for part in ["proves nothing: no admin at hand", "set JWT_SECRET"] {
        assert!(denied.stderr.contains(part), "{denied:#?}");
    }
    join("customer", "c2", "allow").await.expect_code(6);
    join("customer", "c1", "allow").await.expect_code(0);
    join("admin", "a1", "deny").await.expect_code(6);
}

/// The secret that is known here may be that of another server than the token's.
#[tokio::test]
async fn a_token_is_enough_although_the_secret_is_wrong() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let number = order["orderNumber"].as_str().unwrap();
    let cli = Cli::for_server(&server).secret("a-secret-that-the-server-does-not-know");
    let own = token("customer", "c1");
    let join = ["join", number, "--expect", "allow", "--token", &own];
    cli.run(&join).await.expect_code(0);
    let other = token("customer", "c2");
    let join = ["join", id_of(&order), "--expect", "deny", "--token", &other];
    let denied = cli.run(&join).await.expect_code(2);
    assert!(denied.stderr.contains("proves nothing"), "{denied:#?}");
}
