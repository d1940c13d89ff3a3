//! An expectation of the order of events: the values that a filter makes of them, one each.

use serde_json::Value;

use super::copies;
use super::filter::{Filter, FilterFailed, FilterValues};
use super::judgement::CannotJudge;
use super::received::Received;
use super::subset::fits;

/// An expectation of events in order.
#[derive(Debug, Clone)]
pub(crate) struct Sequence {
    pub(crate) event: String,
    /// Makes one value of each event, for instance `.data.status`.
    pub(crate) of: Filter,
    /// All the values, in order.
    pub(crate) is: Vec<Value>,
    pub(crate) replayed: Option<bool>,
}

/// The result of judging a sequence.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SequenceJudgement {
    pub(crate) outcome: SequenceOutcome,
    /// The values of the events that came, in order.
    pub(crate) got: Vec<Value>,
    /// The indexes of these events.
    pub(crate) events: Vec<usize>,
    /// The indexes of the copies, which do not count.
    pub(crate) copies: Vec<usize>,
}

/// The order of the events, compared with the expected one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SequenceOutcome {
    Met,
    /// The values that came are in order, and these did not come.
    Missing(Vec<Value>),
    /// All the values came, in another order.
    Order,
    /// All the values came in order, and these came besides.
    TooMany(Vec<Value>),
    /// Some values did not come, and others came.
    Others {
        missing: Vec<Value>,
        unexpected: Vec<Value>,
    },
}

impl Sequence {
    /// Judges the events that a watcher received. A copy of an event counts once.
    ///
    /// # Errors
    /// Returns the event of which the filter makes not exactly one value.
    pub(crate) fn judge(
        &self,
        events: &[Received],
        variables: &FilterValues,
    ) -> Result<SequenceJudgement, CannotJudge> {
        let copies = copies::of(events, |event| event.event == self.event);
        let mut judgement = SequenceJudgement {
            outcome: SequenceOutcome::Met,
            got: Vec::new(),
            events: Vec::new(),
            copies,
        };
        for (index, event) in events.iter().enumerate() {
            if judgement.copies.contains(&index) || !self.counts(event) {
                continue;
            }
            let value = self.of.value(&event.json(), variables);
            judgement
                .got
                .push(value.map_err(|reason| self.cannot_judge(index, &reason))?);
            judgement.events.push(index);
        }
        judgement.outcome = outcome(&self.is, &judgement.got);
        Ok(judgement)
    }

    /// Returns whether the values that came are the first ones of the sequence, but not all, so
    /// that waiting can help.
    pub(crate) fn is_waiting(&self, judgement: &SequenceJudgement) -> bool {
        let pairs = self.is.iter().zip(&judgement.got);
        judgement.got.len() < self.is.len() && all_same(pairs)
    }

    fn counts(&self, event: &Received) -> bool {
        let as_live = self
            .replayed
            .is_none_or(|replayed| event.replayed == replayed);
        event.event == self.event && as_live
    }

    fn cannot_judge(&self, index: usize, reason: &FilterFailed) -> CannotJudge {
        CannotJudge {
            index,
            event: self.event.clone(),
            filter: self.of.to_string(),
            reason: reason.to_string(),
            hint: None,
        }
    }
}

fn outcome(is: &[Value], got: &[Value]) -> SequenceOutcome {
    if is.len() == got.len() && all_same(is.iter().zip(got)) {
        return SequenceOutcome::Met;
    }
    let missing = without(is, got);
    let unexpected = without(got, is);
    match (missing.is_empty(), unexpected.is_empty()) {
        (true, true) => SequenceOutcome::Order,
        (false, true) if is_subsequence(got, is) => SequenceOutcome::Missing(missing),
        (true, false) if is_subsequence(is, got) => SequenceOutcome::TooMany(unexpected),
        _ => SequenceOutcome::Others {
            missing,
            unexpected,
        },
    }
}

fn all_same<'a>(mut pairs: impl Iterator<Item = (&'a Value, &'a Value)>) -> bool {
    pairs.all(|(one, other)| is_same(one, other))
}

/// Returns whether the values are equal, numbers by their value.
fn is_same(one: &Value, other: &Value) -> bool {
    fits(one, other) && fits(other, one)
}

/// Returns the values that are left if each of the others takes one away.
fn without(values: &[Value], others: &[Value]) -> Vec<Value> {
    let mut left = values.to_vec();
    for other in others {
        if let Some(found) = left.iter().position(|value| is_same(value, other)) {
            left.remove(found);
        }
    }
    left
}

