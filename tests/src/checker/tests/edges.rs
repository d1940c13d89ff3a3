//! The limits of each rule, in histories of a few facts.

use std::time::Duration;

use super::super::{Fact, Invariant, Position, check};
use super::story::{Story, at, position};

/// Returns a history in which one client, Ann, is in her room from the beginning.
fn ann() -> Story {
    let mut story = Story::default();
    story
        .grant("ann", "user-ann")
        .connect("ann", false)
        .ready("ann", false, &["user-ann"], at(0));
    story
}

#[track_caller]
fn breaks(story: &Story, expected: &[Invariant]) {
    let violations = check(&story.history);
    let found: Vec<_> = violations
        .iter()
        .map(|violation| violation.invariant)
        .collect();
    assert_eq!(found, expected, "{violations:#?}");
}

#[test]
fn an_unknown_outcome_may_appear_or_not() {
    let mut story = ann();
    story
        .attempt("a", "user-ann")
        .unknown("a")
        .attempt("b", "user-ann")
        .unknown("b");
    story.get("ann", "b", at(1));
    breaks(&story, &[]);
}

#[test]
fn an_unknown_outcome_appears_once() {
    let mut story = ann();
    story
        .attempt("a", "user-ann")
        .unknown("a")
        .get("ann", "a", at(1));
    let mut again = super::story::got("a", at(2));
    again.placed.id = "another".to_owned();
    story.add(Fact::Received {
        client: "ann".to_owned(),
        got: again,
    });
    breaks(&story, &[Invariant::ExactlyOnce]);
}

#[test]
fn the_last_acknowledged_value_may_still_be_in_flight() {
    let mut story = ann();
    story
        .publish("a", "user-ann")
        .get("ann", "a", at(1))
        .publish("b", "user-ann");
    breaks(&story, &[]);
    story.publish("c", "user-ann").get("ann", "c", at(3));
    breaks(&story, &[Invariant::NoLoss]);
}

#[test]
fn nothing_before_a_reset_is_due() {
    let mut story = ann();
    story
        .publish("a", "user-ann")
        .disconnect("ann")
        .add(Fact::Killed)
        .add(Fact::Started);
    story
        .connect("ann", true)
        .reset("ann", position(2, 0))
        .ready("ann", false, &["user-ann"], position(2, 0));
    story
        .publish("b", "user-ann")
        .get("ann", "b", position(2, 1));
    breaks(&story, &[]);
}

#[test]
fn another_epoch_needs_a_reset() {
    let mut story = ann();
    story
        .publish("a", "user-ann")
        .get("ann", "a", position(2, 1));
    breaks(&story, &[Invariant::OrderWithoutHoles]);
}

#[test]
fn a_duplicate_in_the_next_connection_is_allowed_and_in_the_same_is_not() {
    let mut story = ann();
    story
        .publish("a", "user-ann")
        .get("ann", "a", at(1))
        .disconnect("ann");
    story
        .connect("ann", true)
        .get("ann", "a", at(1))
        .ready("ann", true, &["user-ann"], at(1));
    breaks(&story, &[]);
    story.get("ann", "a", at(1));
    breaks(&story, &[Invariant::OrderWithoutHoles]);
}

#[test]
fn an_interrupted_replay_is_no_hole_but_a_skipped_event_is() {
    let mut story = ann();
    story
        .publish("a", "user-ann")
        .publish("b", "user-ann")
        .disconnect("ann");
    story
        .connect("ann", true)
        .get("ann", "a", at(1))
        .disconnect("ann");
    story
        .connect("ann", true)
        .get("ann", "b", at(2))
        .ready("ann", true, &["user-ann"], at(2));
    breaks(&story, &[]);
    story
        .history
        .facts
        .retain(|(_, fact)| !matches!(fact, Fact::Received { got, .. } if got.placed.value == "a"));
    breaks(&story, &[Invariant::NoLoss]);
}

#[test]
fn log_order_follows_causes() {
    let mut story = ann();
    story.publish("a", "user-ann").publish("b", "user-ann");
    story.get("ann", "b", at(1)).get("ann", "a", at(2));
    breaks(&story, &[Invariant::OrderWithoutHoles]);
}

#[test]
fn a_lost_room_may_still_deliver_for_a_second() {
    let mut story = ann();
    story
        .grant("ann", "order-1")
        .publish("a", "order-1")
        .withdraw("ann", "order-1");
    story
        .wait(Duration::from_millis(994))
        .get("ann", "a", at(1));
    breaks(&story, &[]);
    story.publish("b", "order-1").get("ann", "b", at(2));
    breaks(&story, &[Invariant::AccessRespected]);
}

#[test]
fn a_replay_follows_the_current_access() {
    let mut story = ann();
    story
        .grant("ann", "order-1")
        .publish("a", "order-1")
        .disconnect("ann")
        .withdraw("ann", "order-1");
    story
        .wait(Duration::from_secs(2))
        .connect("ann", true)
        .get("ann", "a", at(1));
    breaks(&story, &[Invariant::AccessRespected]);
}

