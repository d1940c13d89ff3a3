//! A reader of the log, or of standard output, that stands still.

use std::time::{Duration, Instant};

use metaia_tests::clients::phone::Phone;
use metaia_tests::eventually::eventually;
use metaia_tests::fixtures::place_order;
use metaia_tests::server::process::Process;
use metaia_tests::server::rest::{Api, http_client};
use metaia_tests::server::{Server, Setup};

use super::{Pipe, lose_lines, metric, redirected};

/// Returns a server whose log goes to a pipe that nobody reads, with all of its lines.
async fn unread() -> (Server, Pipe) {
    let setup = Setup::new().env("RUST_LOG", "debug");
    let pipe = Pipe::new(&setup);
    let redirection = format!("2>{}", pipe.path.display());
    let server = redirected(setup, &redirection).start().await;
    (server, pipe)
}

#[tokio::test]
async fn a_log_that_nobody_reads_stops_neither_the_server_nor_its_end() {
    let (server, _pipe) = unread().await;
    lose_lines(&server).await;
    let mut phone = Phone::ready_as(&server, "customer", "c1").await;
    place_order(&server, "c1").await;
    phone.until("order_update").await;
    server.anonymous().get("/readyz").await.ok(200);
    let asked = Instant::now();
    server.stop().await;
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(15), "it took {took:?}");
}

#[tokio::test]
async fn lost_lines_are_named_once_the_reader_goes_on() {
    let (server, mut pipe) = unread().await;
    lose_lines(&server).await;
    let mut read = String::new();
    let named = async || {
        read.push_str(&pipe.read());
        read.contains("lines of this log were lost").then_some(())
    };
    eventually("the number of lost lines", named).await;
    let notice = read.lines().find(|line| line.contains("were lost"));
    let named: u64 = number_after("lost=", notice.unwrap());
    let counted = metric(&server, "metaia_output_lines_lost_total").await;
    assert!(
        (1..=counted).contains(&named),
        "{named} of {counted} are named"
    );
    server.stop().await;
    let rest = pipe.read();
    assert!(rest.contains("entries so far"), "the last line: {rest}");
}

fn number_after(name: &str, line: &str) -> u64 {
    let (_, rest) = line.split_once(name).unwrap();
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

#[tokio::test]
async fn at_an_ordinary_end_no_line_is_lost() {
    let server = Setup::new().env("RUST_LOG", "debug").start().await;
    for number in 0..300 {
        let path = format!("/no-such-path-{number}.");
        server.anonymous().get(&path).await.refused(404);
    }
    assert_eq!(metric(&server, "metaia_output_lines_lost_total").await, 0);
    server.signal("TERM").await;
    server.wait_for_output("entries so far").await;
    let log = server.output_lines().join("\n");
    for number in 0..300 {
        let path = format!("/no-such-path-{number}.");
        assert!(log.contains(&path), "{path}");
    }
    server.wait_for_clean_exit().await;
}

#[tokio::test]
async fn a_full_standard_output_does_not_delay_the_start() {
    let setup = Setup::new().with_fixed_port();
    let mut pipe = Pipe::new(&setup);
    pipe.fill();
    let redirection = format!(">{}", pipe.path.display());
    let setup = redirected(setup, &redirection);
    let port = setup.fixed_port().unwrap();
    let mut process = Process::start_named("metaia-server", setup.command_with(&[]));
    let api = Api::new(&format!("http://127.0.0.1:{port}"), http_client());
    let ready = async || api.try_get("/readyz").await;
    eventually("the server to be ready", ready).await.ok(200);
    process.signal("TERM").await;
    assert_eq!(process.wait().await.code(), Some(0));
}
