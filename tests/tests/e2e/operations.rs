//! The commands of those who operate a server, and `metaia api`.

use metaia_tests::clients::cli::Cli;
use metaia_tests::clients::phone::Phone;
use metaia_tests::fixtures::{id_of, place_order};
use metaia_tests::server::Server;
use metaia_tests::server::process::ProcessOutput;
use serde_json::Value;

async fn start() -> (Server, Cli) {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    (server, cli)
}

fn objects(output: &ProcessOutput) -> Vec<Value> {
    let lines = output.stdout.lines();
    let parsed = lines.map(|line| serde_json::from_str(line).expect("a line of JSON"));
    parsed.collect()
}

async fn listed(cli: &Cli, args: &[&str]) -> Vec<Value> {
    let args = [args, &["-o", "ndjson"]].concat();
    objects(&cli.run(&args).await.expect_code(0))
}

#[tokio::test]
async fn who_is_online_is_listed_and_a_session_is_ended_by_one_command_each() {
    let (server, cli) = start().await;
    let _phone = Phone::ready_as(&server, "customer", "u1").await;
    let _other = Phone::ready_as(&server, "tailor", "t1").await;
    let sessions = listed(&cli, &["sessions"]).await;
    assert_eq!(sessions.len(), 2);
    let of_user = listed(&cli, &["sessions", "--user", "u1"]).await;
    assert_eq!(of_user.len(), 1);
    assert_eq!(of_user[0]["role"], "customer");
    let of_role = listed(&cli, &["sessions", "--role", "tailor"]).await;
    assert_eq!(of_role[0]["user"], "t1");
    let in_room = listed(&cli, &["sessions", "--room", "user-u1"]).await;
    assert_eq!(in_room.len(), 1);
    cli.run(&["online", "u1", "tailor:t1"]).await.expect_code(0);
    let some = cli.run(&["online", "u1", "nobody"]).await.expect_code(6);
    assert!(some.stdout.contains("nobody"), "{some:#?}");
    let in_another_role = cli.run(&["online", "tailor:u1", "u1"]).await.expect_code(6);
    let shown = &in_another_role.stdout;
    assert!(shown.contains("tailor:u1  not connected"), "{shown}");
    assert!(shown.contains("1 session"), "{shown}");
    let ended = listed(&cli, &["disconnect", "user:u1"]).await;
    assert_eq!(ended[0]["user"], "u1");
    let none = cli.run(&["disconnect", "user:u1"]).await.expect_code(1);
    assert!(none.stderr.contains("no session"), "{none:#?}");
}

#[tokio::test]
async fn a_session_is_ended_by_the_id_that_the_list_shows() {
    let (server, cli) = start().await;
    let _phone = Phone::ready_as(&server, "customer", "u1").await;
    let sessions = listed(&cli, &["sessions"]).await;
    let id = sessions[0]["id"].as_str().expect("an id");
    let ended = listed(&cli, &["disconnect", id]).await;
    assert_eq!(ended[0]["id"], id);
    cli.run(&["disconnect", id]).await.expect_code(1);
    cli.run(&["disconnect", "nonsense"]).await.expect_code(2);
}

#[tokio::test]
async fn rooms_and_statistics_are_those_of_the_server() {
    let (server, cli) = start().await;
    let _phone = Phone::ready_as(&server, "customer", "u1").await;
    let rooms = listed(&cli, &["rooms"]).await;
    let names: Vec<&Value> = rooms.iter().map(|room| &room["room"]).collect();
    assert_eq!(names, ["customer-room", "user-u1"]);
    let stats = cli.run(&["stats"]).await.expect_code(0);
    assert!(stats.stdout.contains("1 session on 1 node"), "{stats:#?}");
    assert!(stats.stdout.contains("connects.customer"), "{stats:#?}");
}

#[tokio::test]
async fn a_refusal_says_why_a_phone_does_not_connect() {
    let (_server, cli) = start().await;
    let damaged = ["tail", "--token", "damaged", "--for", "1s"];
    cli.run(&damaged).await.expect_code(4);
    let refusals = listed(&cli, &["refusals"]).await;
    assert_eq!(refusals[0]["code"], "unauthorized");
    assert_eq!(refusals[0]["transport"], "websocket");
    let program = refusals[0]["userAgent"].as_str().unwrap_or_default();
    assert!(program.starts_with("metaia/"), "{}", refusals[0]);
    let none = listed(&cli, &["refusals", "--since", "2100-01-01T00:00:00Z"]).await;
    assert!(none.is_empty(), "{none:?}");
    let recent = listed(&cli, &["refusals", "--since", "5m"]).await;
    assert_eq!(recent.len(), 1);
    let bad = cli.run(&["refusals", "--since", "yesterday"]).await;
    assert!(bad.expect_code(2).stderr.contains("RFC 3339"));
}

