//! `metaia rooms`: the rooms, with the number of sessions in each.

use serde_json::Value;

use super::admin::{Admin, AdminArgs};
use super::table;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::members::{PagedList, count_member};

const EXAMPLES: &str = "\
Examples:
  metaia rooms
  metaia rooms -o ndjson | jq 'select(.sessions > 10)'";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    admin: AdminArgs,
}

/// Lists the rooms.
pub(super) async fn rooms(args: Args, context: &Context) -> Result<Exit, Failure> {
    let admin = Admin::new(&args.admin, context)?;
    let list = PagedList::new("rooms", &["room"]);
    let rooms = admin.list("/api/realtime/rooms", &[], list).await?;
    for room in &rooms {
        count_member(room, "sessions")?;
    }
    let count = rooms.len();
    table::print(rooms, cells, context)?;
    table::note_count(count, "room", context);
    Ok(Exit::Ok)
}

fn cells(room: &Value) -> Vec<String> {
    let sessions = room.get("sessions").and_then(Value::as_u64);
    vec![
        table::text(room, "room"),
        sessions.unwrap_or_default().to_string(),
    ]
}
