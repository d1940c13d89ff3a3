//! Requests as an admin, page by page where the answer has pages.

use reqwest::Method;
use serde_json::Value;

use crate::actor::Actor;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::identity::Authority;
use crate::rest::Api;

/// The most entries that are read of a list.
const MAX_ENTRIES: usize = 100_000;

/// The option of each command that asks as an admin.
#[derive(Debug, clap::Args)]
pub(super) struct AdminArgs {
    /// Ask as this admin (default: METAIA_TOKEN, or admin:metaia-cli)
    #[arg(long = "as", value_name = "ROLE:USER")]
    actor: Option<Actor>,
}

/// An admin who asks a server.
pub(super) struct Admin<'a> {
    api: Api<'a>,
    authority: Authority,
}

impl<'a> Admin<'a> {
    pub(super) fn new(args: &AdminArgs, context: &'a Context) -> Result<Self, Failure> {
        let identity = context.identity_or_admin(args.actor.as_ref())?;
        Ok(Self {
            api: context.api()?,
            authority: Authority::Token(identity),
        })
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, Failure> {
        let answer = self
            .api
            .send(Method::GET, path, &self.authority, None)
            .await?;
        Ok(answer.data)
    }

    pub(super) async fn delete(&self, path: &str) -> Result<Value, Failure> {
        let answer = self
            .api
            .send(Method::DELETE, path, &self.authority, None)
            .await?;
        Ok(answer.data)
    }

    /// Reads all pages of a list. `query` is without the cursor.
    pub(super) async fn list(
        &self,
        path: &str,
        query: &[(&str, &str)],
        member: &str,
    ) -> Result<Vec<Value>, Failure> {
        let mut entries: Vec<Value> = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let next = cursor.as_deref().map(|cursor| ("cursor", cursor));
            let path = with_query(path, query.iter().copied().chain(next));
            let page = self.get(&path).await?;
            let found = page.get(member).and_then(Value::as_array);
            entries.extend(found.into_iter().flatten().cloned());
            match page.get("nextCursor").and_then(Value::as_str) {
                Some(next) if entries.len() < MAX_ENTRIES => cursor = Some(next.to_owned()),
                Some(_) => {
                    let text = format!("the list has more than {MAX_ENTRIES} entries");
                    return Err(Failure::new(Exit::Failed, text).hint("select some of them"));
                }
                None => return Ok(entries),
            }
        }
    }
}

/// Returns the path with a query.
pub(super) fn with_query<'a>(
    path: &str,
    query: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut written = url::form_urlencoded::Serializer::new(String::new());
    let query = written.extend_pairs(query).finish();
    if query.is_empty() {
        return path.to_owned();
    }
    format!("{path}?{query}")
}
