//! The references to secrets: a variable, a file, a command.

use metaia_tests::fixtures::token::{SECRET, token};
use metaia_tests::server::{API_KEY, Listening, Server};

use super::{check_contains, cli, contexts_path, sessions, write_contexts};

#[tokio::test]
async fn a_secret_is_in_a_variable_a_file_or_a_command() {
    let cli = cli();
    let server = Server::start().await;
    let url = server.url();
    let home = cli.folder().path().display().to_string();
    cli.folder().write("secrets/jwt", format!("  {SECRET}\n"));
    let text = format!(
        "[variable]\nurl = \"{url}\"\njwt_secret = {{ env = \"STAGING_SECRET\" }}\n\
         [file]\nurl = \"{url}\"\njwt_secret = {{ file = \"~/secrets/jwt\" }}\n\
         [command]\nurl = \"{url}\"\njwt_secret = {{ cmd = \"cat '{home}/secrets/jwt'\" }}\n"
    );
    write_contexts(&cli, &text);
    let path = std::env::var("PATH").unwrap_or_default();
    let cli = cli.env("STAGING_SECRET", SECRET).env("PATH", &path);
    for context in ["variable", "file", "command"] {
        let options = ["--context", context];
        assert_eq!(sessions(&cli, &options).await, 0, "{context}");
    }
    let minted = ["token", "mint", "--as", "customer:u1", "--context", "file"];
    let minted = cli.run(&minted).await.expect_code(0).stdout;
    let inspect = ["token", "inspect", minted.trim(), "--context", "command"];
    let report = cli.run(&inspect).await.expect_code(0);
    check_contains(&report, &["jwt_secret of the context command"]);
}

#[tokio::test]
async fn a_command_runs_once_and_only_if_its_secret_is_needed() {
    let cli = cli();
    let server = Server::start().await;
    let url = server.url();
    let script = |name: &str, secret: &str| format!("echo {name} >> runs; echo {secret}");
    let text = format!(
        "[a]\nurl = \"{url}\"\njwt_secret = {{ cmd = \"{}\" }}\napi_key = {{ cmd = \"{}\" }}\n",
        script("jwt", SECRET),
        script("key", API_KEY)
    );
    write_contexts(&cli, &text);
    let path = std::env::var("PATH").unwrap_or_default();
    let cli = cli.env("PATH", &path).env("METAIA_CONTEXT", "a");
    let runs = || std::fs::read_to_string(cli.folder().join("runs")).unwrap_or_default();
    cli.run(&["context", "show"]).await.expect_code(0);
    cli.run(&["context", "ls"]).await.expect_code(0);
    cli.run(&["api", "get", "/livez", "--anonymous"])
        .await
        .expect_code(0);
    assert_eq!(runs(), "");
    let connect = ["connect", "--as", "customer:u1", "--as", "tailor:t1"];
    cli.run_with_input(&connect, b"").await.expect_code(0);
    assert_eq!(runs(), "jwt\n");
    cli.run(&["emit", "everyone", "x"]).await.expect_code(0);
    assert_eq!(runs(), "jwt\nkey\n");
}

#[tokio::test]
async fn a_command_reads_no_input_and_what_it_says_is_in_no_log() {
    let cli = cli();
    let server = Server::start().await;
    let text = format!(
        "[a]\nurl = \"{}\"\n\
         jwt_secret = {{ cmd = \"cat; echo hunter2 >&2; printf %s '{SECRET}'\" }}\n",
        server.url()
    );
    write_contexts(&cli, &text);
    let path = std::env::var("PATH").unwrap_or_default();
    let cli = cli.env("PATH", &path).env("METAIA_CONTEXT", "a");
    let connect = ["connect", "--as", "customer:u1"];
    let output = cli.run_with_input(&connect, b"/wait 1ms\n").await;
    let output = output.expect_code(0);
    assert!(!output.output().contains("hunter2"), "{output:#?}");
}

