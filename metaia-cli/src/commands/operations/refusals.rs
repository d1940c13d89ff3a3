//! `metaia refusals`: why the node that answers turned clients away.

use std::time::Duration;

use serde_json::Value;

use super::admin::{Admin, AdminArgs};
use super::moment;
use super::table;
use crate::context::{Context, filled};
use crate::exit::{Exit, Failure};
use crate::members::{check_texts, list_member, with_query};

const EXAMPLES: &str = "\
Examples:
  metaia refusals
  metaia refusals --user u1
  metaia refusals --since 5m
  metaia refusals --follow                 while the phone tries
  metaia refusals -o ndjson | jq -r .code | sort | uniq -c";

/// The time between two looks of `--follow`.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only those of this user, if the server could know the user
    #[arg(long, value_name = "U", value_parser = filled)]
    user: Option<String>,
    /// Only those since then: a time that has passed, such as 5m, or one in RFC 3339, such as
    /// 2026-11-30T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    since: Option<String>,
    /// Go on, and show each refusal when it happens
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    admin: AdminArgs,
}

/// Lists the refusals, the oldest first.
pub(super) async fn refusals(args: Args, context: &Context) -> Result<Exit, Failure> {
    let admin = Admin::new(&args.admin, context)?;
    let mut since = args.since.clone();
    let mut shown: Vec<Value> = Vec::new();
    loop {
        let listed = list(&admin, since.as_deref()).await?;
        let mut news: Vec<Value> = listed
            .iter()
            .filter(|refusal| !shown.contains(refusal))
            .cloned()
            .collect();
        if let Some(user) = &args.user {
            news.retain(|refusal| refusal["user"] == user.as_str());
        }
        let counted = counted(&news);
        table::print(news, cells, context)?;
        if !args.follow {
            context.printer.note(&counted);
            return Ok(Exit::Ok);
        }
        if let Some(last) = listed.last() {
            since = last["lastAt"].as_str().map(str::to_owned);
        }
        shown = listed;
        tokio::time::sleep(PAUSE).await;
    }
}

async fn list(admin: &Admin<'_>, since: Option<&str>) -> Result<Vec<Value>, Failure> {
    let since = since.map(|since| ("since", since));
    let path = with_query("/api/realtime/refusals", since);
    let answer = admin.get(&path).await?;
    let mut refusals = list_member(&answer, "refusals")?.to_vec();
    for refusal in &refusals {
        check_texts(refusal, &["at", "lastAt", "code"])?;
    }
    // The server lists the newest first.
    refusals.reverse();
    Ok(refusals)
}

/// Returns how many refusals these are: equal ones are one line with their number.
fn counted(refusals: &[Value]) -> String {
    let lines = refusals.len();
    let count: u64 = refusals.iter().map(count).sum();
    let plural = if count == 1 { "" } else { "s" };
    if count == lines as u64 {
        return format!("{count} refusal{plural}");
    }
    let of_lines = if lines == 1 { "line" } else { "lines" };
    format!("{count} refusal{plural} in {lines} {of_lines}")
}

fn count(refusal: &Value) -> u64 {
    refusal.get("count").and_then(Value::as_u64).unwrap_or(1)
}

fn cells(refusal: &Value) -> Vec<String> {
    let count = count(refusal);
    let who = match (refusal["role"].as_str(), refusal["user"].as_str()) {
        (Some(role), Some(user)) => format!("{role}:{user}"),
        (None, Some(user)) => user.to_owned(),
        _ => "-".to_owned(),
    };
    vec![
        table::time(refusal, "at"),
        format!("×{count}"),
        code(refusal),
        who,
        table::text(refusal, "transport"),
        format!("origin {}", table::text(refusal, "origin")),
        table::text(refusal, "userAgent"),
    ]
}

/// Returns the code, with the event that was refused if it was one.
fn code(refusal: &Value) -> String {
    let code = table::text(refusal, "code");
    match refusal["event"].as_str() {
        Some(event) => format!("{code} ({event})"),
        None => code,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(more: &Value, expected: &str) {
        let mut refusal = json!({
            "at": "2026-11-30T12:00:01.250Z", "lastAt": "2026-11-30T12:00:02.250Z", "count": 3,
            "code": "token_expired", "transport": "websocket", "origin": null, "user": "c7",
            "role": "customer", "userAgent": "Dart/3.1",
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            refusal[name] = value.clone();
        }
        let cells = cells(&refusal);
        assert_eq!(cells[..2], ["12:00:01.250", "×3"]);
        assert_eq!(cells[2..].join("  "), expected);
    }

    #[test]
    fn a_refusal_names_its_code_its_client_and_its_event() {
        check(
            &json!({}),
            "token_expired  customer:c7  websocket  origin -  Dart/3.1",
        );
        check(
            &json!({"event": "rt:refresh", "userAgent": null}),
            "token_expired (rt:refresh)  customer:c7  websocket  origin -  -",
        );
        check(
            &json!({"code": "wrong_api_key", "transport": "rest", "user": null, "role": null}),
            "wrong_api_key  -  rest  origin -  Dart/3.1",
        );
    }

    #[test]
    fn refusals_are_counted_and_not_their_lines() {
        let refusal = |count: u64| json!({"count": count});
        assert_eq!(counted(&[]), "0 refusals");
        assert_eq!(counted(&[json!({})]), "1 refusal");
        assert_eq!(counted(&[refusal(1), refusal(1)]), "2 refusals");
        assert_eq!(counted(&[refusal(7)]), "7 refusals in 1 line");
        let three = [refusal(7), refusal(1), refusal(1)];
        assert_eq!(counted(&three), "9 refusals in 3 lines");
    }
}
