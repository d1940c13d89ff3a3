//! Servers that answer slowly, endlessly or never, interrupts, and terminals.

use std::time::{Duration, Instant};

use metaia_tests::clients::cli::Cli;
use metaia_tests::faults::stub::Stub;
use metaia_tests::server::process::ProcessOutput;
use metaia_tests::server::{Listening, Server};
use serde_json::Value;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use super::{LIMIT, examine};

/// Returns a port at which connections are accepted, and nothing is ever answered.
async fn silent() -> (TcpListener, Cli) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let cli = Cli::for_url(&format!("http://{}", listener.local_addr().unwrap()));
    (listener, cli)
}

#[tokio::test]
async fn a_server_that_never_answers_takes_a_bounded_time() {
    let (_listener, cli) = silent().await;
    let words = ["no answer within 2 s", "--timeout sets a longer limit"];
    let examined = examine(&cli, &["customer:c1"]).await;
    examined.check(7, "doctor.server", &words);
    let by_tls = Cli::for_url(&format!("https://{}", _listener.local_addr().unwrap()));
    let examined = examine(&by_tls, &["customer:c1"]).await;
    examined.check(7, "doctor.server", &words);
}

/// A port whose queue of connections is full drops the packets of the next one, as a firewall does.
#[tokio::test]
async fn a_port_that_drops_packets_takes_a_bounded_time() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(connected) = timeout(Duration::from_millis(200), TcpStream::connect(address)).await
    {
        waiting.push(connected.unwrap());
    }
    let examined = examine(&Cli::for_url(&format!("http://{address}")), &[]).await;
    examined.check(7, "doctor.port", &["no answer within 2 s", "a firewall"]);
}

#[tokio::test]
async fn answers_without_an_end_are_bounded() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut drip = vec![head];
    drip.resize(400, "1\r\nx\r\n");
    let slow = Stub::answering(&drip).await;
    let examined = examine(&Cli::for_url(&slow.url()), &["customer:c1"]).await;
    assert!(examined.took < LIMIT, "{examined:#?}");
    let first = examined
        .findings
        .iter()
        .find(|finding| finding["ok"] == false);
    assert_eq!(first.unwrap()["id"], "doctor.server", "{examined:#?}");
    let page = "\x1b]0;title\x07".repeat(1_000_000);
    let length = format!("HTTP/1.1 500 No\r\nContent-Length: {}\r\n\r\n", page.len());
    let large = Stub::answering(&[&length, &page]).await;
    let cli = Cli::for_url(&large.url());
    let output = cli.run(&["doctor"]).await.expect_code(3);
    assert!(output.stdout.len() < 20_000, "{}", output.stdout.len());
    assert!(!output.output().contains(['\x1b', '\x07']), "{output:#?}");
}

#[tokio::test]
async fn an_interrupt_prints_what_is_known() {
    for format in ["text", "json", "ndjson"] {
        let (listener, cli) = silent().await;
        let process = cli.start(&["doctor", "--timeout", "40s", "-o", format]);
        // The one of the port, and the first request behind it.
        for _ in 0..2 {
            listener.accept().await.unwrap();
        }
        let sent = Instant::now();
        process.signal("INT").await;
        let output = process.wait_with_output().await.expect_code(130);
        assert!(sent.elapsed() < Duration::from_secs(3), "{output:#?}");
        assert!(
            output.stdout.contains("127.0.0.1 is an address"),
            "{output:#?}"
        );
        assert!(
            output.stdout.contains("not tried: interrupted"),
            "{output:#?}"
        );
    }
}

#[tokio::test]
async fn lines_for_programs_are_one_for_each_check() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    let output = cli.run(&["doctor", "-o", "ndjson"]).await.expect_code(0);
    let lines: Vec<Value> = output
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 13);
    for line in lines {
        let members: Vec<&String> = line.as_object().unwrap().keys().collect();
        assert_eq!(members, ["cause", "fix", "found", "id", "ms", "ok"]);
    }
}

fn last_line(output: &ProcessOutput) -> &str {
    output.stdout.lines().last().unwrap_or_default()
}

#[tokio::test]
async fn the_last_line_counts_and_names_the_first_problem() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    let output = cli.run(&["doctor"]).await.expect_code(0);
    assert_eq!(last_line(&output), "no problem found, no warnings");
    let options = ["doctor", "--event", "oder_update", "--color", "always"];
    let output = cli.run(&options).await.expect_code(6);
    let last = last_line(&output);
    assert!(last.starts_with("\x1b[31m"), "{last:?}");
    let first = "The first one that stops this client: event. Exit 6";
    assert!(last.contains(first), "{last}");
}

#[tokio::test]
async fn lines_are_wrapped_to_the_terminal() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server);
    for columns in [20, 80, 120] {
        let options = ["doctor", "--event", "oder_update", "--color", "never"];
        let terminal = cli.start_on_terminal_of_width(columns, &options);
        let finished = terminal.finish().await.expect_code(6);
        for line in finished.shown.lines().map(str::trim_end) {
            let width = line.chars().count();
            assert!(width <= usize::from(columns), "{columns}: {line:?}");
        }
    }
}
