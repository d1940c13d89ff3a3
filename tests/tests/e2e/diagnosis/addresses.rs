//! Addresses: which one failed, where it comes from, and how it may be written.

use metaia_tests::clients::cli::Cli;
use metaia_tests::server::{Listening, Server};

use super::{EMIT, TAIL, check, check_both};

#[tokio::test]
async fn an_error_names_the_address_and_where_it_comes_from() {
    let closed = "http://127.0.0.1:9";
    let nobody = "no program listens";
    let cli = Cli::for_url(closed);
    check_both(&cli, 3, &["http://127.0.0.1:9 (from METAIA_URL): ", nobody]).await;
    let trigger = ["trigger", "order_update", "--url", "http://127.0.0.1:9/x"];
    let output = cli.run(&trigger).await;
    check(&output, 3, &["http://127.0.0.1:9/x (from --url): ", nobody]);
    let cli = Cli::for_url("");
    cli.folder().write(".env", format!("METAIA_URL={closed}\n"));
    check_both(&cli, 3, &["(from METAIA_URL in .env): ", nobody]).await;
}

#[tokio::test]
async fn a_name_without_an_address_is_no_connection() {
    let cli = Cli::for_url("http://no-such-host.invalid");
    check_both(
        &cli,
        3,
        &["no-such-host.invalid", "this name has no address"],
    )
    .await;
}

#[tokio::test]
async fn what_is_not_an_address_is_a_usage_error() {
    for url in ["localhost:5000", "ftp://127.0.0.1", "nonsense"] {
        check_both(&Cli::for_url(url), 2, &[url, "METAIA_URL", "http://"]).await;
    }
}

#[tokio::test]
async fn an_address_with_the_path_of_socket_io_serves_sockets_and_rest() {
    let server = Server::start().await;
    for path in ["/socket.io/", "/socket.io", "/"] {
        let cli = Cli::for_url(&format!("{}{path}", server.url()));
        check_both(&cli, 0, &[]).await;
    }
}

#[tokio::test]
async fn a_path_that_is_not_the_servers_is_no_connection() {
    let server = Server::start().await;
    let cli = Cli::for_url(&format!("{}/elsewhere", server.url()));
    check_both(&cli, 3, &["HTTP 404", "check --url"]).await;
}

#[tokio::test]
async fn a_proxy_of_the_environment_is_named_as_unused() {
    let server = Server::start().await;
    let cli = Cli::for_server(&server).env("http_proxy", "http://127.0.0.1:9");
    check_both(&cli, 0, &["http_proxy is set, and not used"]).await;
    let excepted = Cli::for_server(&server)
        .env("http_proxy", "http://127.0.0.1:9")
        .env("NO_PROXY", "127.0.0.1");
    for args in [&TAIL[..], &EMIT] {
        let output = excepted.run(args).await.expect_code(0);
        assert!(!output.stderr.contains("proxy"), "{output:#?}");
    }
}
