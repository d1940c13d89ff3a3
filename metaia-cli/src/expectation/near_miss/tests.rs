//! Tests of the text: what a person sees.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::expectation::condition::Condition;
use crate::expectation::filter::{FilterValues, any_json};
use crate::expectation::received::fixture::received;

fn matching(matches: Value) -> Expectation {
    Expectation {
        event: Some("order_update".to_owned()),
        matches: Some(matches),
        ..Expectation::default()
    }
}

fn shown(expectation: &Expectation, event: &Received, width: usize) -> String {
    let events = std::slice::from_ref(event);
    let judgement = expectation.judge(events, &FilterValues::new()).unwrap();
    let nearest = judgement.nearest.unwrap();
    nearest
        .lines(expectation, event, width, Paint::PLAIN)
        .join("\n")
}

fn update(data: Value) -> Received {
    received("order_update", "e1", data)
}

#[test]
fn what_differs_has_carets() {
    let expectation = matching(json!({"_id": "6b0c05aa", "status": "ready", "version": 5}));
    let event = update(json!({
        "_id": "6b0c05aa", "status": "in_progress", "version": 4, "amount": 120_000,
    }));
    insta::assert_snapshot!(shown(&expectation, &event, 100), @r#"
    expected  order_update { _id: 6b0c05aa, status: ready,       version: 5 }
    got       order_update { _id: 6b0c05aa, status: in_progress, version: 4 }
                                                    ^^^^^^^^^^^           ^
    "#);
}

#[test]
fn an_absent_member_gets_a_suggestion() {
    let expectation = matching(json!({"staus": "ready"}));
    let event = update(json!({"status": "ready"}));
    insta::assert_snapshot!(shown(&expectation, &event, 100), @r#"
    expected  order_update { staus: ready    }
    got       order_update { staus: (absent) }
                                    ^^^^^^^^
    no member `staus`; did you mean `status`?
    "#);
}

#[test]
fn wide_characters_and_inner_members_keep_the_columns() {
    let expectation = matching(json!({
        "to": {"city": "東京都", "zip": "1"}, "n": [{"a": 1}, {"a": 2}], "t": "a b",
    }));
    let event = update(json!({
        "to": {"city": "大阪", "zip": "1"}, "n": [{"a": 1}, {"a": 3}], "t": "a",
    }));
    insta::assert_snapshot!(shown(&expectation, &event, 120), @r#"
    expected  order_update { n[0].a: 1, n[1].a: 2, t: "a b", to.city: 東京都, to.zip: "1" }
    got       order_update { n[0].a: 1, n[1].a: 3, t: "a",   to.city: 大阪,   to.zip: "1" }
                                                ^     ^^^             ^^^^
    "#);
}

#[test]
fn a_narrow_terminal_shows_only_what_differs() {
    let expectation = matching(json!({
        "_id": "6b0c05aa", "amount": 120_000, "customer": "buyer-7f3a", "status": "ready",
    }));
    let event = update(json!({
        "_id": "6b0c05aa", "amount": 120_000, "customer": "buyer-7f3a", "status": "in_progress",
    }));
    insta::assert_snapshot!(shown(&expectation, &event, 80), @r#"
    expected  order_update { … status: ready       }
    got       order_update { … status: in_progress }
                                       ^^^^^^^^^^^
    "#);
    insta::assert_snapshot!(shown(&expectation, &event, 30), @r#"
    order_update: 1 of 4 members differ
      status  expected ready  got in_progress
    "#);
}

#[test]
fn another_name_or_a_whole_value_is_marked() {
    let expectation = Expectation {
        event: Some("oder_update".to_owned()),
        ..matching(json!("text"))
    };
    let event = update(json!([1]));
    insta::assert_snapshot!(shown(&expectation, &event, 100), @r#"
    expected  oder_update  text
    got       order_update [1]
              ^^^^^^^^^^^^ ^^^
    "#);
}

#[test]
fn clauses_without_a_column_are_told() {
    let event = update(json!({"_id": "o1"}));
    let base = || matching(json!({"_id": "o1"}));
    let replayed = Expectation {
        replayed: Some(true),
        about: Some("o2".to_owned()),
        ..base()
    };
    insta::assert_snapshot!(shown(&replayed, &event, 100), @r#"
    expected  order_update { _id: o1 }
    got       order_update { _id: o1 }
    it does not concern order o2
    it came live, not replayed
    "#);
    let condition = Expectation {
        matches: None,
        condition: Some(Condition::parse(".data.amount == 1", &[]).unwrap()),
        ..base()
    };
    insta::assert_snapshot!(shown(&condition, &event, 100), @r#"
    got       order_update {"_id":"o1"}
    `.data.amount == 1` is false for it
    "#);
}

proptest! {
    #[test]
    fn the_carets_stand_below_what_differs(one in any_json(), other in any_json()) {
        let expectation = matching(one);
        let event = update(other);
        let judged = expectation.judge(std::slice::from_ref(&event), &FilterValues::new());
        let Some(nearest) = judged.unwrap().nearest else {
            return Ok(());
        };
        let lines = nearest.lines(&expectation, &event, usize::MAX, Paint::PLAIN);
        let marked = lines[2].chars().filter(|c| *c == '^').count();
        let cells = cells(expectation.matches.as_ref().unwrap(), &event.data);
        let differing = cells.iter().filter(|cell| cell.differs);
        let wanted: usize = differing.map(|cell| cell.carets().len()).sum();
        prop_assert_eq!(marked, wanted);
        prop_assert!(measure_text_width(&lines[2]) <= measure_text_width(&lines[1]).max(1));
    }

    #[test]
    fn no_width_makes_the_text_panic(
        one in any_json(),
        other in any_json(),
        width in 0..200_usize,
    ) {
        let expectation = matching(one);
        let event = update(other);
        let judged = expectation.judge(std::slice::from_ref(&event), &FilterValues::new());
        if let Some(nearest) = judged.unwrap().nearest {
            prop_assert!(!nearest.lines(&expectation, &event, width, Paint::COLOURED).is_empty());
        }
    }
}
