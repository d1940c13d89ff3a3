//! Several clients that share one device or one token, and are connected at the same time.

use metaia_tests::clients::driver::Driver;
use metaia_tests::clients::phone::Phone;
use metaia_tests::faults::forwarder::Forwarder;
use metaia_tests::fixtures::raise_fence;
use metaia_tests::server::{Server, Setup};
use serde_json::{Value, json};

use super::{by_device, by_token_id, numbers, send};

/// Two sockets of one key lose their lines in turn. Both receive everything.
async fn both_receive_everything(auth: Value) {
    let server = Server::start().await;
    let forwarder_one = Forwarder::to(&server).await;
    let forwarder_two = Forwarder::to(&server).await;
    let mut driver = Driver::node();
    driver
        .connect_with("one", &forwarder_one, &json!({"auth": auth}))
        .await;
    driver.event("one", "rt:ready").await;
    driver
        .connect_with("two", &forwarder_two, &json!({"auth": auth}))
        .await;
    driver.event("two", "rt:ready").await;
    for (round, forwarder) in [&forwarder_one, &forwarder_two, &forwarder_one]
        .into_iter()
        .enumerate()
    {
        let first = round as u64 * 6 + 1;
        send(&server, "c1", first..=first + 2).await;
        forwarder.down();
        send(&server, "c1", first + 3..=first + 5).await;
        forwarder.up();
        let (name, times) = [("one", 2), ("two", 2), ("one", 3)][round];
        assert_eq!(driver.nth(name, "rt:ready", times).await["recovered"], true);
    }
    raise_fence(&server).await;
    for (name, breaks) in [("one", 2), ("two", 1)] {
        driver.event(name, "test:fence").await;
        assert_eq!(
            numbers(&driver.events(name)),
            (1..=18).collect::<Vec<_>>(),
            "{name}"
        );
        let disconnects = driver.count(name, "disconnect");
        assert_eq!(
            disconnects, breaks,
            "{name} is disconnected by its own line alone"
        );
    }
}

#[tokio::test]
async fn two_phones_on_one_token_id_both_receive_everything() {
    both_receive_everything(by_token_id("c1", "shared")).await;
}

#[tokio::test]
async fn two_tabs_of_one_device_both_receive_everything() {
    both_receive_everything(by_device("c1", "browser")).await;
}

/// None is disconnected, whatever its transport, although they share a device.
#[tokio::test]
async fn the_tabs_of_one_device_stay_connected() {
    let server = Server::start().await;
    let mut driver = Driver::node();
    let auth = by_device("c1", "browser");
    let tabs = ["default", "websocket", "polling"];
    for name in tabs {
        let mut opts = json!({"auth": auth});
        if name != "default" {
            opts["transports"] = json!([name]);
        }
        driver.connect_with(name, &server, &opts).await;
        driver.event(name, "rt:ready").await;
    }
    for round in 0..20_u64 {
        send(&server, "c1", round..=round).await;
        for name in tabs {
            driver.nth(name, "load", round as usize + 1).await;
        }
    }
    for name in tabs {
        assert_eq!(driver.count(name, "disconnect"), 0, "{name}");
        assert_eq!(driver.count(name, "connect"), 1, "{name}");
        assert_eq!(numbers(&driver.events(name)), (0..20).collect::<Vec<_>>());
    }
}

/// The lines of both tabs break at the same time. One returns at once, the other later.
#[tokio::test]
async fn of_two_tabs_that_lost_their_lines_the_later_one_misses_nothing() {
    let server = Server::start().await;
    let forwarders = [Forwarder::to(&server).await, Forwarder::to(&server).await];
    let auth = by_device("c1", "browser");
    let mut driver = Driver::node();
    for (name, forwarder) in ["soon", "late"].into_iter().zip(&forwarders) {
        driver
            .connect_with(name, forwarder, &json!({"auth": auth}))
            .await;
        driver.event(name, "rt:ready").await;
    }
    send(&server, "c1", 1..=3).await;
    for name in ["soon", "late"] {
        driver.nth(name, "load", 3).await;
    }
    for forwarder in &forwarders {
        forwarder.down();
    }
    send(&server, "c1", 4..=6).await;
    forwarders[0].up();
    assert_eq!(driver.nth("soon", "rt:ready", 2).await["recovered"], true);
    send(&server, "c1", 7..=9).await;
    forwarders[1].up();
    assert_eq!(driver.nth("late", "rt:ready", 2).await["recovered"], true);
    raise_fence(&server).await;
    for name in ["soon", "late"] {
        driver.event(name, "test:fence").await;
        let received = numbers(&driver.events(name));
        assert_eq!(received, (1..=9).collect::<Vec<_>>(), "{name}");
        assert_eq!(driver.count(name, "disconnect"), 1, "{name}");
    }
}

#[tokio::test]
async fn at_the_users_limit_a_tab_of_the_same_device_goes_first() {
    let setup = Setup::new().env("METAIA_LIMITS", "per_user=3");
    let server = setup.start().await;
    // The least recently active session of all is on another device.
    let mut other = Phone::ready_with(&server, &by_device("c1", "phone")).await;
    let browser = by_device("c1", "browser");
    let mut first_tab = Phone::ready_with(&server, &browser).await;
    let mut second_tab = Phone::ready_with(&server, &browser).await;
    let mut third_tab = Phone::ready_with(&server, &browser).await;
    first_tab.closed().await;
    send(&server, "c1", 1..=1).await;
    for phone in [&mut other, &mut second_tab, &mut third_tab] {
        assert_eq!(phone.event("load").await["n"], 1);
    }
}

#[tokio::test]
async fn two_tabs_that_change_their_network_lose_nothing_in_the_dead_connections() {
    let server = Server::start().await;
    let dead = Forwarder::to(&server).await;
    let auth = by_device("c1", "browser");
    let _lost_tabs = [
        Phone::ready_with(&dead, &auth).await,
        Phone::ready_with(&dead, &auth).await,
    ];
    dead.freeze();
    send(&server, "c1", 1..=5).await;
    let mut first = Phone::connected(&server, &auth).await;
    assert_eq!(numbers(&first.until("rt:ready").await), [1, 2, 3, 4, 5]);
    send(&server, "c1", 6..=7).await;
    let mut second = Phone::connected(&server, &auth).await;
    assert_eq!(
        numbers(&second.until("rt:ready").await),
        [1, 2, 3, 4, 5, 6, 7]
    );
}
