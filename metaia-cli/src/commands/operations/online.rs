//! `metaia online`: whether users are connected.

use metaia_realtime::UserId;
use metaia_realtime::values::InvalidId;
use serde_json::Value;

use super::admin::{Admin, AdminArgs};
use super::table;
use crate::context::Context;
use crate::exit::{Exit, Failure};

const EXAMPLES: &str = "\
Examples:
  metaia online customer:u1 tailor:t7
  metaia online u1 -q && echo connected";

/// The number of users that one request may ask about.
const PER_REQUEST: usize = 100;

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// The users: U, user:U or ROLE:U. The exit code is 6 unless all of them are connected
    #[arg(value_name = "WHO", required = true, value_parser = user)]
    users: Vec<UserId>,
    #[command(flatten)]
    admin: AdminArgs,
}

/// Reads a user; a role before it makes no difference.
fn user(text: &str) -> Result<UserId, String> {
    let user = text.rsplit(':').next().unwrap_or(text);
    user.parse().map_err(|error: InvalidId| error.to_string())
}

/// Tells which of the users are connected.
pub(super) async fn online(args: Args, context: &Context) -> Result<Exit, Failure> {
    let admin = Admin::new(&args.admin, context)?;
    let mut users = Vec::new();
    for some in args.users.chunks(PER_REQUEST) {
        let names: Vec<&str> = some.iter().map(UserId::as_str).collect();
        let path = format!("/api/realtime/presence?user={}", names.join(","));
        let answer = admin.get(&path).await?;
        let found = answer.get("users").and_then(Value::as_array);
        users.extend(found.into_iter().flatten().cloned());
    }
    let is_online = |user: &Value| user.get("online").and_then(Value::as_bool) == Some(true);
    let all = users.iter().all(is_online);
    table::print(users, cells, context)?;
    Ok(if all { Exit::Ok } else { Exit::Unexpected })
}

fn cells(user: &Value) -> Vec<String> {
    let sessions = user
        .get("sessions")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    let mut cells = vec![table::text(user, "user")];
    if sessions == 0 {
        cells.push("not connected".to_owned());
        return cells;
    }
    cells.push(match sessions {
        1 => "1 session".to_owned(),
        n => format!("{n} sessions"),
    });
    cells.push(format!("since {}", table::time(user, "connectedAt")));
    cells.push(format!("active {}", table::time(user, "activeAt")));
    cells
}
