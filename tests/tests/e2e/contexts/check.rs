//! `metaia context check`.

use metaia_tests::fixtures::token::{SECRET, token};
use metaia_tests::server::{API_KEY, Listening, Server};

use super::{check_contains, cli, write_contexts};

#[tokio::test]
async fn a_good_context_is_good_in_each_part() {
    let cli = cli();
    let server = Server::start().await;
    let text = format!(
        "[a]\nurl = \"{}\"\norigin = \"http://app\"\njwt_secret = {{ env = \"S\" }}\n\
         api_key = {{ env = \"K\" }}\ntokens = {{ admin = {{ env = \"T\" }} }}\nprotected = true\n",
        server.url()
    );
    write_contexts(&cli, &text);
    let token = token("admin", "boss");
    let cli = cli.env("S", SECRET).env("K", API_KEY).env("T", &token);
    let output = cli.run(&["context", "check", "--context", "a"]).await;
    let output = output.expect_code(0);
    check_contains(
        &output,
        &[
            "✓ context  http://127.0.0.1:",
            "✓ jwt_secret  set, by variable S",
            "✓ server  is alive",
            "✓ tokens.admin  is accepted, as admin:boss",
            "✓ jwt_secret  is accepted, as admin:metaia-cli",
            "· api_key  not sent",
        ],
    );
    assert!(!output.output().contains(API_KEY), "{output:#?}");
    let json = ["context", "check", "--context", "a", "-o", "ndjson"];
    let json = cli.run(&json).await.expect_code(0);
    check_contains(&json, &[r#"{"name":"server","status":"good""#]);
}

#[tokio::test]
async fn the_exit_code_is_that_of_the_first_part_that_is_not_good() {
    let cli = cli();
    let server = Server::start().await;
    let url = server.url();
    let check = async |contexts: &str, code: i32| {
        write_contexts(&cli, contexts);
        let output = cli.run(&["context", "check", "--context", "a"]).await;
        output.expect_code(code)
    };
    let missing = format!(
        "[a]\nurl = \"{url}\"\njwt_secret = {{ env = \"UNSET\" }}\ntoken = {{ file = \"~/t\" }}\n"
    );
    cli.folder().write("t", token("admin", "boss"));
    let output = check(&missing, 2).await;
    check_contains(
        &output,
        &[
            "✗ jwt_secret  ",
            "UNSET is not set",
            "✓ token  is accepted, as admin:boss",
        ],
    );
    let wrong = format!("[a]\nurl = \"{url}\"\njwt_secret = {{ file = \"~/wrong\" }}\n");
    cli.folder()
        .write("wrong", "of-another-server-0123456789abcdef01234567");
    let output = check(&wrong, 4).await;
    check_contains(&output, &["✓ server", "✗ jwt_secret", "hint:"]);
    let other_role =
        format!("[a]\nurl = \"{url}\"\ntokens = {{ tailor = {{ file = \"~/t\" }} }}\n");
    let output = check(&other_role, 2).await;
    check_contains(&output, &["✗ tokens.tailor", "the token of admin:boss"]);
    let folder = format!("[a]\nurl = \"{url}\"\ndata = \"no-data\"\n");
    let output = check(&folder, 2).await;
    let parts = ["✓ server", "✗ sign-in", "no-data/jwt-secret does not exist"];
    check_contains(&output, &parts);
    let address = format!("[a]\nurl = \"{url}\"\n");
    check_contains(&check(&address, 0).await, &["· sign-in"]);
    let output = check("[a]\nurl = \"http://127.0.0.1:1\"\n", 3).await;
    check_contains(&output, &["✗ server", "127.0.0.1"]);
    let none = cli.run(&["context", "check"]).await.expect_code(2);
    check_contains(&none, &["no context is in use"]);
}
