//! `metaia stats`: what the node that answers has done, and what it does now.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Number, Value};
use tokio::time::Instant;

use super::admin::{Admin, AdminArgs};
use super::{moment, table};
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::members::{count_member, list_member, object_member};
use crate::printer::{Paint, Report};
use crate::span;

const EXAMPLES: &str = "\
Examples:
  metaia stats
  metaia stats --watch            what changes, looked at each second
  metaia stats -o json | jq .stats.resets";

/// The shortest time between two looks of `--watch`.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// Show what has changed, again and again, with this time between (default 1s)
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "1s",
        value_parser = pause)]
    watch: Option<Duration>,
    #[command(flatten)]
    admin: AdminArgs,
}

/// Reads the time between two looks.
fn pause(text: &str) -> Result<Duration, String> {
    let pause = span::parse(text)?;
    if pause < SHORTEST_PAUSE {
        return Err("the time between two looks must be 100ms or more".to_owned());
    }
    Ok(pause)
}

/// Shows the statistics.
pub(super) async fn stats(args: Args, context: &Context) -> Result<Exit, Failure> {
    let admin = Admin::new(&args.admin, context)?;
    let first = read(&admin).await?;
    context
        .printer
        .verdict(&Overview { data: &first }, Exit::Ok)?;
    let Some(pause) = args.watch else {
        return Ok(Exit::Ok);
    };
    let mut before = numbers(&first["stats"]);
    let mut asked = Instant::now();
    loop {
        tokio::time::sleep(pause).await;
        let data = read(&admin).await?;
        let now = numbers(&data["stats"]);
        let changes = Changes::between(&before, &now, asked.elapsed());
        asked = Instant::now();
        before = now;
        if !changes.changed.is_empty() {
            context.printer.report(&changes)?;
        }
    }
}

async fn read(admin: &Admin<'_>) -> Result<Value, Failure> {
    let data = admin.get("/api/realtime/stats").await?;
    object_member(&data, "stats")?;
    list_member(&data, "nodes")?;
    count_member(&data, "sessions")?;
    Ok(data)
}

/// The statistics once.
#[derive(Serialize)]
#[serde(transparent)]
struct Overview<'a> {
    data: &'a Value,
}

impl Report for Overview<'_> {
    fn text(&self, paint: Paint) -> String {
        let numbers = numbers(&self.data["stats"]);
        let longest = numbers.keys().map(String::len).max().unwrap_or_default();
        let nodes = self.data["nodes"].as_array().map_or(0, Vec::len);
        let sessions = self.data["sessions"].as_u64().unwrap_or_default();
        let sessions = counted(sessions, "session");
        let nodes = counted(nodes as u64, "node");
        let mut lines = vec![format!("{sessions} on {nodes}")];
        lines.extend(
            numbers
                .iter()
                .filter(|(_, value)| **value != 0)
                .map(|(name, value)| {
                    let dots = " ".repeat(longest - name.len() + 2);
                    format!("  {}{dots}{value}", paint.dim(name))
                }),
        );
        lines.join("\n")
    }
}

fn counted(count: u64, thing: &str) -> String {
    match count {
        1 => format!("1 {thing}"),
        n => format!("{n} {thing}s"),
    }
}

/// The numbers that have changed.
#[derive(Debug, PartialEq, Serialize)]
struct Changes {
    at: String,
    /// The time in which they changed.
    ms: u64,
    changed: BTreeMap<String, i64>,
}

impl Changes {
    fn between(
        before: &BTreeMap<String, i64>,
        now: &BTreeMap<String, i64>,
        took: Duration,
    ) -> Self {
        let changed = now.iter().filter_map(|(name, value)| {
            let change = value.saturating_sub(before.get(name).copied().unwrap_or_default());
            (change != 0).then(|| (name.clone(), change))
        });
        Self {
            at: moment::now(),
            ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            changed: changed.collect(),
        }
    }
}

impl Report for Changes {
    fn text(&self, paint: Paint) -> String {
        let changed = self.changed.iter();
        let changed: Vec<String> = changed.map(|(name, by)| format!("{name} {by:+}")).collect();
        let time = table::time_of_day(&self.at);
        format!("{}  {}", paint.dim(time), changed.join("  "))
    }
}

/// Returns the numbers by their path, such as `sessions.customer`. Histograms are left out: their
/// number of entries stands for them.
fn numbers(stats: &Value) -> BTreeMap<String, i64> {
    let mut found = BTreeMap::new();
    if let Value::Object(members) = stats {
        collect("", members, &mut found);
    }
    found
}

fn collect(path: &str, members: &Map<String, Value>, found: &mut BTreeMap<String, i64>) {
    for (name, value) in members {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        match value {
            Value::Number(number) => {
                found.insert(path, whole(number));
            }
            Value::Object(inner) => match inner.get("counts").and_then(Value::as_array) {
                Some(counts) => {
                    let counts = counts.iter().filter_map(Value::as_number);
                    let count = counts.map(whole).fold(0, i64::saturating_add);
                    found.insert(path, count);
                }
                None => collect(&path, inner, found),
            },
            _ => {}
        }
    }
}

/// Returns the number, or the nearest one that fits.
fn whole(number: &Number) -> i64 {
    match number.as_u64() {
        Some(number) => i64::try_from(number).unwrap_or(i64::MAX),
        None => number.as_i64().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_named_by_their_path_and_histograms_by_their_count() {
        let stats = json!({
            "delivered": 7,
            "sessions": {"admin": 1, "customer": 0},
            "commitToWrite": {"polling": {"boundsMicros": [1, 2], "counts": [3, 4, 5]}},
        });
        let expected = [
            ("commitToWrite.polling", 12),
            ("delivered", 7),
            ("sessions.admin", 1),
            ("sessions.customer", 0),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value));
        assert_eq!(numbers(&stats), BTreeMap::from(expected));
        let data = json!({"sessions": 1, "nodes": [{}], "stats": stats});
        insta::assert_snapshot!(Overview { data: &data }.text(Paint::PLAIN), @r"
        1 session on 1 node
          commitToWrite.polling  12
          delivered              7
          sessions.admin         1
        ");
    }

    #[test]
    fn only_what_has_changed_is_shown() {
        let before = numbers(&json!({"a": 1, "b": 2, "c": 5}));
        let now = numbers(&json!({"a": 4, "b": 2, "c": 3, "d": 1}));
        let changes = Changes::between(&before, &now, Duration::from_secs(1));
        let changes = Changes {
            at: "2026-11-30T12:00:01.250Z".to_owned(),
            ..changes
        };
        insta::assert_snapshot!(changes.text(Paint::PLAIN), @"12:00:01.250  a +3  c -2  d +1");
        let none = Changes::between(&now, &now, Duration::from_secs(1));
        assert!(none.changed.is_empty());
    }

    #[test]
    fn a_pause_of_no_time_is_refused() {
        assert_eq!(pause("100ms"), Ok(Duration::from_millis(100)));
        for text in ["0", "0s", "99ms", "bla"] {
            assert!(pause(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_that_are_too_large_to_add_are_the_largest_one() {
        let large = i64::MAX;
        let stats = json!({"a": {"counts": [large, large]}, "b": u64::MAX, "c": -large});
        let before = numbers(&stats);
        assert_eq!(
            (before["a"], before["b"], before["c"]),
            (large, large, -large)
        );
        let now = numbers(&json!({"a": -large, "b": 1, "c": large}));
        let changes = Changes::between(&before, &now, Duration::from_secs(1));
        assert_eq!(changes.changed["a"], i64::MIN);
        assert_eq!(changes.changed["c"], large);
    }
}
