//! The content of entries, which must be read as it was appended.

use serde_json::json;

use super::{Subject, Trial, Verdict, ensure, equal, sample};
use crate::{
    NewEntry, Room, UserId,
    values::{EventId, SessionId, time},
};

/// The largest difference between the log's clock and the test's, in ms: times in seconds or
/// microseconds differ by more.
const DAY: i64 = 24 * 60 * 60 * 1000;

pub(super) async fn payloads<S: Subject>() -> Verdict {
    read_back::<S>(texts().into_iter().map(verbatim).collect()).await
}

/// Returns every kind of JSON, and texts that a store which parses them would change.
fn texts() -> Vec<String> {
    let long = format!(r#"{{"text":"{}"}}"#, "ä".repeat(32 * 1024 - 100));
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100), "]".repeat(100));
    let members: Vec<_> = (0..1_000).rev().map(|i| format!("\"m{i}\":{i}")).collect();
    [
        "{}",
        r#"{"null":null,"yes":true,"no":false,"list":[1,[],{},null,"x"],"object":{"a":{"b":{}}}}"#,
        r#"{"z":1,"a":2,"Z":3,"":4,"$set":5,"a.b":6}"#,
        r#"{"numbers":[0,-0,1.0,1e3,1E-3,9007199254740993,-9223372036854775809,1e400,0.1000]}"#,
        r#"{"text":"äöü € 漢字 👩‍👩‍👧 \ud83d\ude00 \u0000 \" \\ \/ \n\r\t\b\f ' -- ; %_ \u2028"}"#,
        r#"{ "spaced" : [ 1 , 2 ] }"#,
        r#"{"_rt_":1,"inner":{"_rt":2},"text":"_rt"}"#,
    ]
    .map(str::to_owned)
    .into_iter()
    .chain([long, deep, format!("{{{}}}", members.join(","))])
    .collect()
}

/// Returns an entry whose payload has exactly this text.
fn verbatim(text: String) -> NewEntry {
    let sample = sample::entry([Room::Everyone], &json!({}));
    NewEntry::stored(sample.id(), ["everyone"], sample.name(), text)
        .unwrap_or_else(|error| panic!("no entry: {error}"))
}

pub(super) async fn names_and_rooms<S: Subject>() -> Verdict {
    let named = |name: &str| NewEntry::event(sample::rooms(), (name, json!({})));
    let names = [
        "a",
        "A",
        "new_notification",
        "Stock.low:v2-x",
        "rt",
        "null",
        "0",
        &"x".repeat(64),
    ];
    let entries: Result<Vec<_>, _> = names.into_iter().map(named).collect();
    let mut entries = entries.unwrap_or_else(|error| panic!("no event: {error}"));
    let longest = "Z"
        .repeat(64)
        .parse()
        .unwrap_or_else(|error| panic!("no id: {error}"));
    for rooms in [
        vec![],
        vec![Room::Order(longest)],
        (0..200).map(sample::order).collect(),
    ] {
        entries.push(sample::entry(rooms, &json!({})));
    }
    entries.extend(sample::in_subsets(&sample::rooms(), 40));
    read_back::<S>(entries).await
}

pub(super) async fn control_entries<S: Subject>() -> Verdict {
    let Room::Order(order) = sample::order(1) else {
        unreachable!("an order's room")
    };
    let user: UserId = "u1"
        .parse()
        .unwrap_or_else(|error| panic!("no id: {error}"));
    // Events to the same room, or of the same content, are no control entries.
    let event = sample::entry([sample::order(1)], &json!({}));
    let alike = sample::entry([], &json!({ "id": "u1" }));
    let entries = vec![
        event.clone(),
        NewEntry::recheck(order),
        NewEntry::disconnect_user(user),
        alike,
        NewEntry::disconnect_session(SessionId::random()),
        of_a_newer_version(),
        event.with_id(EventId::random()),
    ];
    read_back::<S>(entries).await
}

/// Returns a control entry that this version cannot read: nodes of another version share the log.
fn of_a_newer_version() -> NewEntry {
    let payload = r#"{"id":"u1"}"#.to_owned();
    NewEntry::stored(EventId::random(), ["order-o1"], "rt:newer", payload)
        .unwrap_or_else(|error| panic!("no entry: {error}"))
}

/// Appends entries and reads them again.
async fn read_back<S: Subject>(entries: Vec<NewEntry>) -> Verdict {
    let mut trial = Trial::<S>::new().await;
    trial.log.append(&entries).await?;
    trial.log.has_exactly(&entries).await?;
    if S::DURABLE {
        trial = trial.reopened().await;
        trial.log.has_exactly(&entries).await?;
    }
    Ok(())
}

pub(super) async fn times<S: Subject>() -> Verdict {
    let mut trial = Trial::<S>::new().await;
    trial.log.append(&sample::entries(3)).await?;
    let times = times_of(&trial).await?;
    let now = time::unix_ms();
    for ts in &times {
        ensure!(
            (ts - now).abs() < DAY,
            "an entry was committed at {ts}, and it is {now} ms since 1970"
        );
    }
    trial.log.append(&sample::entries(1)).await?;
    equal(
        "the times when read again",
        &times_of(&trial).await?[..3],
        &times[..],
    )?;
    if S::DURABLE {
        trial = trial.reopened().await;
        equal(
            "the times after opening again",
            &times_of(&trial).await?[..3],
            &times[..],
        )?;
    }
    Ok(())
}

async fn times_of<S: Subject>(trial: &Trial<S>) -> Verdict<Vec<i64>> {
    let entries = trial.log.all().await?;
    Ok(entries.iter().map(|entry| entry.ts()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_json() {
        for text in texts() {
            assert!(
                serde_json::from_str::<serde_json::Value>(&text).is_ok() || text.contains("1e400"),
                "{text}"
            );
        }
    }
}
