//! `metaia online`: whether users are connected.

use std::str::FromStr;

use metaia_realtime::UserId;
use metaia_realtime::values::InvalidId;
use serde_json::{Value, json};

use super::admin::{Admin, AdminArgs};
use super::table;
use crate::actor::Actor;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::members::{count_member, flag_member, is_lacking, list_member};

const EXAMPLES: &str = "\
Examples:
  metaia online customer:u1 tailor:t7
  metaia online u1 -q && echo connected";

/// The number of users that one request may ask about.
const PER_REQUEST: usize = 100;

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// The users: U or user:U in any role, ROLE:U in this role. The exit code is 6 unless all of
    /// them are connected
    #[arg(value_name = "WHO", required = true)]
    users: Vec<Wanted>,
    #[command(flatten)]
    admin: AdminArgs,
}

/// A user to ask about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    User(UserId),
    /// The user in this role alone.
    InRole(Actor),
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let user = match text.split_once(':') {
            Some(("user", user)) => user,
            Some(_) => return text.parse().map(Self::InRole),
            None => text,
        };
        let user = user.parse().map_err(|error: InvalidId| error.to_string())?;
        Ok(Self::User(user))
    }
}

/// Tells which of the users are connected.
pub(super) async fn online(args: Args, context: &Context) -> Result<Exit, Failure> {
    let admin = Admin::new(&args.admin, context)?;
    let mut present = presence(&admin, &args.users).await?.into_iter();
    let mut users = Vec::new();
    for wanted in &args.users {
        users.extend(match wanted {
            Wanted::User(_) => present.next(),
            Wanted::InRole(actor) => Some(in_role(&admin, actor).await?),
        });
    }
    let is_online = |user: &Value| user.get("online").and_then(Value::as_bool) == Some(true);
    let all = users.iter().all(is_online);
    table::print(users, cells, context)?;
    Ok(if all { Exit::Ok } else { Exit::Unexpected })
}

/// Returns the entries of the users that are asked about in any role, in their order.
async fn presence(admin: &Admin<'_>, wanted: &[Wanted]) -> Result<Vec<Value>, Failure> {
    let names: Vec<&str> = wanted
        .iter()
        .filter_map(|wanted| match wanted {
            Wanted::User(user) => Some(user.as_str()),
            Wanted::InRole(_) => None,
        })
        .collect();
    let mut users = Vec::new();
    for some in names.chunks(PER_REQUEST) {
        let path = format!("/api/realtime/presence?user={}", some.join(","));
        users.extend(found_in(&admin.get(&path).await?, some)?);
    }
    Ok(users)
}

/// Returns the entry of each user that was asked about.
fn found_in(answer: &Value, names: &[&str]) -> Result<Vec<Value>, Failure> {
    let listed = list_member(answer, "users")?;
    let entry = |name: &&str| {
        let found = listed.iter().find(|user| user["user"] == *name);
        let found = found.ok_or_else(|| is_lacking(&format!("user {name}")))?;
        flag_member(found, "online")?;
        count_member(found, "sessions")?;
        Ok(found.clone())
    };
    names.iter().map(entry).collect()
}

/// Returns the entry of a user in one role: presence knows no roles, the sessions do.
async fn in_role(admin: &Admin<'_>, actor: &Actor) -> Result<Value, Failure> {
    let role = actor.role.to_string();
    let query = [("user", actor.user.as_str()), ("role", role.as_str())];
    let sessions = admin.sessions(&query).await?;
    entry_of(actor, &sessions)
}

/// Makes the entry of a user in one role, as presence has it, with the role.
fn entry_of(actor: &Actor, sessions: &[Value]) -> Result<Value, Failure> {
    let is_asked = |session: &Value| {
        let role = session["role"].as_str().and_then(|role| role.parse().ok());
        session["user"] == actor.user.as_str() && role == Some(actor.role)
    };
    if !sessions.iter().all(is_asked) {
        return Err(is_lacking(&format!(
            "list of the sessions of {actor} alone"
        )));
    }
    let times = |member: &'static str| sessions.iter().filter_map(move |of| of[member].as_str());
    Ok(json!({
        "user": actor.user,
        "role": actor.role.as_str(),
        "online": !sessions.is_empty(),
        "sessions": sessions.len(),
        "connectedAt": times("connectedAt").min(),
        "activeAt": times("activeAt").max(),
    }))
}

fn cells(user: &Value) -> Vec<String> {
    let sessions = user
        .get("sessions")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    let name = table::text(user, "user");
    let mut cells = vec![match user["role"].as_str() {
        Some(role) => format!("{role}:{name}"),
        None => name,
    }];
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_asked_about_if_it_is_named() {
        let wanted = |text: &str| text.parse::<Wanted>();
        let user = Wanted::User("u1".parse().unwrap());
        assert_eq!(wanted("u1"), Ok(user.clone()));
        assert_eq!(wanted("user:u1"), Ok(user));
        let actor = "tailor:t1".parse().unwrap();
        assert_eq!(wanted("tailor:t1"), Ok(Wanted::InRole(actor)));
        for text in ["", "user:", "chef:u1", "user:tailor:t1", "a b"] {
            assert!(wanted(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn each_user_must_be_in_the_answer() {
        let entry = json!({"user": "u1", "online": true, "sessions": 1});
        let answer = json!({"users": [entry]});
        assert_eq!(found_in(&answer, &["u1"]).unwrap(), [entry]);
        for (answer, names) in [
            (json!({}), ["u1"]),
            (json!({"users": []}), ["u1"]),
            (answer, ["u2"]),
            (json!({"users": [{"user": "u1", "sessions": 1}]}), ["u1"]),
            (json!({"users": [{"user": "u1", "online": true}]}), ["u1"]),
        ] {
            let failure = found_in(&answer, &names).unwrap_err();
            assert_eq!(failure.exit, Exit::Unreachable, "{answer}");
        }
    }

    #[test]
    fn a_session_in_another_role_does_not_count() {
        let actor = "customer:q1".parse().unwrap();
        let none = entry_of(&actor, &[]).unwrap();
        assert_eq!(none["online"], false);
        let session = |role: &str, at: &str| {
            let mut session = json!({"user": "q1", "role": role});
            session["connectedAt"] = json!(at);
            session["activeAt"] = json!(at);
            session
        };
        let of_customer = [session("customer", "1"), session("customer", "2")];
        let entry = entry_of(&actor, &of_customer).unwrap();
        assert_eq!(entry["sessions"], 2);
        assert_eq!(entry["connectedAt"], "1");
        assert_eq!(entry["activeAt"], "2");
        let other = entry_of(&actor, &[session("tailor", "1")]).unwrap_err();
        assert_eq!(other.exit, Exit::Unreachable);
    }
}
