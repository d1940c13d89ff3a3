//! `metaia sessions`: the sessions that are connected now, on all nodes.

use metaia_realtime::{Role, UserId};
use serde_json::Value;

use super::admin::{Admin, AdminArgs};
use super::table;
use crate::context::Context;
use crate::exit::{Exit, Failure};

const EXAMPLES: &str = "\
Examples:
  metaia sessions
  metaia sessions --user u1
  metaia sessions --role tailor -o ndjson | jq .device
  metaia sessions --room order-ORDER";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only those of this user
    #[arg(long, value_name = "U")]
    user: Option<UserId>,
    /// Only those of this role
    #[arg(long, value_name = "R")]
    role: Option<Role>,
    /// Only those in this room, such as user-u1 or order-ORDER
    #[arg(long, value_name = "ROOM")]
    room: Option<String>,
    #[command(flatten)]
    admin: AdminArgs,
}

/// Lists the sessions.
pub(super) async fn sessions(args: Args, context: &Context) -> Result<Exit, Failure> {
    let admin = Admin::new(&args.admin, context)?;
    let user = args.user.map(|user| user.to_string());
    let role = args.role.map(|role| role.to_string());
    let filters = [("user", user), ("role", role), ("room", args.room)];
    let query: Vec<(&str, &str)> = filters
        .iter()
        .filter_map(|(name, value)| Some((*name, value.as_deref()?)))
        .collect();
    let sessions = admin.sessions(&query).await?;
    let count = sessions.len();
    table::print(sessions, cells, context)?;
    table::note_count(count, "session", context);
    Ok(Exit::Ok)
}

fn cells(session: &Value) -> Vec<String> {
    let rooms = session.get("rooms").and_then(Value::as_array);
    let rooms = rooms.into_iter().flatten().filter_map(Value::as_str);
    let rooms: Vec<&str> = rooms.collect();
    vec![
        table::text(session, "id"),
        format!(
            "{}:{}",
            table::text(session, "role"),
            table::text(session, "user")
        ),
        format!("since {}", table::time(session, "connectedAt")),
        format!("active {}", table::time(session, "activeAt")),
        format!("expires {}", expiry(session)),
        format!("device {}", table::text(session, "device")),
        rooms.join(" "),
    ]
}

/// Returns when the token expires: the time of day, or the date if that is another day than the
/// one on which the client was last active.
fn expiry(session: &Value) -> String {
    let at = table::text(session, "expiresAt");
    let day = |time: &str| time.split('T').next().map(str::to_owned);
    match day(&at) {
        Some(date) if day(&table::text(session, "activeAt")).as_ref() != Some(&date) => date,
        _ => table::time(session, "expiresAt"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(expires_at: &Value, expected: &str) {
        let session = json!({"activeAt": "2026-11-30T12:00:01.250Z", "expiresAt": expires_at});
        assert_eq!(expiry(&session), expected);
    }

    #[test]
    fn a_token_expires_at_a_time_of_today_or_on_another_day() {
        check(&json!("2026-11-30T13:00:00.000Z"), "13:00:00.000");
        check(&json!("2026-12-07T13:00:00.000Z"), "2026-12-07");
        check(&json!(null), "-");
    }
}
