//! Tests of expectations: the cases of the guide, and properties of all events.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::expectation::condition::Condition;
use crate::expectation::filter::any_json;
use crate::expectation::received::fixture::received;
use crate::expectation::times::Times;

fn update(id: &str, status: &str, version: u32) -> Received {
    let data = json!({"_id": "o1", "status": status, "version": version});
    received("order_update", id, data)
}

fn story() -> Vec<Received> {
    vec![
        received(
            "new_notification",
            "n1",
            json!({"_id": "n1", "relatedOrder": "o1"}),
        ),
        update("e1", "pending", 1),
        update("e2", "confirmed", 2),
        received("rt:position", "p1", json!({"_rt": {"at": "p.1"}})),
        received(
            "order_update",
            "e3",
            json!({"_id": "o2", "status": "pending", "version": 1}),
        ),
    ]
}

fn expects(event: &str) -> Expectation {
    Expectation {
        event: (event != "*").then(|| event.to_owned()),
        ..Expectation::default()
    }
}

fn matching(event: &str, matches: Value) -> Expectation {
    Expectation {
        matches: Some(matches),
        ..expects(event)
    }
}

fn judge(expectation: &Expectation, events: &[Received]) -> Judgement {
    expectation.judge(events, &FilterValues::new()).unwrap()
}

fn condition(text: &str) -> Option<Condition> {
    Some(Condition::parse(text, &["order"]).unwrap())
}

fn is_met(judgement: &Judgement) -> bool {
    judgement.outcome == ExpectationOutcome::Met
}

#[test]
fn one_fitting_event_meets_an_expectation() {
    let judgement = judge(
        &matching("order_update", json!({"status": "confirmed"})),
        &story(),
    );
    assert!(is_met(&judgement));
    assert_eq!(judgement.fitting, [2]);
    assert_eq!(judgement.judged, 3);
    assert_eq!(judgement.nearest, None);
}

#[test]
fn the_number_of_fitting_events_decides() {
    let times = |text: &str| Expectation {
        times: text.parse().unwrap(),
        ..expects("order_update")
    };
    let outcome = |text: &str| judge(&times(text), &story()).outcome;
    let wanted = |text: &str| text.parse().unwrap();
    assert_eq!(outcome("3"), ExpectationOutcome::Met);
    assert_eq!(outcome("1..3"), ExpectationOutcome::Met);
    assert_eq!(outcome("any"), ExpectationOutcome::Met);
    assert_eq!(outcome("0"), ExpectationOutcome::Unwanted { got: 3 });
    let too_many = ExpectationOutcome::TooMany {
        got: 3,
        wanted: wanted("1..2"),
    };
    assert_eq!(outcome("1..2"), too_many);
    let missing = ExpectationOutcome::Missing {
        got: 3,
        wanted: wanted("4"),
    };
    assert_eq!(outcome("4"), missing);
}

#[test]
fn an_expectation_is_reached_before_it_can_be_exceeded() {
    let between = Expectation {
        times: "1..2".parse().unwrap(),
        ..expects("*")
    };
    let reached: Vec<bool> = (0..4).map(|count| between.is_reached(count)).collect();
    assert_eq!(reached, [false, true, true, true]);
    let exceeded: Vec<bool> = (0..4).map(|count| between.is_exceeded(count)).collect();
    assert_eq!(exceeded, [false, false, false, true]);
    let never = Expectation {
        times: Times::NEVER,
        ..expects("*")
    };
    assert!(!never.is_reached(0));
    assert!(never.is_exceeded(1));
}

#[test]
fn any_event_is_any_of_the_application() {
    let any = Expectation {
        times: Times::ANY,
        ..expects("*")
    };
    assert_eq!(judge(&any, &story()).fitting, [0, 1, 2, 4]);
    assert_eq!(judge(&expects("rt:position"), &story()).fitting, [3]);
}

#[test]
fn an_expectation_about_an_order_ignores_those_of_others() {
    let about = Expectation {
        about: Some("o1".to_owned()),
        times: Times::ANY,
        ..expects("*")
    };
    assert_eq!(judge(&about, &story()).fitting, [0, 1, 2]);
}

#[test]
fn a_condition_reads_the_whole_event_and_variables() {
    let variables = FilterValues::from([("order".to_owned(), json!("o1"))]);
    let expectation = Expectation {
        condition: condition(
            ".data._id == $order and .as == \"customer:u1\" and .data.version > 1",
        ),
        ..expects("order_update")
    };
    let judgement = expectation.judge(&story(), &variables).unwrap();
    assert_eq!(judgement.fitting, [2]);
    assert_eq!(judgement.judged, 3);
}

