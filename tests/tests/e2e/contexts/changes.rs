//! Adding, selecting and removing contexts.

use std::os::unix::fs::PermissionsExt as _;

use futures_util::future::join_all;

use super::{check_contains, cli, contexts_path, write_contexts};

#[tokio::test]
async fn a_context_that_is_replaced_stays_protected() {
    let cli = cli();
    let add = async |more: &[&str]| {
        let added = ["context", "add", "prod", "--url", "http://127.0.0.1:1"];
        cli.run(&[&added, more].concat()).await
    };
    let is_protected = async || {
        let written = cli
            .run(&["--context", "prod", "emit", "everyone", "x"])
            .await;
        written.stderr.contains("is protected")
    };
    add(&["--protected"]).await.expect_code(0);
    let replaced = add(&["--force"]).await.expect_code(0);
    check_contains(&replaced, &["prod stays protected", "--protected=false"]);
    assert!(is_protected().await);
    add(&["--force", "--protected=false"]).await.expect_code(0);
    assert!(!is_protected().await);
    add(&["--force"]).await.expect_code(0);
    assert!(!is_protected().await);
}

#[tokio::test]
async fn a_context_is_added_selected_listed_and_removed() {
    let cli = cli();
    let none = cli.run(&["context", "ls"]).await.expect_code(0);
    check_contains(&none, &["there is no context", "metaia context add"]);
    let local = [
        "context",
        "add",
        "local",
        "--url",
        "http://localhost:5000",
        "--data",
        "metaia-data",
    ];
    cli.run(&local).await.expect_code(0);
    let production = [
        "context",
        "add",
        "production",
        "--url",
        "https://api.example",
        "--token-from",
        "admin=cmd:op read x",
        "--api-key-from",
        "env:KEY",
        "--origin",
        "https://app.example",
        "--protected",
    ];
    cli.run(&production).await.expect_code(0);
    let mode = std::fs::metadata(contexts_path(&cli))
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    let again = cli.run(&local).await.expect_code(2);
    check_contains(&again, &["there is a context local", "--force replaces it"]);
    cli.run(&[&local[..], &["--force"]].concat())
        .await
        .expect_code(0);
    cli.run(&["context", "use", "local"]).await.expect_code(0);
    let listed = cli.run(&["context", "ls"]).await.expect_code(0).stdout;
    let expected = "* local       http://localhost:5000\n  \
                    production  https://api.example    protected";
    assert_eq!(listed, expected);
    let json = cli
        .run(&["context", "ls", "-o", "ndjson"])
        .await
        .expect_code(0);
    check_contains(&json, &["\"isCurrent\":true", "\"isProtected\":true"]);
    let removed = cli.run(&["context", "rm", "local"]).await.expect_code(0);
    check_contains(&removed, &["no context is the current one now"]);
    let text = std::fs::read_to_string(contexts_path(&cli)).unwrap();
    let folder = cli.folder().path().display();
    assert!(!text.contains(&folder.to_string()), "{text}");
    let expected = "[production]\nurl = \"https://api.example\"\n\
                    origin = \"https://app.example\"\napi_key = { env = \"KEY\" }\n\
                    tokens = { admin = { cmd = \"op read x\" } }\nprotected = true\n";
    assert!(text.ends_with(expected), "{text}");
}

#[tokio::test]
async fn contexts_that_are_added_at_the_same_time_are_all_kept() {
    let cli = cli();
    let names: Vec<String> = (0..12).map(|number| format!("c{number}")).collect();
    let added = names.iter().map(async |name| {
        let args = ["context", "add", name, "--url", "http://h"];
        cli.run(&args).await.expect_code(0)
    });
    join_all(added).await;
    let text = std::fs::read_to_string(contexts_path(&cli)).unwrap();
    for name in &names {
        assert!(text.contains(&format!("[{name}]")), "{name}: {text}");
    }
}

#[tokio::test]
async fn comments_stay_and_a_wrong_context_can_be_removed() {
    let cli = cli();
    let wrong = "# mine\n[a]\nurl = \"http://h\" # here\n\n# old\n[b]\nurll = \"http://h\"\n";
    write_contexts(&cli, wrong);
    cli.run(&["context", "ls"]).await.expect_code(2);
    cli.run(&["context", "rm", "b"]).await.expect_code(0);
    cli.run(&["context", "use", "a"]).await.expect_code(0);
    let text = std::fs::read_to_string(contexts_path(&cli)).unwrap();
    assert!(
        text.contains("# mine\n[a]\nurl = \"http://h\" # here"),
        "{text}"
    );
    cli.run(&["context", "ls"]).await.expect_code(0);
}

#[tokio::test]
async fn what_is_no_context_is_not_added() {
    let cli = cli();
    let add = async |args: &[&str]| {
        let args = [&["context", "add"], args].concat();
        cli.run(&args).await.expect_code(2)
    };
    let url = ["--url", "http://h"];
    check_contains(&add(&["a"]).await, &["needs the address", "--url"]);
    check_contains(&add(&["a", "--url", "h:1"]).await, &["not a server's URL"]);
    check_contains(
        &add(&[&["a b"], &url[..]].concat()).await,
        &["1 to 64 of A-Z"],
    );
    check_contains(&add(&[&["current"], &url[..]].concat()).await, &["current"]);
    for url in [
        "http://u:hunter2@h",
        "http://h?token=hunter2",
        "http://h#hunter2",
    ] {
        let refused = add(&["a", "--url", url]).await;
        assert!(!refused.output().contains("hunter2"), "{refused:#?}");
    }
    let secret = [&["a", "--api-key-from", "hunter2"], &url[..]].concat();
    check_contains(
        &add(&secret).await,
        &["env:VARIABLE, file:PATH or cmd:COMMAND"],
    );
    let token = add(&[&["a", "--token", "hunter2"], &url[..]].concat()).await;
    check_contains(&token, &["--token-from"]);
    let header = ["a", "--header", "Cookie: hunter2"];
    let header = add(&[&header[..], &url[..]].concat()).await;
    check_contains(&header, &["is a secret"]);
    assert!(!header.output().contains("hunter2"), "{header:#?}");
    let twice = [
        "a",
        "--token-from",
        "admin=env:A",
        "--token-from",
        "admin=env:B",
    ];
    let twice = add(&[&twice[..], &url[..]].concat()).await;
    check_contains(&twice, &["two tokens of admin"]);
    assert!(!contexts_path(&cli).exists());
}
