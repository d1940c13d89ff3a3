//! Bad input: one message with cause and cure, and code 2.

use metaia_tests::clients::cli::Cli;
use metaia_tests::server::process::ProcessOutput;

use super::{check_contains, cli, contexts_path, write_contexts};

/// Runs a command that needs the context in use, which must fail with one message.
async fn refused(cli: &Cli, args: &[&str]) -> ProcessOutput {
    let output = cli.run(&[&["sessions"], args].concat()).await;
    let output = output.expect_code(2);
    assert!(!output.output().contains("hunter2"), "{output:#?}");
    let errors = output
        .stderr
        .lines()
        .filter(|line| line.starts_with("error:"));
    assert_eq!(errors.count(), 1, "{output:#?}");
    output
}

#[tokio::test]
async fn a_certificate_that_is_missing_names_its_context_and_the_cure() {
    let cli = cli();
    write_contexts(&cli, "[a]\nurl = \"https://h\"\ncacert = \"/nope.pem\"\n");
    let output = cli
        .run(&["--context", "a", "sessions"])
        .await
        .expect_code(2);
    let parts = [
        "/nope.pem cannot be used by cacert of the context a",
        "correct cacert in contexts.toml",
    ];
    check_contains(&output, &parts);
    let output = cli.run(&["sessions", "--token-file", "/nope"]).await;
    check_contains(&output.expect_code(2), &["/nope cannot be read", "hint: "]);
}

#[tokio::test]
async fn an_api_key_is_a_cure_where_it_is_one_and_that_of_the_environment_is_not_used() {
    let cli = cli();
    write_contexts(&cli, "[a]\nurl = \"http://h\"\n");
    let cli = cli.env("METAIA_API_KEY", "k");
    let emit = ["--context", "a", "emit", "everyone", "x"];
    let output = cli.run(&emit).await.expect_code(2);
    let parts = [
        "METAIA_API_KEY is set, and not used: --context a",
        "has no jwt_secret",
        "api_key of the context in use, does, too",
    ];
    check_contains(&output, &parts);
    let output = cli.run(&["--context", "a", "sessions"]).await;
    assert!(!output.expect_code(2).stderr.contains("does, too"));
}

#[tokio::test]
async fn without_a_home_the_cure_is_a_home() {
    let cli = cli().env("HOME", "");
    let output = cli
        .run(&["--context", "a", "sessions"])
        .await
        .expect_code(2);
    check_contains(&output, &["neither XDG_CONFIG_HOME nor HOME", "set HOME"]);
    assert!(!output.stderr.contains("context add"), "{output:#?}");
}

#[tokio::test]
async fn a_secret_on_the_command_line_is_not_repeated() {
    let cli = cli();
    let add = ["context", "add", "a", "--url", "http://h"];
    for option in [
        &["--token-from", "hunter2"][..],
        &["--token-from", "hunter2=x"],
        &["--token-from", "admin=hunter2"],
        &["--jwt-secret-from", "hunter2"],
        &["--api-key-from", "hunter2"],
        &["--header", "Cookie hunter2"],
        &["--header", "hunter2"],
    ] {
        let output = cli.run(&[&add, option].concat()).await.expect_code(2);
        assert!(!output.output().contains("hunter2"), "{output:#?}");
        check_contains(&output, &[option[0]]);
    }
}

