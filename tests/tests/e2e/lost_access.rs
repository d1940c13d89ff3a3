//! Access that ends under load: an order is assigned to another tailor, and a token expires. The
//! checker judges which client received which event, and when.

use std::time::Duration;

use metaia_tests::checker::{Fact, Recorder, assert_correct};
use metaia_tests::fixtures::{id_of, place_order_at};
use metaia_tests::load::{self, Reader, ReaderSpec, ResumeBy, Writer};
use metaia_tests::server::ports::Port;
use metaia_tests::server::{Listening, Setup};
use serde_json::json;
use tokio::sync::watch;

/// The duration of the run. It is long enough for the short token, its leeway, and the five seconds
/// after it.
const RUN_TIME: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_loses_access_receives_nothing_more() {
    let server = Setup::new().with_fixed_port().start().await;
    let recorder = Recorder::new();
    recorder.note(Fact::Started);
    let order = place_order_at(&server, "c1", "t1").await;
    let id = id_of(&order).to_owned();
    let specs = [
        ReaderSpec::new("customer", "customer", "c1", ResumeBy::Since).following(&[&id]),
        ReaderSpec::new("tailor", "tailor", "t1", ResumeBy::Since).following(&[&id]),
        ReaderSpec::new("brief", "customer", "c3", ResumeBy::Since).lasting(3),
    ];
    let port = Port(server.port());
    let readers: Vec<_> = std::iter::zip(0.., &specs)
        .map(|(number, spec)| Reader::start(spec, number, port, &recorder))
        .collect();
    recorder
        .wait_until_ready(&specs.map(|spec| spec.name))
        .await;

    let quit = watch::Sender::new(false);
    let writer = Writer::new("emit", server.admin(), &recorder, &quit.subscribe());
    let targets = [
        (json!({"order": id}), format!("order-{id}")),
        (json!({"user": "t1"}), "user-t1".to_owned()),
        (json!({"user": "c3"}), "user-c3".to_owned()),
        (json!("everyone"), "everyone".to_owned()),
    ];
    let events = async {
        recorder.wait_for_more(400).await;
        load::reassign(&writer, &id, "c1", ["t1", "t2"]).await;
        recorder.note(Fact::Revoked {
            user: "t1".to_owned(),
            room: format!("order-{id}"),
        });
        while recorder.now() < RUN_TIME {
            recorder.wait_for_more(20).await;
        }
        quit.send_replace(true);
    };
    tokio::join!(load::emits(writer.clone(), &targets), events);
    for reader in readers {
        reader.leave().await;
    }
    let mut history = recorder.history();
    load::name_values(&mut history);
    assert_correct("access ends", &history);
}
