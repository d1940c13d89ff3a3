//! `metaia disconnect`: ends sessions.

use std::str::FromStr;

use metaia_realtime::UserId;
use metaia_realtime::values::InvalidId;
use serde_json::Value;

use super::admin::{Admin, AdminArgs};
use super::table;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::members::{check_texts, object_member};

const EXAMPLES: &str = "\
Examples:
  metaia disconnect user:u1               all sessions of the user
  metaia disconnect 5d41402abc4b2a76b9719d911017c592    the session that `metaia sessions` lists";

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// The id of a session, or user:U
    target: SessionTarget,
    #[command(flatten)]
    admin: AdminArgs,
}

/// The sessions to end.
#[derive(Debug, Clone)]
enum SessionTarget {
    User(UserId),
    Session(String),
}

impl FromStr for SessionTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(user) = text.strip_prefix("user:") {
            let user = user.parse().map_err(|error: InvalidId| error.to_string())?;
            return Ok(Self::User(user));
        }
        let is_id = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_id {
            return Ok(Self::Session(text.to_owned()));
        }
        Err("expected user:U, or the id of a session: 32 digits of `metaia sessions`".to_owned())
    }
}

/// Ends the sessions, and lists them. Apps of official clients do not come back by themselves.
pub(super) async fn disconnect(args: Args, context: &Context) -> Result<Exit, Failure> {
    let admin = Admin::new(&args.admin, context)?;
    let ids = match &args.target {
        SessionTarget::Session(id) => vec![id.clone()],
        SessionTarget::User(user) => sessions_of(&admin, user).await?,
    };
    if ids.is_empty() {
        return Err(Failure::new(Exit::Failed, "the user has no session"));
    }
    for (ended, id) in ids.iter().enumerate() {
        let path = format!("/api/realtime/sessions/{id}");
        let answer = admin.delete(&path).await.map_err(|failure| match ended {
            0 => failure,
            _ => failure.within(format!("{ended} of {} sessions were ended", ids.len())),
        })?;
        let session = Value::Object(object_member(&answer, "session")?.clone());
        check_texts(&session, &["id", "user", "role"])?;
        table::print(vec![session], cells, context)?;
    }
    Ok(Exit::Ok)
}

async fn sessions_of(admin: &Admin<'_>, user: &UserId) -> Result<Vec<String>, Failure> {
    let sessions = admin.sessions(&[("user", user.as_str())]).await?;
    Ok(sessions
        .iter()
        .map(|session| table::text(session, "id"))
        .collect())
}

fn cells(session: &Value) -> Vec<String> {
    let role = table::text(session, "role");
    let user = table::text(session, "user");
    vec![
        "ended".to_owned(),
        table::text(session, "id"),
        format!("{role}:{user}"),
    ]
}