/// Returns whether the parts are in the whole, in order.
fn is_subsequence(parts: &[Value], whole: &[Value]) -> bool {
    let mut rest = whole.iter();
    parts
        .iter()
        .all(|part| rest.any(|value| is_same(part, value)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::expectation::filter::any_json;
    use crate::expectation::received::fixture::received;

    fn statuses(is: &[&str]) -> Sequence {
        Sequence {
            event: "order_update".to_owned(),
            of: Filter::parse(".data.status", &[]).unwrap(),
            is: is.iter().map(|status| json!(status)).collect(),
            replayed: None,
        }
    }

    fn events(came: &[&str]) -> Vec<Received> {
        let numbered = came.iter().enumerate();
        numbered
            .map(|(n, status)| received("order_update", &n.to_string(), json!({"status": status})))
            .collect()
    }

    #[track_caller]
    fn check(is: &[&str], came: &[&str], outcome: SequenceOutcome, is_waiting: bool) {
        let sequence = statuses(is);
        let judgement = sequence.judge(&events(came), &FilterValues::new()).unwrap();
        assert_eq!(judgement.outcome, outcome, "{came:?}");
        assert_eq!(judgement.got.len(), came.len());
        assert_eq!(sequence.is_waiting(&judgement), is_waiting, "{came:?}");
    }

    fn values(values: &[&str]) -> Vec<Value> {
        values.iter().map(|value| json!(value)).collect()
    }

    #[test]
    fn the_values_have_to_be_exactly_these_in_this_order() {
        use SequenceOutcome as O;
        check(&["a", "b", "c"], &["a", "b", "c"], O::Met, false);
        check(
            &["a", "b", "c"],
            &["a", "b"],
            O::Missing(values(&["c"])),
            true,
        );
        check(
            &["a", "b", "c"],
            &[],
            O::Missing(values(&["a", "b", "c"])),
            true,
        );
        check(
            &["a", "b", "c"],
            &["a", "c"],
            O::Missing(values(&["b"])),
            false,
        );
        check(&["a", "b"], &["b", "a"], O::Order, false);
        check(
            &["a", "b"],
            &["a", "b", "b"],
            O::TooMany(values(&["b"])),
            false,
        );
        check(
            &["a", "b"],
            &["x", "a", "b"],
            O::TooMany(values(&["x"])),
            false,
        );
        let others = O::Others {
            missing: values(&["b"]),
            unexpected: values(&["x"]),
        };
        check(&["a", "b"], &["a", "x"], others, false);
    }

    #[test]
    fn copies_and_other_events_do_not_count() {
        let mut came = events(&["a", "b"]);
        came.insert(1, came[0].clone());
        came.push(received("note", "9", json!({"status": "x"})));
        let judgement = statuses(&["a", "b"])
            .judge(&came, &FilterValues::new())
            .unwrap();
        assert_eq!(judgement.outcome, SequenceOutcome::Met);
        assert_eq!(judgement.events, [0, 2]);
        assert_eq!(judgement.copies, [1]);
    }

    #[test]
    fn a_sequence_of_missed_events_counts_only_those() {
        let mut came = events(&["a", "b", "c"]);
        came[0].replayed = true;
        came[1].replayed = true;
        let sequence = Sequence {
            replayed: Some(true),
            ..statuses(&["a", "b"])
        };
        let judgement = sequence.judge(&came, &FilterValues::new()).unwrap();
        assert_eq!(judgement.outcome, SequenceOutcome::Met);
    }

    #[test]
    fn an_event_without_exactly_one_value_cannot_be_judged() {
        let sequence = Sequence {
            of: Filter::parse(".data.items[]", &[]).unwrap(),
            ..statuses(&["a"])
        };
        let came = |items: Value| [received("order_update", "1", json!({"items": items}))];
        let error = |items: Value| {
            let judged = sequence.judge(&came(items), &FilterValues::new());
            judged.unwrap_err().to_string()
        };
        let errors = [json!([1, 2]), json!([]), json!(3)].map(error);
        insta::assert_snapshot!(errors.join("\n"), @r#"
        `.data.items[]` cannot judge order_update: it gives several values, not one
        `.data.items[]` cannot judge order_update: it gives no value
        `.data.items[]` cannot judge order_update: cannot use 3 as iterable (array or object)
        "#);
    }

    proptest! {
        #[test]
        fn the_values_that_came_are_their_own_sequence(
            came in proptest::collection::vec(any_json(), 0..6),
            doubled in any::<bool>(),
        ) {
            let event = |(n, value): (usize, &Value)| {
                received("order_update", &n.to_string(), json!({"status": value}))
            };
            let mut events: Vec<Received> = came.iter().enumerate().map(event).collect();
            if doubled {
                events.extend(events.clone());
            }
            let sequence = Sequence { is: came, ..statuses(&[]) };
            let judgement = sequence.judge(&events, &FilterValues::new()).unwrap();
            prop_assert_eq!(judgement.outcome, SequenceOutcome::Met);
        }

        #[test]
        fn an_outcome_other_than_met_names_a_difference(
            is in proptest::collection::vec(0..3_u8, 0..6),
            got in proptest::collection::vec(0..3_u8, 0..6),
        ) {
            let json = |values: &[u8]| -> Vec<Value> { values.iter().map(|v| json!(v)).collect() };
            match outcome(&json(&is), &json(&got)) {
                SequenceOutcome::Met => prop_assert_eq!(is, got),
                SequenceOutcome::Order => prop_assert!(is != got && is.len() == got.len()),
                SequenceOutcome::Missing(left) => prop_assert_eq!(is.len(), got.len() + left.len()),
                SequenceOutcome::TooMany(more) => prop_assert_eq!(is.len() + more.len(), got.len()),
                SequenceOutcome::Others { missing, unexpected } => {
                    prop_assert!(!missing.is_empty() || !unexpected.is_empty());
                }
            }
        }
    }
}
