//! Addresses, ports and servers that are not what the client expects.

use metaia_tests::clients::cli::Cli;
use metaia_tests::clients::phone::Phone;
use metaia_tests::faults::forwarder::Forwarder;
use metaia_tests::faults::misconfigured_nginx::{Door, MisconfiguredNginx};
use metaia_tests::faults::stub::{Stub, problem};
use metaia_tests::server::paths::package_path;
use metaia_tests::server::process::Process;
use metaia_tests::server::{Listening, Server, Setup, ports};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::examine;
use crate::drain::frozen_phone;

#[tokio::test]
async fn a_wrong_port_is_named() {
    let cli = Cli::for_url(&format!("http://127.0.0.1:{}", ports::unused()));
    let words = ["no program listens", "this is its address"];
    let examined = examine(&cli, &[]).await.check(3, "doctor.port", &words);
    examined
        .found("doctor.polling", "not tried: port failed")
        .found("doctor.token", "the server was not asked");
}

#[tokio::test]
async fn an_unknown_name_is_named() {
    let cli = Cli::for_url("http://no-such-host.invalid");
    let words = ["no address", "check the spelling"];
    let examined = examine(&cli, &[]).await.check(3, "doctor.name", &words);
    examined.found("doctor.port", "not tried: name failed");
}

#[tokio::test]
async fn the_wrong_scheme_names_the_right_one() {
    let server = Server::start().await;
    let nginx = MisconfiguredNginx::before(&server).await;
    let plain_at_tls = nginx.url(Door::Tls).replace("https:", "http:");
    let right = format!("use {}", nginx.url(Door::Tls));
    let examined = examine(&Cli::for_url(&plain_at_tls), &[]).await;
    examined.check(3, "doctor.port", &["expects TLS", &right]);
    let tls_at_plain = server.url().replace("http:", "https:");
    let right = format!("use {}", server.url());
    let examined = examine(&Cli::for_url(&tls_at_plain), &[]).await;
    examined.check(3, "doctor.port", &["speaks plain HTTP", &right]);
}

fn fixture(name: &str) -> String {
    let path = package_path("fixtures/tls").join(name);
    path.to_str().expect("UTF-8").to_owned()
}

#[tokio::test]
async fn a_certificate_says_what_is_wrong_with_it() {
    let server = Server::start().await;
    let nginx = MisconfiguredNginx::before(&server).await;
    let good = Cli::for_url(&nginx.url(Door::Tls));
    let unknown = examine(&good, &[]).await;
    unknown.check(3, "doctor.port", &["self-signed", "--cacert FILE"]);
    let own = fixture("self-signed.pem");
    let trusted = examine(&good, &["--cacert", &own]).await.good();
    trusted.found("doctor.port", "certificate good for");
    let other = format!("https://127.0.0.2:{}", nginx.port(Door::Tls));
    let examined = examine(&Cli::for_url(&other), &["--cacert", &own]).await;
    let words = ["for another name", "use a name of the certificate"];
    examined.check(3, "doctor.port", &words);
    let expired = Cli::for_url(&nginx.url(Door::Expired));
    let authority = fixture("authority.pem");
    let examined = examine(&expired, &["--cacert", &authority]).await;
    examined.check(3, "doctor.port", &["has expired", "renew it"]);
    // It is trusted itself, and its dates count all the same.
    let pinned = fixture("expired.pem");
    let examined = examine(&expired, &["--cacert", &pinned]).await;
    examined.check(3, "doctor.port", &["has expired", "renew it"]);
    let tail = [
        "tail",
        "--as",
        "customer:c1",
        "--for",
        "1s",
        "--cacert",
        &pinned,
    ];
    let output = expired.run(&tail).await.expect_code(3);
    assert!(output.stderr.contains("has expired"), "{output:#?}");
    let unchecked = examine(&expired, &["--insecure"]).await.good();
    unchecked.found("doctor.port", "certificate has expired");
}

#[tokio::test]
async fn a_web_server_of_another_kind_is_none_of_metaia() {
    let server = Server::start().await;
    let nginx = MisconfiguredNginx::before(&server).await;
    let unknown = examine(&Cli::for_url(&nginx.url(Door::Unknown)), &[]).await;
    let words = ["nginx answered 404", "check the address"];
    unknown.check(3, "doctor.server", &words);
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 25\r\nServer: shop/2\r\n\r\n";
    let page = format!("{head}<title>\x1b[31mShop</title>");
    let shop = Stub::answering(&[&page]).await;
    let examined = examine(&Cli::for_url(&shop.url()), &[]).await;
    examined.check(3, "doctor.server", &["shop answered 200", "METAIA server"]);
    let mail = Stub::answering(&["220 mail.example ESMTP\r\n\r\n"]).await;
    let examined = examine(&Cli::for_url(&mail.url()), &[]).await;
    examined.check(3, "doctor.port", &["not HTTP", "expects TLS"]);
}

