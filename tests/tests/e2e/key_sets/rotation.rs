//! Keys that are replaced while clients are connected.

use metaia_tests::clients::phone::Phone;
use metaia_tests::clients::way::{Reached, Way};
use metaia_tests::eventually::eventually;
use metaia_tests::faults::key_host::KeyHost;
use metaia_tests::fixtures::issuer::{IssuerKey, key_set};
use metaia_tests::fixtures::raise_fence;
use serde_json::json;

use super::{connect, rest_answers, setup, setup_at};

#[tokio::test]
async fn old_and_new_keys_overlap_and_a_removed_one_is_refused() {
    let [old, new] = [IssuerKey::rs256("old"), IssuerKey::next_rs256("new")];
    let host = KeyHost::publishing(&[&old]).await;
    let server = setup(&host).start().await;
    let of_old = old.token("customer", "c1");
    let of_new = new.token("customer", "c1");
    let mut phones = Vec::new();
    for way in Way::ALL {
        let server = Reached::by(way, &server);
        phones.push(Phone::ready_with(&server, &json!({"token": of_old})).await);
    }
    assert_eq!(
        connect(&server, &of_new).await,
        Err("unauthorized".to_owned())
    );

    host.publish(&[&old, &new]);
    let accepted = async || connect(&server, &of_new).await.ok();
    eventually("the new key", accepted).await;
    assert_eq!(connect(&server, &of_old).await, Ok(()));
    rest_answers(&server, &of_new, 200).await;

    host.publish(&[&new]);
    let refused = async || connect(&server, &of_old).await.err();
    let refusal = eventually("the old key to be refused", refused).await;
    assert_eq!(refusal, "unauthorized");
    rest_answers(&server, &of_old, 401).await;
    assert_eq!(connect(&server, &of_new).await, Ok(()));

    // The sessions that the old key began go on.
    raise_fence(&server).await;
    for mut phone in phones {
        phone.event("test:fence").await;
    }
}

#[tokio::test]
async fn a_file_is_read_again_when_it_changes() {
    let [old, new] = [IssuerKey::eddsa("old"), IssuerKey::es256("new")];
    let setup = setup_at("keys.json");
    let file = setup.folder().join("keys.json");
    std::fs::write(&file, key_set(&[&old])).unwrap();
    let server = setup.start().await;
    assert_eq!(connect(&server, &old.token("tailor", "t1")).await, Ok(()));
    std::fs::write(&file, key_set(&[&new])).unwrap();
    let accepted = async || connect(&server, &new.token("tailor", "t1")).await.ok();
    eventually("the new key", accepted).await;
    let refused = connect(&server, &old.token("tailor", "t1")).await;
    assert_eq!(refused, Err("unauthorized".to_owned()));

    // The last good keys stay in use.
    std::fs::write(&file, "{").unwrap();
    server
        .wait_for_output("cannot be loaded from keys.json")
        .await;
    assert_eq!(connect(&server, &new.token("tailor", "t1")).await, Ok(()));
}
