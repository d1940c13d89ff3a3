//! Runs the JavaScript and Python programs of `docs/clients.md` and checks that they do what the
//! page says; [`testing_your_app`] runs the commands and scenarios of the page of that name,
//! and [`security`] looks for the tests that `SECURITY.md` names.

mod security;
mod testing_your_app;

use metaia_tests::eventually::eventually;
use metaia_tests::fixtures::snippets;
use metaia_tests::fixtures::token::{Token, in_seconds, token};
use metaia_tests::fixtures::{emit, id_of, place_order, place_order_at, set_status};
use metaia_tests::server::paths;
use metaia_tests::server::process::Process;
use metaia_tests::server::temp_folder::TempFolder;
use metaia_tests::server::{Server, Setup};
use serde_json::json;

const LANGUAGES: [&str; 2] = ["javascript", "python"];

/// Waits until the program prints this text. Python runs each handler in its own thread, so two
/// texts may be on one line.
async fn wait_for_text(program: &Process, expected: &str) {
    program
        .stdout
        .first(expected, |line| line.contains(expected))
        .await;
}

#[test]
fn every_program_of_the_page_is_run_here() {
    let names = ["connecting", "rooms", "resume", "tokens"];
    let run = LANGUAGES.map(|language| names.map(|name| format!("{language} {name}")));
    assert_eq!(snippets::names(), run.concat());
}

#[tokio::test]
async fn every_setting_of_the_server_is_in_the_page() {
    let page = std::fs::read_to_string(paths::package_path("../docs/events.md")).unwrap();
    let shown = Process::run(Setup::new().command_with(&["config"]))
        .await
        .expect_code(0);
    let names: Vec<_> = shown
        .stdout
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.contains(&"PORT"), "{shown:#?}");
    for name in names {
        assert!(
            page.contains(&format!("`{name}`")),
            "{name} is not in docs/events.md"
        );
    }
}

#[tokio::test]
async fn connecting() {
    for language in LANGUAGES {
        let server = Server::start().await;
        let folder = TempFolder::new();
        let name = format!("{language} connecting");
        let program = snippets::start(&name, &folder, &server, &token("customer", "c1"), "");
        wait_for_text(&program, "connected").await;
        place_order(&server, "c1").await;
        wait_for_text(&program, "order: pending").await;
        wait_for_text(&program, "notification: ").await;

        let refused = snippets::start(&name, &folder, &server, "not-a-token", "");
        refused
            .stdout
            .first("the refusal", |line| {
                line.starts_with("refused: ") && line.contains("unauthorized")
            })
            .await;
    }
}

#[tokio::test]
async fn rooms() {
    for language in LANGUAGES {
        let server = Server::start().await;
        let order = place_order_at(&server, "c1", "t1").await;
        let id = id_of(&order);
        set_status(&server, id, "confirmed").await;
        let folder = TempFolder::new();
        let name = format!("{language} rooms");
        let program = snippets::start(&name, &folder, &server, &token("tailor", "t1"), id);
        wait_for_text(&program, &format!("join: ok order-{id}")).await;
        server
            .api("tailor", "t1")
            .put("/api/tailors/me/status", &json!({"status": "busy"}))
            .await
            .ok(200);
        wait_for_text(&program, "tailor: busy").await;
        metaia_tests::fixtures::assign(&server, id, &json!({"tailor": "t2"})).await;
        wait_for_text(&program, &format!("left: order-{id} access_revoked")).await;

        let stranger = snippets::start(&name, &folder, &server, &token("customer", "c2"), id);
        wait_for_text(&stranger, "join: error forbidden").await;
    }
}

#[tokio::test]
async fn resume() {
    for (language, fresh, resumed) in [
        ("javascript", "ready: false 0", "ready: true "),
        ("python", "ready: False 0", "ready: True "),
    ] {
        let server = Server::start().await;
        let order = place_order(&server, "c1").await;
        let id = id_of(&order);
        let folder = TempFolder::new();
        let name = format!("{language} resume");
        let customer = token("customer", "c1");
        let mut program = snippets::start(&name, &folder, &server, &customer, id);
        wait_for_text(&program, fresh).await;
        set_status(&server, id, "confirmed").await;
        wait_for_text(&program, "order: confirmed").await;
        let position = folder.join("position");
        let before = eventually("the position to be written", async || {
            std::fs::read_to_string(&position)
                .ok()
                .filter(|text| !text.is_empty())
        })
        .await;
        program.kill().await;

        emit(&server, &json!({"order": id}), "chat", &json!({})).await;
        let body = json!({"status": "cancelled"});
        server
            .admin()
            .put(&format!("/api/orders/{id}/status"), &body)
            .await
            .ok(200);
        // The position that the program wrote last before the kill is unknown, because it may have
        // received more events.
        folder.write("position", before);
        let program = snippets::start(&name, &folder, &server, &customer, id);
        wait_for_text(&program, "order: cancelled").await;
        wait_for_text(&program, resumed).await;
    }
}

#[tokio::test]
async fn tokens() {
    for language in LANGUAGES {
        let server = Server::start().await;
        let folder = TempFolder::new();
        let exp = in_seconds(4);
        let claims = json!({"userId": "c1", "role": "customer", "exp": exp});
        let short = Token::with_claims(&claims).sign();
        folder.write("next-token", token("customer", "c1"));
        let name = format!("{language} tokens");
        let program = snippets::start(&name, &folder, &server, &short, "");
        wait_for_text(&program, "refresh: ok ").await;
        eventually("the first token to end", async || {
            (in_seconds(0) > exp).then_some(())
        })
        .await;
        let sessions = server.admin().get("/api/realtime/sessions?user=c1").await;
        assert_eq!(sessions.data(200)["sessions"].as_array().unwrap().len(), 1);
    }
}
