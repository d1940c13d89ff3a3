//! The addresses at which the server listens: this machine alone in development, all of them in
//! production, or those of `METAIA_HOST`.

use metaia_tests::server::rest::{Api, http_client};
use metaia_tests::server::{Listening as _, Server, Setup};
use tokio::net::{TcpListener, TcpStream};

/// An address of this machine that a server at `127.0.0.1` does not have.
const OTHER: &str = "127.0.0.2";

fn production() -> Setup {
    Setup::new()
        .env("NODE_ENV", "production")
        .env("CORS_ORIGINS", "https://app.metaia.example")
        .env("RAZORPAY_URL", "https://api.razorpay.com")
}

/// Returns whether the server accepts connections at this address.
async fn accepts(server: &Server, address: &str) -> bool {
    TcpStream::connect((address, server.port())).await.is_ok()
}

async fn has_ipv6() -> bool {
    TcpListener::bind("[::1]:0").await.is_ok()
}

#[tokio::test]
async fn development_listens_for_this_machine_alone_at_both_families() {
    let server = Server::start().await;
    assert!(accepts(&server, "127.0.0.1").await);
    assert!(!accepts(&server, OTHER).await);
    if has_ipv6().await {
        let url = format!("http://[::1]:{}", server.port());
        Api::new(&url, http_client()).get("/livez").await.ok(200);
    }
    server
        .wait_for_output("phones    need METAIA_HOST=0.0.0.0; Android's emulator has")
        .await;
}

#[tokio::test]
async fn production_listens_at_all_addresses() {
    let server = production().start().await;
    assert!(accepts(&server, "127.0.0.1").await && accepts(&server, OTHER).await);
    assert!(!has_ipv6().await || accepts(&server, "::1").await);
}

#[tokio::test]
async fn the_setting_wins_in_both() {
    let open = Setup::new().env("METAIA_HOST", "0.0.0.0").start().await;
    assert!(accepts(&open, OTHER).await);
    let closed = production().env("METAIA_HOST", OTHER).start().await;
    assert!(accepts(&closed, OTHER).await && !accepts(&closed, "127.0.0.1").await);
}

/// Runs a server to its end, which must be exit code 2 with these texts.
async fn assert_refused(setup: Setup, mentions: &[&str]) {
    let ended = setup.run_to_end().await.expect_code(2);
    for mention in mentions {
        assert!(ended.stderr.contains(mention), "{mention}: {ended:#?}");
    }
}

#[tokio::test]
async fn names_and_addresses_that_it_cannot_have_are_refused_with_the_cure() {
    for value in ["app.metaia.example", "127.0.0.1:80", "*", "127.0.0.1,"] {
        let setup = Setup::new().env("METAIA_HOST", value);
        assert_refused(setup, &["METAIA_HOST", "localhost, or addresses such as"]).await;
    }
    // An address of documentation (RFC 5737), which no machine has.
    let setup = Setup::new().env("METAIA_HOST", "192.0.2.1");
    assert_refused(setup, &["192.0.2.1", "set METAIA_HOST or --host"]).await;
}

#[tokio::test]
async fn a_port_that_is_taken_at_the_second_address_is_named_with_it() {
    let taken = TcpListener::bind((OTHER, 0)).await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let setup = Setup::new()
        .env("METAIA_HOST", &format!("127.0.0.1,{OTHER}"))
        .env("PORT", &port.to_string());
    let mention = format!("port {port} cannot be used at {OTHER}; choose another one with PORT");
    assert_refused(setup, &[&mention]).await;
}