#[tokio::test]
async fn each_mistake_in_the_file_is_one_message() {
    let cli = cli();
    let url = "url = \"http://127.0.0.1:1\"\n";
    // Any text: it is not sent.
    let token = "token = { env = \"HOME\" }\n";
    for (text, parts) in [
        (
            format!("[a]\n{url}tokn = {{ env = \"X\" }}\n"),
            &[
                "~/.config/metaia/contexts.toml:3:1",
                "did you mean `token`?",
                "3 | tokn",
            ][..],
        ),
        (
            format!("[a]\n{url}api_key = \"hunter2\"\n"),
            &[
                "contexts.toml:3:11",
                "is a secret",
                "env = ",
                "file = ",
                "cmd = ",
            ],
        ),
        (
            format!("[a]\n{url}api_key = hunter2\n"),
            &["contexts.toml:3:", "not TOML"],
        ),
        (
            format!("current = \"production\"\n[a]\n{url}"),
            &[
                "no context production in ~/.config/metaia/contexts.toml",
                "`current` of contexts.toml",
                "metaia context use",
            ],
        ),
        ("[a]\n".to_owned(), &["has no `url`", "add url"]),
        (url.to_owned(), &["outside of a context", "[local]"]),
        (format!("[\"a b\"]\n{url}"), &["wrong name"]),
        (
            format!("[a]\nurl = \"h:1\"\n{token}"),
            &["h:1 (from the context a)", "not a server's URL"],
        ),
        (
            format!("[a]\nurl = \"http://u:hunter2@h\"\n{token}"),
            &["contexts.toml:2:7", "has a user or a password"],
        ),
        (
            format!("[a]\n{url}cacert = \"absent.pem\"\n"),
            &["absent.pem"],
        ),
    ] {
        write_contexts(&cli, &text);
        let args: &[&str] = if text.starts_with("current") {
            &[]
        } else {
            &["--context", "a"]
        };
        check_contains(&refused(&cli, args).await, parts);
    }
}

#[tokio::test]
async fn what_is_no_file_of_text_is_refused() {
    let cli = cli();
    write_contexts(&cli, "");
    let unknown = refused(&cli, &["--context", "a"]).await;
    check_contains(&unknown, &["there is no context a", "metaia context add a"]);
    std::fs::write(contexts_path(&cli), b"# \xff\xfe\n").unwrap();
    check_contains(&refused(&cli, &[]).await, &["is not UTF-8", "hint: "]);
    std::fs::remove_file(contexts_path(&cli)).unwrap();
    std::fs::create_dir(contexts_path(&cli)).unwrap();
    check_contains(&refused(&cli, &[]).await, &["is not a file", "hint: "]);
    for args in [
        &["context", "add", "a", "--url", "http://h"][..],
        &["context", "ls"],
        &["context", "show"],
    ] {
        let output = cli.run(args).await.expect_code(2);
        check_contains(&output, &["is not a file"]);
    }
}

#[tokio::test]
async fn commands_that_need_no_context_read_no_file() {
    let cli = cli();
    write_contexts(&cli, "not TOML");
    cli.folder().write("metaia.toml", "not TOML");
    for args in [
        &["explain", "forbidden"][..],
        &["completions", "bash"],
        &["man"],
    ] {
        cli.run(args).await.expect_code(0);
    }
    // An address decides alone.
    let args = [
        "api",
        "get",
        "/",
        "--anonymous",
        "--url",
        "http://127.0.0.1:1",
    ];
    cli.run(&args).await.expect_code(3);
}

#[tokio::test]
async fn a_project_has_no_secrets_and_no_addresses() {
    let cli = cli();
    write_contexts(&cli, "[a]\nurl = \"http://127.0.0.1:1\"\n");
    for (text, parts) in [
        (
            "context = \"a\"\napi_key = \"hunter2\"\n",
            &[
                "metaia.toml:2:1",
                "does not belong in metaia.toml",
                "shared with others",
            ][..],
        ),
        ("[a]\nurl = \"http://h\"\n", &["does not belong"]),
        ("context = 7\n", &["metaia.toml:1:11"]),
        ("context = \"a b\"\n", &["1 to 64 of A-Z"]),
        (
            "context = \"b\"\n",
            &["no context b", "did you mean a?", "metaia.toml"],
        ),
    ] {
        cli.folder().write("metaia.toml", text);
        check_contains(&refused(&cli, &[]).await, parts);
    }
}

#[tokio::test]
async fn a_name_that_is_none_is_refused() {
    let cli = cli();
    let option = cli.run(&["sessions", "--context", "a b"]).await;
    check_contains(&option.expect_code(2), &["1 to 64 of A-Z"]);
    let cli = cli.env("METAIA_CONTEXT", "a b");
    check_contains(&refused(&cli, &[]).await, &["METAIA_CONTEXT: the name"]);
    for command in ["use", "rm"] {
        let output = cli.run(&["context", command, "absent"]).await;
        check_contains(&output.expect_code(2), &["there is no context absent"]);
    }
    let applies = cli.run(&["context", "ls", "--context", "a"]).await;
    check_contains(&applies.expect_code(2), &["--context does not apply"]);
}
