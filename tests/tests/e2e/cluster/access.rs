//! Access that is lost at one node is lost at all nodes.

use std::time::Duration;

use metaia_tests::checker::{Fact, Recorder, assert_correct};
use metaia_tests::clients::phone::Phone;
use metaia_tests::fixtures::token::token;
use metaia_tests::fixtures::{assign, id_of, names, place_order_at, raise_fence, up_to_fence};
use metaia_tests::load::{self, Reader, ReaderSpec, ResumeBy, Writer};
use serde_json::json;
use tokio::sync::watch;

use super::Pair;

/// Both nodes publish to an order's room while one of them reassigns the order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reassigned_tailor_receives_nothing_a_second_later_on_any_node() {
    let Pair { nodes, .. } = &Pair::start().await;
    let recorder = Recorder::new();
    recorder.note(Fact::Started);
    let order = place_order_at(&nodes[0], "c1", "t1").await;
    let id = id_of(&order).to_owned();
    let specs = [0, 1].map(|node| {
        ["customer", "tailor"].map(|role| {
            let user = if role == "tailor" { "t1" } else { "c1" };
            ReaderSpec::new(&format!("{role} at {node}"), role, user, ResumeBy::Since)
                .following(&[&id])
        })
    });
    let places = [0, 0, 1, 1];
    let readers: Vec<_> = std::iter::zip(0.., std::iter::zip(places, specs.as_flattened()))
        .map(|(number, (node, spec))| Reader::start(spec, number, nodes.port(node), &recorder))
        .collect();
    recorder
        .wait_until_ready(
            &specs
                .concat()
                .into_iter()
                .map(|spec| spec.name)
                .collect::<Vec<_>>(),
        )
        .await;

    let quit = watch::Sender::new(false);
    let writer = |node: usize| {
        Writer::new(
            &format!("emit at {node}"),
            nodes[node].admin(),
            &recorder,
            &quit.subscribe(),
        )
    };
    let writers = [0, 1].map(writer);
    let targets = [(json!({"order": id}), format!("order-{id}"))];
    let events = async {
        recorder.wait_for_more(200).await;
        load::reassign(&writers[0], &id, "c1", ["t1", "t2"]).await;
        recorder.note(Fact::Revoked {
            user: "t1".to_owned(),
            room: format!("order-{id}"),
        });
        let end = recorder.now() + Duration::from_secs(4);
        while recorder.now() < end {
            recorder.wait_for_more(5).await;
        }
        quit.send_replace(true);
    };
    tokio::join!(
        load::emits(writers[0].clone(), &targets),
        load::emits(writers[1].clone(), &targets),
        events
    );
    for reader in readers {
        reader.leave().await;
    }
    let mut history = recorder.history();
    load::name_values(&mut history);
    assert_correct("an order changes hands", &history);
}

#[tokio::test]
async fn a_tailor_who_loses_an_order_is_notified_at_the_other_node() {
    let Pair { nodes, .. } = &Pair::start().await;
    let order = place_order_at(&nodes[0], "c1", "t1").await;
    let id = id_of(&order);
    let auth = json!({"token": token("tailor", "t1"), "orders": [id]});
    let mut tailor = Phone::ready_with(&nodes[1], &auth).await;
    assign(&nodes[0], id, &json!({"tailor": "t2"})).await;
    let left = tailor.event("rt:room_left").await;
    assert_eq!(
        left,
        json!({"room": format!("order-{id}"), "reason": "access_revoked"})
    );
    raise_fence(&nodes[0]).await;
    let events = up_to_fence(&mut tailor).await;
    assert!(!names(&events).contains(&"order_update"), "{events:#?}");
    let mut back = Phone::connected(&nodes[1], &auth).await;
    let events = back.until("rt:ready").await;
    assert!(
        names(&events).contains(&"rt:error"),
        "the room is refused at this node, too: {events:#?}"
    );
}
