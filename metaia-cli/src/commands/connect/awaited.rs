//! The things that `/await` waits for: live sessions, or an event with a part of a payload.

use std::time::Duration;

use serde_json::Value;

use crate::event_names;
use crate::exit::Failure;
use crate::expectation::{Received, differences};
use crate::payload_args::{self, PayloadArg};
use crate::span;

/// The word for live sessions. No event of the server has this name.
const LIVE: &str = "live";

/// The arguments of `/await`.
#[derive(Debug, PartialEq)]
pub(super) struct AwaitArgs {
    /// `None` for live sessions.
    event: Option<AwaitedEvent<Vec<PayloadArg>>>,
    /// The time limit; that of `--timeout` if there is none.
    pub(super) limit: Option<Duration>,
}

/// An event of this name, with this part of a payload.
#[derive(Debug, PartialEq)]
pub(super) struct AwaitedEvent<P = Value> {
    pub(super) name: String,
    payload: P,
}

impl AwaitArgs {
    /// Reads the words behind `/await`.
    pub(super) fn parse(what: &str, items: &[&str]) -> Result<Self, String> {
        let (items, limit) = split_limit(items)?;
        if what == LIVE {
            return match items {
                [] => Ok(Self { event: None, limit }),
                _ => Err("/await live takes only a time".to_owned()),
            };
        }
        let payload: Result<_, String> = items.iter().map(|item| item.parse()).collect();
        let event = AwaitedEvent {
            name: what.to_owned(),
            payload: payload?,
        };
        Ok(Self {
            event: Some(event),
            limit,
        })
    }

    /// Reads the files of the payload. Returns `None` for live sessions.
    ///
    /// # Errors
    /// Returns a failure for a name that no event has, and for a file that cannot be read.
    pub(super) fn event(&self) -> Result<Option<AwaitedEvent>, Failure> {
        let Some(event) = &self.event else {
            return Ok(None);
        };
        check_name(&event.name)?;
        Ok(Some(AwaitedEvent {
            name: event.name.clone(),
            payload: payload_args::payload(&event.payload)?,
        }))
    }
}

impl AwaitedEvent {
    /// Returns true for this event.
    pub(super) fn is(&self, event: &Received) -> bool {
        let fits = || differences(&self.payload, &event.data).is_empty();
        event.event == self.name && (self.takes_any_payload() || fits())
    }

    /// Returns true if no payload was named, so that every event of the name is meant.
    pub(super) fn takes_any_payload(&self) -> bool {
        self.payload
            .as_object()
            .is_some_and(|members| members.is_empty())
    }
}

/// Tells the last word apart if it is a time.
fn split_limit<'a>(items: &'a [&'a str]) -> Result<(&'a [&'a str], Option<Duration>), String> {
    match items {
        [items @ .., last] if !last.contains('=') && !last.starts_with('@') => {
            let limit = span::parse(last).map_err(|expected| {
                let part = "a part of a payload (k=v, n:=1, @FILE)";
                format!("{last:?} is neither {part} nor a time: {expected}")
            })?;
            Ok((items, Some(limit)))
        }
        items => Ok((items, None)),
    }
}

fn check_name(name: &str) -> Result<(), Failure> {
    if name == "rt:ready" {
        let failure = Failure::usage("rt:ready is not awaited as an event");
        return Err(failure.hint("/await live waits for it"));
    }
    event_names::check_printed(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::expectation::received;

    fn awaited(what: &str, items: &[&str]) -> AwaitedEvent {
        let args = AwaitArgs::parse(what, items).unwrap();
        args.event().unwrap().unwrap()
    }

    #[test]
    fn an_event_fits_by_its_name_and_a_part_of_its_payload() {
        let ready = awaited("order_update", &["status=ready", "n:=1", "2s"]);
        let is = |name: &str, data: Value| ready.is(&received(name, "e1", data));
        assert!(is(
            "order_update",
            json!({"status": "ready", "n": 1, "x": true})
        ));
        assert!(!is("order_update", json!({"status": "ready"})));
        assert!(!is("order_updates", json!({"status": "ready", "n": 1})));
        let any = awaited("order_update", &[]);
        assert!(any.takes_any_payload());
        assert!(any.is(&received("order_update", "e1", json!({}))));
    }

    #[test]
    fn an_event_without_an_object_fits_if_no_payload_is_named() {
        let any = awaited("note", &[]);
        for data in [json!("text"), json!(null), json!([1])] {
            assert!(any.is(&received("note", "e1", data.clone())), "{data}");
            assert!(!awaited("note", &["a=1"]).is(&received("note", "e1", data)));
        }
    }

    #[test]
    fn the_last_word_may_be_a_time() {
        let limit = |items: &[&str]| AwaitArgs::parse("x", items).map(|args| args.limit);
        assert_eq!(limit(&[]), Ok(None));
        assert_eq!(limit(&["a=1"]), Ok(None));
        assert_eq!(limit(&["a=1", "2s"]), Ok(Some(Duration::from_secs(2))));
        assert!(limit(&["soon"]).is_err());
        assert!(limit(&["2s", "a=1"]).is_err());
    }

    #[test]
    fn live_takes_only_a_time() {
        assert_eq!(
            AwaitArgs::parse("live", &[]).unwrap().event().unwrap(),
            None
        );
        assert!(AwaitArgs::parse("live", &["2s"]).is_ok());
        assert!(AwaitArgs::parse("live", &["a=1"]).is_err());
    }

    #[test]
    fn a_name_that_no_event_has_is_refused() {
        for name in ["rt:ready", "a/b", "", "connect"] {
            assert!(
                AwaitArgs::parse(name, &[]).unwrap().event().is_err(),
                "{name}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_words_panic(what in any::<String>(), items in any::<Vec<String>>()) {
            let items: Vec<&str> = items.iter().map(String::as_str).collect();
            let _ = AwaitArgs::parse(&what, &items);
        }
    }
}