const GOING_DOWN: &str = "going down for a moment (draining); trying again in 2.0 s (Retry-After)";

/// Returns a server that is going down, and a doctor that waits for it; the rest keeps both alive.
async fn going_down() -> (Server, Process, (Forwarder, Phone)) {
    let server = Setup::new().with_fixed_port().start().await;
    let frozen = frozen_phone(&server).await;
    server.signal("TERM").await;
    server.wait_for_output("SIGTERM: shutting down").await;
    let doctor = Cli::for_server(&server).start(&["doctor"]);
    let is_note = |line: &String| line.ends_with(GOING_DOWN);
    doctor.stderr.first("the note", is_note).await;
    // It ends at once.
    server.signal("TERM").await;
    (server, doctor, frozen)
}

#[tokio::test]
async fn a_server_that_is_started_again_in_a_moment_is_good() {
    let (server, doctor, _frozen) = going_down().await;
    let _server = server.wait_for_clean_exit().await.start().await;
    let output = doctor.wait_with_output().await.expect_code(0);
    assert!(output.stdout.contains("own event back"), "{output:#?}");
}

#[tokio::test]
async fn a_server_that_has_gone_down_for_good_is_told() {
    let (server, doctor, _frozen) = going_down().await;
    server.wait_for_clean_exit().await;
    let output = doctor.wait_with_output().await.expect_code(3);
    let first = "(asked again after 2.0 s)\n              no program listens there";
    assert!(output.stdout.contains(first), "{output:#?}");
}

#[tokio::test]
async fn a_server_that_goes_on_going_down_is_asked_twice() {
    let body = &problem(503, "draining", "The server is shutting down.");
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let stub = Stub::answering(&[&format!("{head}{body}")]).await;
    let examined = examine(&Cli::for_url(&stub.url()), &[]).await;
    let note = examined.output.stderr.matches(GOING_DOWN).count();
    assert_eq!(note, 1, "{examined:#?}");
    let words = ["HTTP 503 (draining)", "try again in 2 s (Retry-After)"];
    let examined = examined.check(3, "doctor.server", &words);
    examined.found("doctor.polling", "asked again after 2.0 s");
}

#[tokio::test]
async fn a_server_without_polling_names_the_setting_of_the_client() {
    let server = Setup::new()
        .env("METAIA_TRANSPORTS", "websocket")
        .start()
        .await;
    let cli = Cli::for_server(&server);
    let words = ["METAIA_TRANSPORTS", r#"transports: ["websocket"]"#];
    let examined = examine(&cli, &[]).await.check(3, "doctor.polling", &words);
    examined.found("doctor.delivery", "own event back");
    examine(&cli, &["--transport", "websocket"]).await.good();
}

#[tokio::test]
async fn a_server_of_another_version_is_a_warning() {
    let body = r#"{"status":"alive","title":"METAIA","version":"9.9.9"}"#;
    let length = body.len();
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
    let stub = Stub::answering(&[&answer]).await;
    let examined = examine(&Cli::for_url(&stub.url()), &[]).await;
    let server = examined.finding("doctor.server");
    let fix = server["fix"].as_str().unwrap_or_default();
    assert!(fix.contains("use the metaia of version 9.9.9"), "{server}");
    examined.found("doctor.server", "version 9.9.9");
}

/// A server of another protocol that speaks first, such as SSH: its words may come before the
/// request or after it.
#[tokio::test]
async fn a_port_that_does_not_speak_http_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let cli = Cli::for_url(&format!("http://{}", listener.local_addr().unwrap()));
    let speak = async {
        let mut open = Vec::new();
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            socket.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await.unwrap();
            open.push(socket);
        }
    };
    let visit = async {
        for _ in 0..5 {
            let examined = examine(&cli, &[]).await;
            let first = examined.findings.iter().find(|one| one["ok"] == false);
            let first = first.expect("a problem").to_string();
            assert!(first.contains("the answer is not HTTP"), "{first}");
            assert_eq!(examined.output.code, Some(3), "{examined:#?}");
        }
    };
    tokio::select! {
        () = speak => {}
        () = visit => {}
    }
}
