//! Completion with Tab: each kind of name, once and several times.

use metaia_tests::clients::cli::Cli;
use metaia_tests::clients::terminal::Terminal;
use metaia_tests::fixtures::{emit, id_of, place_order};
use metaia_tests::server::Server;
use serde_json::json;

use super::{PROMPT, cancel_and_end, end, start};

/// Types a text and Tab, waits until the line is `line`, and cancels it.
async fn check(terminal: &Terminal, typed: &str, line: &str) {
    terminal.enter(&format!("{typed}\t")).await;
    // The mark shows the white space behind a name.
    terminal.enter("|").await;
    terminal
        .wait_for_last_row(&format!("{PROMPT} {line}|"))
        .await;
    terminal.enter("\x03").await;
    terminal.wait_for_last_row(PROMPT).await;
}

#[tokio::test]
async fn each_kind_of_name_is_completed() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let id = id_of(&order);
    let number = order["orderNumber"].as_str().unwrap();
    let cli = Cli::for_server(&server);
    cli.folder().write("big.json", "{}");
    cli.folder().write("my file.json", "{}");
    let terminal = start(&cli, 120).await;
    check(&terminal, "/jo", "/join ").await;
    check(&terminal, "@cu", "@customer:c1 ").await;
    check(&terminal, "@customer:c1 /le", "@customer:c1 /leave ").await;
    check(&terminal, "/emit jo", "/emit join_order_room ").await;
    check(&terminal, "/emit x @b", "/emit x @big.json ").await;
    check(&terminal, "/emit x @m", r"/emit x @my\ file.json ").await;
    // Nothing was seen or joined yet.
    check(&terminal, "/join M", "/join M").await;
    check(&terminal, "/leave ", "/leave ").await;
    let data = json!({"orderId": id, "orderNumber": number});
    emit(&server, &json!({"user": "c1"}), "stock_low", &data).await;
    terminal.wait_for("stock_low").await;
    check(&terminal, "/join M", &format!("/join {number} ")).await;
    check(&terminal, "/join \"M", &format!("/join \"{number}\" ")).await;
    check(
        &terminal,
        &format!("/join {}", &id[..4]),
        &format!("/join {id} "),
    )
    .await;
    check(&terminal, "/await st", "/await stock_low ").await;
    terminal.enter(&format!("/join {id}\r")).await;
    terminal.wait_for(&format!("join {id}: ok")).await;
    check(&terminal, "/leave ", &format!("/leave {id} ")).await;
    end(terminal).await;
}

#[tokio::test]
async fn several_names_are_listed_above_the_line() {
    let server = Server::start().await;
    let terminal = start(&Cli::for_server(&server), 80).await;
    terminal.enter("/await rt:\t").await;
    let rows = terminal
        .wait_for_rows("the list and the line below it", |rows| {
            let last = rows
                .last()
                .is_some_and(|row| *row == format!("{PROMPT} /await rt:"));
            last && rows.iter().any(|row| row.starts_with("rt:drain"))
        })
        .await;
    insta::assert_snapshot!(rows[rows.len() - 2..].join("\n"), @r"
    rt:drain      rt:error      rt:expiring   rt:position   rt:room_left
    customer:c1› /await rt:
    ");
    // Events are shown while the person reads the list.
    emit(&server, &json!({"user": "c1"}), "meanwhile", &json!({})).await;
    terminal.wait_for(" meanwhile ").await;
    terminal
        .wait_for_last_row(&format!("{PROMPT} /await rt:"))
        .await;
    cancel_and_end(terminal, PROMPT).await;
}