#[test]
fn a_condition_is_judged_only_on_events_that_match() {
    let expectation = Expectation {
        condition: condition(".data.version + 0 == 2"),
        ..matching("order_update", json!({"status": "confirmed"}))
    };
    let mut events = story();
    events.push(received("order_update", "e9", json!({"version": "text"})));
    assert!(is_met(&judge(&expectation, &events)));
}

#[test]
fn an_event_on_which_a_condition_is_no_boolean_cannot_be_judged() {
    let expectation = Expectation {
        condition: condition(".data.staus"),
        ..expects("order_update")
    };
    let error = expectation
        .judge(&story(), &FilterValues::new())
        .unwrap_err();
    assert_eq!(error.index, 1);
    let expected = "`.data.staus` cannot judge order_update: it gives null, not true or false";
    assert_eq!(error.to_string(), expected);
    assert!(error.hint.unwrap().contains("check the name"));
}

#[test]
fn an_event_that_one_connection_brings_twice_counts_twice() {
    let mut events = story();
    events.push(Received {
        again: true,
        ..update("e2", "confirmed", 2)
    });
    let judgement = judge(&matching("order_update", json!({"version": 2})), &events);
    let wanted = Times::exactly(1);
    let too_many = ExpectationOutcome::TooMany { got: 2, wanted };
    assert_eq!(judgement.outcome, too_many);
    assert!(judgement.copies.is_empty(), "{judgement:?}");
}

#[test]
fn copies_count_once_and_are_reported() {
    let mut events = story();
    events.push(Received {
        replayed: true,
        ..update("e2", "confirmed", 2)
    });
    let judgement = judge(&matching("order_update", json!({"version": 2})), &events);
    assert!(is_met(&judgement));
    assert_eq!(judgement.copies, [5]);
    assert_eq!(judgement.judged, 3);
}

#[test]
fn live_and_missed_events_are_told_apart() {
    let mut events = story();
    events[1].replayed = true;
    let of = |replayed: bool| Expectation {
        replayed: Some(replayed),
        times: Times::ANY,
        ..expects("order_update")
    };
    assert_eq!(judge(&of(true), &events).fitting, [1]);
    assert_eq!(judge(&of(false), &events).fitting, [2, 4]);
}

fn nearest(expectation: &Expectation, events: &[Received]) -> (usize, Vec<Clause>, usize) {
    let nearest = judge(expectation, events).nearest.unwrap();
    (nearest.index, nearest.failed, nearest.differences.len())
}

#[test]
fn the_nearest_event_differs_least() {
    let ready = json!({"_id": "o1", "status": "ready", "version": 3});
    let expectation = matching("order_update", ready);
    assert_eq!(nearest(&expectation, &story()), (2, vec![Clause::Match], 2));

    let replayed = Expectation {
        replayed: Some(true),
        ..matching("order_update", json!({"status": "confirmed"}))
    };
    assert_eq!(nearest(&replayed, &story()), (2, vec![Clause::Replayed], 0));

    let about = Expectation {
        about: Some("o9".to_owned()),
        ..matching("order_update", json!({"status": "confirmed"}))
    };
    assert_eq!(nearest(&about, &story()), (2, vec![Clause::About], 0));

    let condition = Expectation {
        condition: condition(".data.version == 7"),
        ..matching("order_update", json!({"status": "confirmed"}))
    };
    let (index, failed, _) = nearest(&condition, &story());
    assert_eq!((index, failed), (2, vec![Clause::Condition]));
}

#[test]
fn the_nearest_event_may_have_another_name_if_something_fits() {
    let typo = expects("oder_update");
    assert_eq!(nearest(&typo, &story()), (4, vec![Clause::Event], 0));
    let other = matching("payment_update", json!({"_id": "n1", "relatedOrder": "o1"}));
    assert_eq!(nearest(&other, &story()), (0, vec![Clause::Event], 0));
    let nothing = matching("payment_update", json!({"amount": 1}));
    assert_eq!(judge(&nothing, &story()).nearest, None);
    assert_eq!(judge(&expects("payment_update"), &story()).nearest, None);
    assert_eq!(judge(&expects("order_update"), &[]).nearest, None);
}

#[test]
fn a_copy_of_a_fitting_event_is_not_near() {
    let twice = Expectation {
        times: Times::exactly(2),
        ..matching("order_update", json!({"version": 2}))
    };
    let events = [update("e2", "confirmed", 2), update("e2", "confirmed", 2)];
    assert_eq!(judge(&twice, &events).nearest, None);
}

