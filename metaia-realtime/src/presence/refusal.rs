//! A refusal as admins see it.

use serde::Serialize;

use crate::{Role, UserId};

/// A refusal of this node: a client that did not get a connection, or a session, or could not go on
/// with a new token. Equal ones of which each came less than a second after the one before are one,
/// with a count.
///
/// It has no token, no query string and no address. Control characters are escaped, and long texts
/// are cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RefusalView {
    /// The time of the first of them, in ms since the Unix epoch.
    pub at: i64,
    /// The time of the last of them, in ms since the Unix epoch.
    pub last_at: i64,
    /// The number of them.
    pub count: u64,
    /// The stable code of the reason, such as `token_expired` or `origin_not_allowed`.
    pub code: &'static str,
    /// The event that was refused, `rt:refresh`: its client keeps its session. `None` if a
    /// connection was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<&'static str>,
    /// `websocket` or `polling`; `None` if the client did not get so far, or named another one.
    pub transport: Option<&'static str>,
    /// The origin that the client named in its handshake.
    pub origin: Option<Box<str>>,
    /// The user that the client's credentials prove: see
    /// [`Authenticator::proven_claims`](crate::Authenticator::proven_claims).
    pub user: Option<UserId>,
    /// The role that the client's credentials prove.
    pub role: Option<Role>,
    /// The `User-Agent` of the client's handshake.
    pub user_agent: Option<Box<str>>,
}

impl RefusalView {
    /// Returns whether two refusals differ in nothing but their times.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.code == other.code
            && self.event == other.event
            && self.transport == other.transport
            && self.user == other.user
            && self.role == other.role
            && self.origin == other.origin
            && self.user_agent == other.user_agent
    }
}