#[test]
fn a_token_is_valid_until_it_ends_and_a_new_one_replaces_it() {
    let token = |until| Fact::Token {
        client: "ann".to_owned(),
        until,
    };
    let mut story = ann();
    story
        .add(token(Duration::from_secs(1)))
        .wait(Duration::from_secs(5))
        .publish("a", "user-ann");
    story
        .get("ann", "a", at(1))
        .add(token(Duration::from_secs(60)));
    story
        .wait(Duration::from_secs(20))
        .publish("b", "user-ann")
        .get("ann", "b", at(2));
    breaks(&story, &[]);
    story
        .wait(Duration::from_secs(60))
        .publish("c", "user-ann")
        .get("ann", "c", at(3));
    breaks(&story, &[Invariant::AccessRespected]);
}

#[test]
fn a_kill_is_no_unexpected_end_and_an_abort_is_one() {
    let mut story = Story::default();
    story
        .add(Fact::Started)
        .add(Fact::Killed)
        .add(Fact::Started);
    breaks(&story, &[]);
    story.add(Fact::Ended { code: None });
    breaks(&story, &[Invariant::CleanEnd]);
}

#[test]
fn an_end_takes_fifteen_seconds_at_most() {
    let mut story = Story::default();
    story
        .add(Fact::AskedToEnd)
        .wait(Duration::from_millis(14_995))
        .add(Fact::Ended { code: Some(0) });
    breaks(&story, &[]);
    let mut story = Story::default();
    story
        .add(Fact::AskedToEnd)
        .wait(Duration::from_secs(16))
        .add(Fact::Ended { code: Some(0) });
    breaks(&story, &[Invariant::CleanEnd]);
    let mut story = Story::default();
    story
        .add(Fact::AskedToEnd)
        .wait(Duration::from_secs(16))
        .add(Fact::Printed("still here".to_owned()));
    breaks(&story, &[Invariant::CleanEnd]);
}

#[test]
fn a_panic_is_reported() {
    let mut story = Story::default();
    story.add(Fact::Printed(
        "thread 'main' panicked at src/x.rs:1:1:".to_owned(),
    ));
    breaks(&story, &[Invariant::CleanEnd]);
}

#[test]
fn an_audit_must_find_every_acknowledged_write() {
    let mut story = ann();
    story.publish("a", "user-ann").add(Fact::Audited {
        write: "a".to_owned(),
        found: false,
    });
    breaks(&story, &[Invariant::NoLoss]);
    story.add(Fact::Killed);
    breaks(&story, &[Invariant::DurableBeforeAnswer]);
    let mut story = ann();
    story.publish("a", "user-ann").add(Fact::Counted {
        write: "a".to_owned(),
        made: 2,
    });
    breaks(&story, &[Invariant::OncePerKey]);
}

#[test]
fn a_position_is_an_epoch_and_a_number() {
    assert_eq!(
        Position::parse("00ff-12ab.42"),
        Some(Position {
            epoch: "00ff".to_owned(),
            n: 42
        })
    );
    assert_eq!(Position::parse("banana"), None);
}

#[test]
fn a_connected_client_receives_an_event_within_two_and_a_half_seconds() {
    let mut story = ann();
    story
        .publish("a", "user-ann")
        .wait(Duration::from_millis(2_495))
        .get("ann", "a", at(1));
    breaks(&story, &[]);
    story
        .publish("b", "user-ann")
        .wait(Duration::from_millis(2_496))
        .get("ann", "b", at(2));
    breaks(&story, &[Invariant::DeliveredInTime]);
}

#[test]
fn a_slower_delivery_is_in_time_and_nothing_is_due_while_the_log_is_unreadable() {
    let mut story = ann();
    story
        .add(Fact::Slowed {
            by: "Redis is killed".to_owned(),
        })
        .publish("a", "user-ann");
    story
        .wait(Duration::from_secs(2))
        .get("ann", "a", at(1))
        .publish("b", "user-ann");
    story
        .add(Fact::Stopped {
            by: "mongod is killed".to_owned(),
        })
        .wait(Duration::from_secs(9));
    story.add(Fact::Healed).get("ann", "b", at(2));
    breaks(&story, &[]);
    story
        .publish("c", "user-ann")
        .wait(Duration::from_secs(3))
        .add(Fact::Started);
    breaks(&story, &[Invariant::DeliveredInTime]);
}

#[test]
fn a_client_that_disconnects_or_loses_a_room_has_no_deadline() {
    let mut story = ann();
    story
        .publish("a", "user-ann")
        .wait(Duration::from_secs(1))
        .disconnect("ann");
    story
        .wait(Duration::from_secs(3))
        .connect("ann", true)
        .get("ann", "a", at(1));
    story
        .ready("ann", true, &["user-ann"], at(1))
        .grant("ann", "order-1")
        .publish("b", "order-1");
    story
        .withdraw("ann", "order-1")
        .wait(Duration::from_secs(3))
        .add(Fact::Started);
    breaks(&story, &[]);
}