fn any_event() -> impl Strategy<Value = Received> {
    let names = proptest::sample::select(vec!["order_update", "note", "rt:position"]);
    let ids = proptest::option::of(0..4_u8);
    (names, ids, any_json(), any::<bool>()).prop_map(|(name, id, data, replayed)| Received {
        id: id.map(|id| id.to_string()),
        replayed,
        ..received(name, "", data)
    })
}

fn any_expectation() -> impl Strategy<Value = Expectation> {
    let names = proptest::sample::select(vec!["order_update", "note", "*", "rt:position"]);
    let conditions = [".data == 1", "(.data | length) > 1", "any(..; . == 1)"];
    let condition = proptest::option::of(proptest::sample::select(conditions.to_vec()));
    let matches = proptest::option::of(any_json());
    let times = (0..3_usize, 0..2_usize);
    let about = proptest::option::of(Just("o1".to_owned()));
    let replayed = proptest::option::of(any::<bool>());
    (names, condition, matches, times, about, replayed).prop_map(
        |(event, text, matches, (least, more), about, replayed)| Expectation {
            times: format!("{least}..{}", least + more).parse().unwrap(),
            matches,
            condition: text.and_then(condition_of),
            about,
            replayed,
            ..expects(event)
        },
    )
}

fn condition_of(text: &str) -> Option<Condition> {
    condition(text)
}

proptest! {
    #[test]
    fn no_events_make_a_judgement_panic(
        expectation in any_expectation(),
        events in proptest::collection::vec(any_event(), 0..8),
    ) {
        let _ = expectation.judge(&events, &FilterValues::new());
    }

    #[test]
    fn an_event_made_of_the_match_and_more_members_fits(
        matches in proptest::collection::btree_map("[a-c]{1,2}", any_json(), 0..5),
        more in proptest::collection::btree_map("[d-f]{1,2}", any_json(), 0..5),
    ) {
        let expected: Value = matches.clone().into_iter().collect();
        let data: Value = matches.into_iter().chain(more).collect();
        let expectation = matching("note", expected);
        prop_assert!(is_met(&judge(&expectation, &[received("note", "e1", data)])));
    }

    #[test]
    fn copies_never_change_the_outcome(
        expectation in any_expectation(),
        events in proptest::collection::vec(any_event(), 0..6),
        copied in proptest::collection::vec((0..6_usize, 0..6_usize), 0..4),
    ) {
        let mut events = events;
        for (index, event) in events.iter_mut().enumerate() {
            event.id = Some(index.to_string());
        }
        let mut with_copies = events.clone();
        for (from, after) in copied {
            if let Some(copy) = events.get(from).cloned() {
                let original = with_copies.iter().position(|event| event.id == copy.id);
                let place = original.map_or(0, |place| place + 1) + after;
                with_copies.insert(place.min(with_copies.len()), copy);
            }
        }
        let plain = expectation.judge(&events, &FilterValues::new());
        let copied = expectation.judge(&with_copies, &FilterValues::new());
        match (plain, copied) {
            (Ok(plain), Ok(copied)) => {
                prop_assert_eq!(plain.outcome, copied.outcome);
                prop_assert_eq!(plain.judged, copied.judged);
                prop_assert_eq!(plain.fitting.len(), copied.fitting.len());
            }
            (plain, copied) => prop_assert_eq!(plain.is_err(), copied.is_err()),
        }
    }

    #[test]
    fn the_outcome_follows_from_the_number_that_fits(
        expectation in any_expectation(),
        events in proptest::collection::vec(any_event(), 0..8),
    ) {
        let Ok(judgement) = expectation.judge(&events, &FilterValues::new()) else {
            return Ok(());
        };
        let got = judgement.fitting.len();
        let times = &expectation.times;
        let met = (times.minimum()..=times.maximum()).contains(&got);
        prop_assert_eq!(is_met(&judgement), met);
        prop_assert!(judgement.judged >= got);
        let missing = matches!(judgement.outcome, ExpectationOutcome::Missing { .. });
        prop_assert!(judgement.nearest.is_none() || missing);
    }

    #[test]
    fn the_nearest_event_does_not_fit(
        expectation in any_expectation(),
        events in proptest::collection::vec(any_event(), 0..8),
    ) {
        let Ok(judgement) = expectation.judge(&events, &FilterValues::new()) else {
            return Ok(());
        };
        if let Some(nearest) = judgement.nearest {
            prop_assert!(!nearest.failed.is_empty());
            prop_assert!(!judgement.fitting.contains(&nearest.index));
            let differs = nearest.failed.contains(&Clause::Match);
            prop_assert_eq!(differs, !nearest.differences.is_empty());
        }
    }
}