#[tokio::test]
async fn a_command_may_ask_for_a_password_on_a_terminal() {
    let cli = cli();
    let text = "[a]\nurl = \"http://127.0.0.1:1\"\n\
                jwt_secret = { cmd = \"printf 'Password: ' >&2; read x; echo $x\" }\n";
    write_contexts(&cli, text);
    let args = ["sessions", "--context", "a"];
    let asked = cli.start_on_terminal(&args);
    asked.wait_for("Password: ").await;
    asked.enter("hunter2\r").await;
    asked.finish().await.expect_code(3);
}

#[tokio::test]
async fn a_secret_that_is_missing_is_one_message_with_its_cause_and_cure() {
    let cli = cli();
    cli.folder().write("empty", "\n");
    cli.folder().write("lines", "a\nb\n");
    let path = std::env::var("PATH").unwrap_or_default();
    let cli = cli.env("PATH", &path);
    for (reference, cause, cure) in [
        (
            "env = \"UNSET\"",
            "the variable UNSET is not set",
            "export UNSET=…",
        ),
        (
            "file = \"~/absent\"",
            "the file ~/absent does not exist",
            "write the secret",
        ),
        (
            "file = \"~/empty\"",
            "the file ~/empty gives nothing",
            "in one line",
        ),
        ("file = \"~/lines\"", "gives several lines", "in one line"),
        ("file = \"~\"", "is not a file", "write the secret"),
        ("file = \"/dev/zero\"", "is not a file", "write the secret"),
        (
            "cmd = \"echo hunter2; exit 3\"",
            "the command `echo hunter2; exit 3` ended with exit code 3",
            "by hand",
        ),
        (
            "cmd = \"true\"",
            "the command `true` gives nothing",
            "in one line",
        ),
        (
            "cmd = \"echo a; echo b\"",
            "gives several lines",
            "in one line",
        ),
        (
            "cmd = \"cat /dev/zero\"",
            "prints more than 64 KiB",
            "by hand",
        ),
    ] {
        let text = format!("[a]\nurl = \"http://127.0.0.1:1\"\njwt_secret = {{ {reference} }}\n");
        write_contexts(&cli, &text);
        let output = cli
            .run(&["sessions", "--context", "a"])
            .await
            .expect_code(2);
        check_contains(
            &output,
            &["jwt_secret of the context a", cause, "hint:", cure],
        );
        assert_eq!(output.stderr.lines().count(), 2, "{output:#?}");
    }
}

#[tokio::test]
async fn a_command_that_hangs_is_killed_after_10_seconds() {
    let cli = cli();
    let text = "[a]\nurl = \"http://127.0.0.1:1\"\njwt_secret = { cmd = \"sleep 600; true\" }\n";
    write_contexts(&cli, text);
    let path = std::env::var("PATH").unwrap_or_default();
    let cli = cli.env("PATH", &path);
    let output = cli
        .run(&["sessions", "--context", "a"])
        .await
        .expect_code(2);
    check_contains(
        &output,
        &["`sleep 600; true` was killed: it had not ended after 10 s"],
    );
}

#[tokio::test]
async fn commands_of_a_file_that_others_can_write_do_not_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let cli = cli();
    let text = "[a]\nurl = \"http://127.0.0.1:1\"\njwt_secret = { cmd = \"touch ran\" }\n";
    write_contexts(&cli, text);
    let mode = std::fs::Permissions::from_mode(0o666);
    std::fs::set_permissions(contexts_path(&cli), mode).unwrap();
    let output = cli
        .run(&["sessions", "--context", "a"])
        .await
        .expect_code(2);
    check_contains(&output, &["others can write", "chmod go-w"]);
    assert!(!cli.folder().join("ran").exists());
    // Other secrets of the same file are read: nobody else's command runs for them.
    let token = token("admin", "a1");
    cli.folder().write("token", token);
    let text = "[a]\nurl = \"http://127.0.0.1:1\"\ntoken = { file = \"~/token\" }\n";
    std::fs::write(contexts_path(&cli), text).unwrap();
    cli.run(&["sessions", "--context", "a"])
        .await
        .expect_code(3);
}