#[tokio::test]
async fn refusals_are_followed_while_they_happen() {
    let (_server, cli) = start().await;
    let following = cli.start(&["refusals", "--follow"]);
    let damaged = ["tail", "--token", "damaged", "--for", "1s"];
    cli.run(&damaged).await.expect_code(4);
    let shows = |line: &String| line.contains("unauthorized");
    following.stdout.first("the refusal", shows).await;
}

#[tokio::test]
async fn operations_are_for_admins() {
    let (_server, cli) = start().await;
    for command in ["sessions", "rooms", "stats", "refusals"] {
        let args = [command, "--as", "customer:u1"];
        cli.run(&args).await.expect_code(5);
    }
}

#[tokio::test]
async fn api_sends_one_request_and_prints_its_answer() {
    let (server, cli) = start().await;
    let order = place_order(&server, "u1").await;
    let path = format!("/api/orders/{}", id_of(&order));
    let as_customer = ["api", "get", &path, "--as", "customer:u1"];
    let whole = cli.run(&as_customer).await.expect_code(0);
    let whole: Value = serde_json::from_str(&whole.stdout).expect("JSON");
    assert_eq!(whole["data"]["order"]["status"], "pending");
    let jq = [&as_customer[..], &["--jq", ".data.order.status"]].concat();
    assert_eq!(cli.run(&jq).await.expect_code(0).stdout.trim(), "pending");
    let status = format!("{path}/status");
    let put = [
        "api",
        "PUT",
        &status,
        "status=confirmed",
        "--as",
        "admin:a1",
    ];
    let stale = [&put[..], &["--if-match", "7"]].concat();
    let refused = cli.run(&stale).await.expect_code(1);
    assert!(refused.stdout.contains("412"), "{refused:#?}");
    let current = [&put[..], &["--if-match", "1"]].concat();
    cli.run(&current).await.expect_code(0);
}

#[tokio::test]
async fn api_has_the_exit_codes_of_the_other_commands() {
    let (_server, cli) = start().await;
    let missing = "/api/orders/000000000000000000000000";
    let stranger = ["api", "get", missing, "--as", "customer:u1"];
    cli.run(&stranger).await.expect_code(1);
    let sessions = "/api/realtime/sessions";
    let forbidden = ["api", "get", sessions, "--as", "customer:u1"];
    let forbidden = cli.run(&forbidden).await.expect_code(5);
    assert!(forbidden.stdout.contains("\"forbidden\""), "{forbidden:#?}");
    cli.run(&["api", "get", sessions, "--anonymous"])
        .await
        .expect_code(4);
    cli.run(&["api", "get", "/readyz", "--anonymous"])
        .await
        .expect_code(0);
    for (args, part) in [
        (&["get", "api/orders", "--anonymous"][..], "begins with /"),
        (&["fetch", "/", "--anonymous"], "get, post, put or delete"),
        (
            &["get", "/readyz", "--anonymous", "--jq", ".a |"],
            "at its end",
        ),
    ] {
        let args = [&["api"], args].concat();
        let output = cli.run(&args).await.expect_code(2);
        assert!(output.stderr.contains(part), "{args:?}: {output:#?}");
    }
}

#[tokio::test]
async fn api_asks_without_a_token_if_nobody_is_named() {
    let (_server, cli) = start().await;
    let public = cli.run(&["api", "get", "/livez"]).await.expect_code(0);
    assert_eq!(public.stderr, "", "{public:#?}");
    let private = cli.run(&["api", "get", "/api/orders"]).await.expect_code(4);
    let said = "the request has no credentials: use --as or --token";
    assert!(private.stderr.contains(said), "{private:#?}");
}

#[tokio::test]
async fn orders_are_listed_in_columns_that_fit_the_terminal() {
    let (server, cli) = start().await;
    let first = place_order(&server, "u1").await;
    place_order(&server, "a-customer-with-a-long-name").await;
    let move_first = ["order", "move", id_of(&first), "confirmed"];
    cli.run(&move_first).await.expect_code(0);
    let listed = cli.run(&["order", "ls"]).await.expect_code(0).stdout;
    let starts: Vec<_> = listed.lines().map(|line| line.find("customer ")).collect();
    assert_eq!(starts.len(), 2, "{listed}");
    assert_eq!(starts[0], starts[1], "{listed}");
    let terminal = cli.start_on_terminal_of_width(80, &["order", "ls"]);
    terminal.wait_for("…").await;
}

