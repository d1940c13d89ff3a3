//! Outputs that refuse every line: closed, on a full device, without a reader.

use metaia_tests::eventually::eventually;
use metaia_tests::fixtures::place_order;
use metaia_tests::server::Setup;
use metaia_tests::server::process::Process;
use metaia_tests::server::rest::{Api, http_client};

use super::{Pipe, lose_lines, redirected};

/// Starts a server with these redirections, has it log at `debug`, and stops it.
async fn serves_and_ends(redirections: &str) {
    let setup = Setup::new().with_fixed_port().env("RUST_LOG", "debug");
    let setup = redirected(setup, redirections);
    let port = setup.fixed_port().unwrap();
    let mut process = Process::start_named("metaia-server", setup.command_with(&[]));
    let api = Api::new(&format!("http://127.0.0.1:{port}"), http_client());
    let ready = async || api.try_get("/readyz").await;
    let answer = eventually(&format!("the server with {redirections}"), ready).await;
    answer.ok(200);
    for _ in 0..50 {
        api.get("/api/orders").await.refused(401);
    }
    process.signal("TERM").await;
    let code = process.wait().await.code();
    assert_eq!(code, Some(0), "{redirections}");
}

#[tokio::test]
async fn closed_outputs_and_full_devices_do_not_stop_the_server() {
    for redirections in [
        "2>&-",
        ">&- 2>&-",
        "2>/dev/full",
        ">/dev/full",
        ">/dev/full 2>&1",
    ] {
        serves_and_ends(redirections).await;
    }
}

#[tokio::test]
async fn a_reader_that_leaves_does_not_stop_the_server() {
    let setup = Setup::new().env("RUST_LOG", "debug");
    let pipe = Pipe::new(&setup);
    let redirection = format!("2>{}", pipe.path.display());
    let server = redirected(setup, &redirection).start().await;
    drop(pipe);
    lose_lines(&server).await;
    place_order(&server, "c1").await;
    server.stop().await;
}
