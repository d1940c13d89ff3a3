//! Files without an end, and pipes without a writer: no command reads on for ever.

use metaia_tests::clients::cli::Cli;

/// The address at which nothing listens.
const NOWHERE: &str = "http://127.0.0.1:9";

#[tokio::test]
async fn a_file_without_an_end_is_a_usage_error_of_every_option() {
    let cli = Cli::for_url(NOWHERE);
    for args in [
        &["emit", "user:u1", "x", "@/dev/zero"][..],
        &["trigger", "order_update", "--set", "@/dev/zero"],
        &["api", "POST", "/api/orders", "@/dev/zero"],
        &["order", "place", "--as", "customer:u1", "@/dev/zero"],
        &["sessions", "--token-file", "/dev/zero"],
        &["sessions", "--cacert", "/dev/zero"],
        &["matrix", "--golden", "/dev/zero"],
        &["matrix", "--golden", "/dev/zero", "--update"],
        &["test", "/dev/zero"],
    ] {
        let output = cli.run(args).await.expect_code(2);
        assert!(output.stderr.contains("/dev/zero"), "{args:?}: {output:#?}");
    }
}

#[tokio::test]
async fn a_payload_and_a_token_may_come_from_a_pipe() {
    let cli = Cli::for_url(NOWHERE);
    let args = ["emit", "user:u1", "x", "@/dev/stdin"];
    let sent = cli.run_with_input(&args, br#"{"a":1}"#).await;
    sent.expect_code(3);
    let args = ["sessions", "--token-file", "/dev/stdin"];
    cli.run_with_input(&args, b"a.b.c").await.expect_code(3);
}

#[tokio::test]
async fn a_dot_env_without_an_end_stops_no_command() {
    let cli = Cli::for_url(NOWHERE);
    for make in ["mkfifo .env", "ln -s /dev/zero .env"] {
        let script = format!("{make} && $METAIA sessions; code=$?; rm .env; exit $code");
        let output = cli.shell(&script).await.expect_code(2);
        for part in ["a pipe or a device", "hint:"] {
            assert!(output.stderr.contains(part), "{make}: {output:#?}");
        }
    }
    let script = "ln -s /dev/null .env && $METAIA sessions";
    cli.shell(script).await.expect_code(3);
}
