//! Rechecks that come again and again while the policy cannot decide, and clients that reconnect
//! meanwhile: nothing is lost, nothing overtakes, and no room holds a session back for longer than
//! its time.

use serde_json::Value;

use super::{
    hold::{
        Answer::{self, Allows, AllowsLate, Denies, Fails, Hangs},
        LOST, Trial, event, recheck,
    },
    phone::Phone,
    world::{order, room},
};
use crate::{EndReason, Identity, Position, Role, session::ConnectRequest};

/// Appends a recheck of order 1 at each second of a minute, and after it an event of the user, one
/// of order 1 and one of order 2. Calls `check` with the second, 0.9 s after it.
async fn recheck_each_second(trial: &Trial, check: impl Fn(u64, Vec<String>)) {
    for second in 1..=60 {
        trial.until(second * 1_000).await;
        trial.append(vec![recheck(1)]).await;
        let number = second * 10;
        trial
            .append(vec![
                event(room(0), number),
                event(room(1), number + 1),
                event(room(2), number + 2),
            ])
            .await;
        trial.until(second * 1_000 + 900).await;
        check(second, trial.told());
    }
}

/// Returns the numbers of the events of the seconds up to `second`, without those of order 1.
fn without_room_1(second: u64) -> Vec<String> {
    let numbers = (1..=second).flat_map(|second| [second * 10, second * 10 + 2]);
    numbers.map(|number| number.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn rechecks_of_a_room_each_second_cost_it_after_5_s_and_hold_back_nothing_then() {
    let fails = |_: &str, ms: u128| if ms < 1_000 { Allows } else { Fails };
    let hangs = |_: &str, ms: u128| if ms < 1_000 { Allows } else { Hangs };
    for answer in [fails, hangs] {
        let trial = Trial::new(2, answer).await;
        recheck_each_second(&trial, |second, told| {
            if second <= 5 {
                assert!(told.is_empty(), "{second}: {told:?}");
                return;
            }
            let mut expected = vec![LOST.to_owned()];
            expected.extend(without_room_1(second));
            assert_eq!(told, expected, "{second}");
        })
        .await;
    }
}

/// Each decision comes after the next recheck was requested. An event waits for the decision that
/// is under way, and for the next one.
#[tokio::test(start_paused = true)]
async fn rechecks_that_come_faster_than_they_are_decided_do_not_hold_back_for_ever() {
    let answer = |order: &str, ms: u128| match order {
        "o1" if ms >= 1_000 => AllowsLate,
        _ => Allows,
    };
    let trial = Trial::new(2, answer).await;
    recheck_each_second(&trial, |second, told| {
        let all: Vec<_> = (1..=second)
            .flat_map(|second| (0..3).map(move |i| (second * 10 + i).to_string()))
            .collect();
        assert_eq!(told, all[..told.len()], "{second}");
        let late = all.len() - told.len();
        assert!(late <= 4 * 3, "{second}: {late} events are late");
    })
    .await;
}

/// The decision begins for the first two, and the third comes meanwhile.
#[tokio::test(start_paused = true)]
async fn three_quick_rechecks_of_a_room_hold_nothing_back_for_ever() {
    for before in 1..=3 {
        let answer = |_: &str, ms: u128| if ms < 1_000 { Allows } else { AllowsLate };
        let trial = Trial::new(2, answer).await;
        trial.until(1_000).await;
        trial.append(vec![recheck(1); before]).await;
        trial.until(1_100).await;
        trial.append(vec![recheck(1); 4 - before]).await;
        trial
            .append(vec![event(room(0), 1), event(room(1), 2)])
            .await;
        trial.until(20_000).await;
        assert_eq!(trial.told(), ["1", "2"], "{before} before");
    }
}

/// The second recheck of the room is requested while the first one is decided.
#[tokio::test(start_paused = true)]
async fn the_time_of_a_second_recheck_of_the_room_begins_with_its_request() {
    let answer = |_: &str, ms: u128| match ms {
        0..1_000 => Allows,
        1_000..2_400 => AllowsLate,
        _ => Fails,
    };
    let trial = Trial::new(2, answer).await;
    trial.append(vec![recheck(1), event(room(0), 1)]).await;
    trial.until(2_000).await;
    trial.append(vec![recheck(1), event(room(0), 2)]).await;
    trial.until(2_400).await;
    assert!(trial.told().is_empty());
    trial.until(6_900).await;
    assert_eq!(trial.told(), ["1"]);
    trial.until(7_100).await;
    assert_eq!(trial.told(), ["1", LOST, "2"]);
}

/// Event 2 waits for the recheck of its own room, which came after it.
#[tokio::test(start_paused = true)]
async fn events_that_wait_for_two_rooms_come_in_order_and_none_is_lost() {
    let answer = |order: &str, ms: u128| match (order, ms) {
        (_, 0..1_000) | ("o1", 4_000..) | ("o2", 6_000..) => Allows,
        _ => Fails,
    };
    let trial = Trial::new(2, answer).await;
    let first = [(0, 1), (2, 2), (0, 3), (1, 4)].map(|(index, i)| event(room(index), i));
    trial.append(vec![recheck(1)]).await;
    trial.append(first.into()).await;
    trial.until(2_000).await;
    trial.append(vec![recheck(2)]).await;
    trial
        .append(vec![event(room(0), 5), event(room(2), 6)])
        .await;
    trial.until(3_900).await;
    assert!(trial.told().is_empty());
    trial.until(5_900).await;
    assert_eq!(trial.told(), ["1"]);
    trial.until(6_900).await;
    assert_eq!(trial.told(), ["1", "2", "3", "4", "5", "6"]);
}

/// Ends the client's session, and connects it again with the last position that it has.
fn reconnect(trial: &mut Trial) {
    let written = trial.phone.written();
    let position = written.iter().rev().find_map(|packet| position(packet));
    trial
        .node
        .end(&trial.phone.session, EndReason::TransportLost);
    let request = ConnectRequest {
        since: position.map(Ok),
        orders: vec![Ok(order(1)), Ok(order(2))],
    };
    let identity = Identity::new("c1".parse().unwrap(), Role::Customer);
    trial.phone = Phone::connect_as(&trial.node, identity, request);
}

fn position(packet: &str) -> Option<Position> {
    let (_, payload) = packet.split_once(' ')?;
    let payload: Value = serde_json::from_str(payload).ok()?;
    payload["_rt"]["at"].as_str()?.parse().ok()
}

/// A client that is held back has event 1, and reconnects after 2 s. Returns what the client is
/// told until the end: by its first session, then by its second one.
async fn told_around_a_reconnect(answer: fn(&str, u128) -> Answer) -> [Vec<String>; 2] {
    let mut trial = Trial::new(2, answer).await;
    trial.append_around_recheck().await;
    trial.until(2_000).await;
    let first = trial.told();
    reconnect(&mut trial);
    trial
        .append(vec![recheck(1), event(room(1), 5), event(room(2), 6)])
        .await;
    trial.until(30_000).await;
    [first, trial.told()]
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_held_back_and_reconnects_receives_all_that_it_may_see() {
    let allowed = |_: &str, ms: u128| match ms {
        1_000..4_000 => Fails,
        _ => Allows,
    };
    let [first, second] = told_around_a_reconnect(allowed).await;
    assert_eq!(first, ["1"]);
    assert_eq!(second, ["2", "3", "4", "5", "6"]);
    let denied = |order: &str, ms: u128| match ms {
        0..1_000 => Allows,
        1_000..4_000 => Fails,
        _ if order == "o1" => Denies,
        _ => Allows,
    };
    let [first, second] = told_around_a_reconnect(denied).await;
    assert_eq!(first, ["1"]);
    assert_eq!(second, ["3", "4", "6"]);
}