#[tokio::test]
async fn a_request_with_a_key_is_carried_out_once() {
    let (_server, cli) = start().await;
    let body = r#"items:=[{"garment":"kurta","quantity":1,"price":5}]"#;
    let args = [
        "api",
        "post",
        "/api/orders",
        body,
        "--as",
        "customer:u1",
        "--idempotency-key",
        "k1",
        "--jq",
        ".data.order._id",
    ];
    let first = cli.run(&args).await.expect_code(0).stdout;
    let second = cli.run(&args).await.expect_code(0).stdout;
    assert_eq!(first, second);
}

#[tokio::test]
async fn an_order_is_placed_assigned_moved_and_cancelled_by_one_command_each() {
    let (_server, cli) = start().await;
    let placed = listed(&cli, &["order", "place", "--as", "customer:u1"]).await;
    let number = placed[0]["orderNumber"].as_str().expect("a number");
    let assigned = [
        "order",
        "assign",
        number,
        "--tailor",
        "t1",
        "--courier",
        "d1",
    ];
    let assigned = listed(&cli, &assigned).await;
    assert_eq!(assigned[0]["tailor"], "t1");
    assert_eq!(assigned[0]["deliveryPartner"], "d1");
    let stale = ["order", "move", number, "confirmed", "--if-match", "9"];
    cli.run(&stale).await.expect_code(1);
    let moved = listed(&cli, &["order", "move", number, "confirmed"]).await;
    assert_eq!(moved[0]["status"], "confirmed");
    let as_tailor = ["order", "move", number, "in_progress", "--as", "tailor:t1"];
    assert_eq!(listed(&cli, &as_tailor).await[0]["status"], "in_progress");
    let shown = cli.run(&["order", "show", number]).await.expect_code(0);
    for part in [
        number,
        "in_progress",
        "₹16,100.00",
        "customer u1",
        "courier d1",
    ] {
        assert!(shown.stdout.contains(part), "no {part}: {shown:#?}");
    }
    let cancelled = listed(&cli, &["order", "cancel", number]).await;
    assert_eq!(cancelled[0]["status"], "cancelled");
    let of_others = ["order", "ls", "--as", "customer:u2"];
    assert!(listed(&cli, &of_others).await.is_empty());
    let of_status = [
        "order",
        "ls",
        "--status",
        "cancelled",
        "--as",
        "customer:u1",
    ];
    assert_eq!(listed(&cli, &of_status).await.len(), 1);
}

#[tokio::test]
async fn all_pages_of_orders_are_listed_and_members_of_an_order_may_be_given() {
    let (server, cli) = start().await;
    for _ in 0..55 {
        place_order(&server, "u1").await;
    }
    let all = listed(&cli, &["order", "ls", "--as", "customer:u1"]).await;
    assert_eq!(all.len(), 55);
    let args = ["order", "place", "tailor=t9", "--as", "customer:u2"];
    let placed = listed(&cli, &args).await;
    assert_eq!(placed[0]["tailor"], "t9");
    assert_eq!(placed[0]["items"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_refused_action_on_an_order_says_why() {
    let (server, cli) = start().await;
    let order = place_order(&server, "u1").await;
    let id = id_of(&order);
    let illegal = cli.run(&["order", "move", id, "delivered"]).await;
    let illegal = illegal.expect_code(1);
    assert!(
        illegal.stderr.contains("illegal_transition"),
        "{illegal:#?}"
    );
    let stranger = ["order", "show", id, "--as", "customer:u2"];
    cli.run(&stranger).await.expect_code(1);
    cli.run(&["order", "assign", id]).await.expect_code(2);
    cli.run(&["order", "show", "a b"]).await.expect_code(2);
}

#[tokio::test]
async fn a_header_that_replaces_the_token_is_refused_by_every_command_of_rest() {
    let (_server, cli) = start().await;
    let header = ["--header", "Authorization: Basic eDp5"];
    for command in [
        &["emit", "user:u1", "note", "--as", "admin:a1"][..],
        &["sessions"],
        &["order", "ls"],
        &["api", "get", "/api/orders", "--as", "admin:a1"],
    ] {
        let args = [command, &header].concat();
        let output = cli.run(&args).await.expect_code(2);
        assert!(output.stderr.contains("Authorization"), "{output:#?}");
    }
}
