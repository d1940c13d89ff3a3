//! Commands with effects finish what they began when the reader of their output leaves.

use metaia_tests::clients::cli::Cli;
use metaia_tests::fixtures::{NO_ORDER, id_of, place_order};
use metaia_tests::server::Server;

async fn newest_status(server: &Server) -> String {
    let list = server.admin().get("/api/orders").await.data(200);
    let status = list["orders"][0]["status"].as_str();
    status.expect("an order").to_owned()
}

use super::start;

#[tokio::test]
async fn a_flow_runs_to_its_end_though_nobody_reads_its_output() {
    let (server, cli) = start().await;
    for (output, code) in [
        ("| head -1", "exit 0"),
        ("| true", "exit 0"),
        ("> /dev/full", "exit 1"),
    ] {
        let script = format!(
            "{{ \"$METAIA\" trigger order.lifecycle -o ndjson; echo exit $? >&2; }} {output}"
        );
        let ended = cli.shell(&script).await;
        assert!(ended.stderr.contains(code), "{output}: {ended:#?}");
        assert_eq!(newest_status(&server).await, "delivered", "{output}");
    }
}

#[tokio::test]
async fn a_script_is_carried_out_though_nobody_reads_its_output() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let joins = format!("/join {}\\n", id_of(&order)).repeat(3);
    let script = format!(
        "printf '/wait 1s\\n{joins}/join {NO_ORDER}\\n' | \
         {{ \"$METAIA\" connect --as customer:c1 --for 1h; echo exit $? >&2; }} | true"
    );
    let ended = Cli::for_server(&server).shell(&script).await;
    assert!(ended.stderr.contains("exit 5"), "{ended:#?}");
}

/// The time of `--for` is for a reader.
#[tokio::test]
async fn a_script_without_a_reader_does_not_linger() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let script = format!(
        "printf '/wait 1s\\n/join {}\\n' | \
         {{ \"$METAIA\" connect --as customer:c1 --for 1h; echo exit $? >&2; }} | true",
        id_of(&order)
    );
    let ended = Cli::for_server(&server).shell(&script).await;
    assert!(ended.stderr.contains("exit 0"), "{ended:#?}");
}

#[tokio::test]
async fn a_decision_counts_though_nobody_reads_it() {
    let server = Server::start().await;
    let order = place_order(&server, "c1").await;
    let cli = Cli::for_server(&server);
    for (expect, code) in [("deny", "exit 6"), ("allow", "exit 0")] {
        let script = format!(
            "{{ \"$METAIA\" join {} --as customer:c1 --expect {expect}; \
             echo exit $? >&2; }} | true",
            id_of(&order),
        );
        let ended = cli.shell(&script).await;
        assert!(ended.stderr.contains(code), "{ended:#?}");
    }
}
