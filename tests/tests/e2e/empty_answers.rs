//! Servers that answer 2xx and say nothing: no command takes that for a success.

use metaia_tests::clients::cli::Cli;
use metaia_tests::faults::stub::Stub;
use metaia_tests::server::Listening;

/// Returns a server that answers each request with this body.
async fn answering(body: &str) -> (Stub, Cli) {
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    );
    let stub = Stub::answering(&[&answer]).await;
    let cli = Cli::for_url(&stub.url());
    (stub, cli)
}

#[tokio::test]
async fn an_answer_that_says_nothing_is_no_success_of_any_command() {
    for body in ["{}", r#"{"status":"success","data":{}}"#, r#"{"data":[]}"#] {
        let (_stub, cli) = answering(body).await;
        for args in [
            &["online", "u1"][..],
            &["online", "customer:u1"],
            &["sessions"],
            &["rooms"],
            &["refusals"],
            &["stats"],
            &["order", "ls"],
            &["order", "show", "o1"],
            &["order", "place", "--as", "customer:u1"],
            &["order", "move", "o1", "ready"],
            &["disconnect", "5d41402abc4b2a76b9719d911017c592"],
            &["emit", "user:u1", "note"],
            &["trigger", "new_notification", "--to", "user:u1"],
            &["trigger", "order_update", "--order", "o1"],
            &["join", "o1", "--as", "customer:u1", "--expect", "deny"],
            &["emit", "order:o1", "note"],
            &["matrix"],
        ] {
            let output = cli.run(args).await.expect_code(3);
            let says_why = output.stderr.contains("the answer is not METAIA's");
            assert!(says_why, "{body} {args:?}: {output:#?}");
        }
    }
}

#[tokio::test]
async fn a_user_who_is_not_in_the_answer_is_not_connected() {
    let other = r#"{"data":{"users":[{"user":"u2","online":true,"sessions":1}]}}"#;
    let (_stub, cli) = answering(other).await;
    let output = cli.run(&["online", "u1"]).await.expect_code(3);
    assert!(output.stderr.contains("no user u1"), "{output:#?}");
}

#[tokio::test]
async fn a_list_that_does_not_end_is_a_failure() {
    let order = r#"{"_id":"o1","orderNumber":"MT-1-A","status":"ready","customer":"u1"}"#;
    let repeated = format!(r#"{{"data":{{"orders":[{order}],"nextCursor":"c"}}}}"#);
    for (body, part) in [
        (repeated.as_str(), "the same cursor twice"),
        (
            r#"{"data":{"orders":[],"nextCursor":"c"}}"#,
            "an empty page",
        ),
    ] {
        let (_stub, cli) = answering(body).await;
        let output = cli.run(&["order", "ls"]).await.expect_code(1);
        assert!(output.stderr.contains(part), "{output:#?}");
    }
    let rooms = r#"{"data":{"rooms":[{"room":"r","sessions":1}],"nextCursor":"c"}}"#;
    let (_stub, cli) = answering(rooms).await;
    let output = cli.run(&["rooms"]).await.expect_code(1);
    assert!(output.stderr.contains("does not end"), "{output:#?}");
}

#[tokio::test]
async fn statistics_of_any_size_are_shown() {
    let large = i64::MAX;
    let stats = format!(r#"{{"a":{{"counts":[{large},{large}]}}}}"#);
    let body = format!(r#"{{"data":{{"sessions":1,"nodes":[{{}}],"stats":{stats}}}}}"#);
    let (_stub, cli) = answering(&body).await;
    let output = cli.run(&["stats"]).await.expect_code(0);
    assert!(output.stdout.contains(&large.to_string()), "{output:#?}");
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_said_to_be_that() {
    let (_stub, cli) = answering(&" ".repeat(9 * 1024 * 1024)).await;
    for args in [&["sessions"][..], &["order", "ls"], &["api", "get", "/x"]] {
        let output = cli.run(args).await.expect_code(3);
        let says_why = output.stderr.contains("the answer is larger than 8 MiB");
        assert!(says_why, "{args:?}: {output:#?}");
    }
}

#[tokio::test]
async fn mistakes_are_refused_before_the_server_is_asked() {
    // Nothing listens there.
    let cli = Cli::for_url("http://127.0.0.1:1");
    for (args, part) in [
        (&["refusals", "--since", "bla"][..], "RFC 3339"),
        (&["stats", "--watch", "0"], "100ms or more"),
        (&["order", "move", "o1", "shipped"], "out_for_delivery"),
        (&["online", "chef:u1"], "role"),
    ] {
        let output = cli.run(args).await.expect_code(2);
        assert!(output.stderr.contains(part), "{args:?}: {output:#?}");
    }
}
