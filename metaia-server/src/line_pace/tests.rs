//! The pace in a subscriber.

use std::sync::mpsc;

use tracing::subscriber::with_default;
use tracing_subscriber::{Layer, Registry, layer::SubscriberExt as _};

use super::*;

/// A layer that takes the messages of the lines that reach it, with their codes.
struct Taken(mpsc::Sender<String>);

impl<S: Subscriber> Layer<S> for Taken {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let code = code(event).unwrap_or_default();
        let _ = self.0.send(format!("{} {code}", fields::message(event)));
    }
}

/// Returns the lines that are written while `log` runs with a pace that has begun.
fn written(log: impl FnOnce(&LinePace)) -> Vec<String> {
    let pace = LinePace::default();
    pace.begin();
    let (lines, taken) = mpsc::channel();
    let layer = Taken(lines).with_filter(pace.clone());
    with_default(Registry::default().with(layer), || log(&pace));
    taken.try_iter().collect()
}

fn count(lines: &[String], text: &str) -> usize {
    lines.iter().filter(|line| line.contains(text)).count()
}

#[test]
fn each_code_of_a_place_has_its_lines_and_one_with_the_count() {
    let lines = written(|pace| {
        for _ in 0..100 {
            for code in ["unauthorized", "token_expired"] {
                tracing::info!(target: "metaia_realtime", code, "connection refused");
            }
        }
        assert_eq!(pace.left_out(), 190);
        pace.tell_unsaid();
        pace.tell_all();
    });
    for code in ["unauthorized", "token_expired"] {
        assert_eq!(count(&lines, &format!("connection refused {code}")), 6);
        let summary = format!("left out: connection refused {code}");
        assert_eq!(count(&lines, &summary), 1, "{lines:?}");
    }
    assert_eq!(lines.len(), 12);
}

#[test]
fn warnings_and_lines_of_other_crates_are_bounded_without_a_code() {
    let lines = written(|_| {
        for number in 0..100 {
            tracing::warn!(target: "metaia_realtime", number, "ours");
            tracing::error!(target: "metaia_server", number, "an error");
            tracing::info!(target: "engineioxide", number, "theirs");
        }
    });
    assert_eq!(lines.len(), 15, "{lines:?}");
}

#[test]
fn what_users_did_is_not_left_out() {
    let lines = written(|pace| {
        for number in 0..100 {
            tracing::info!(target: "metaia_realtime", "User connected: c{number} (customer)");
        }
        assert_eq!(pace.left_out(), 0);
    });
    assert_eq!(lines.len(), 100);
}

#[test]
fn before_it_begins_nothing_is_left_out() {
    let pace = LinePace::default();
    let (lines, taken) = mpsc::channel();
    let layer = Taken(lines).with_filter(pace);
    with_default(Registry::default().with(layer), || {
        for number in 0..100 {
            tracing::warn!("setting {number} is not known");
        }
    });
    assert_eq!(taken.try_iter().count(), 100);
}

#[test]
fn kinds_beyond_the_bound_share_a_window() {
    let lines = written(|pace| {
        for number in 0..2_000 {
            let code = number.to_string();
            tracing::info!(code, "made of what a stranger sent");
        }
        pace.tell_all();
    });
    assert_eq!(count(&lines, "made of"), 1_005);
    assert_eq!(
        count(&lines, "left out: lines of kinds that are not listed"),
        1
    );
}
