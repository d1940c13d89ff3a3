//! Requests as an admin, page by page where the answer has pages.

use reqwest::Method;
use serde_json::Value;

use crate::actor::Actor;
use crate::context::Context;
use crate::exit::Failure;
use crate::identity::Authority;
use crate::members::{PagedList, with_query};
use crate::rest::Api;

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

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let answer = self
            .api
            .send(Method::POST, path, &self.authority, Some(body))
            .await?;
        Ok(answer.data)
    }

    /// Reads all pages of a list. `query` is without the cursor.
    pub(super) async fn list(
        &self,
        path: &str,
        query: &[(&str, &str)],
        mut list: PagedList<'_>,
    ) -> Result<Vec<Value>, Failure> {
        let mut cursor: Option<String> = None;
        loop {
            let next = cursor.as_deref().map(|cursor| ("cursor", cursor));
            let path = with_query(path, query.iter().copied().chain(next));
            cursor = list.take(&self.get(&path).await?)?;
            if cursor.is_none() {
                return Ok(list.entries);
            }
        }
    }

    /// Reads the sessions that the query selects.
    pub(super) async fn sessions(&self, query: &[(&str, &str)]) -> Result<Vec<Value>, Failure> {
        let list = PagedList::new("sessions", &["id", "user", "role"]);
        self.list("/api/realtime/sessions", query, list).await
    }
}
