//! A refusal as admins see it.

use serde::Serialize;

use crate::{Role, UserId, auth::ProvenClaims};

/// A request to an interface of the embedder, such as REST, that it refused for its credentials:
/// see [`Realtime::list_refused_request`](crate::Realtime::list_refused_request).
#[derive(Clone, Default)]
pub struct RefusedRequest<'a> {
    /// The stable code of the reason, such as `token_expired`.
    pub code: &'static str,
    /// The header `Origin`, as it arrived.
    pub origin: Option<&'a [u8]>,
    /// The header `User-Agent`, as it arrived.
    pub user_agent: Option<&'a [u8]>,
    /// The user and the role that the credentials prove. Nobody may be named on the word of the
    /// client alone.
    pub claims: ProvenClaims,
}

impl std::fmt::Debug for RefusedRequest<'_> {
    /// Hides the headers, because they may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RefusedRequest")
            .field("code", &self.code)
            .field("claims", &self.claims)
            .finish_non_exhaustive()
    }
}

/// A refusal of this node: a client that did not get a connection, or a session, or could not go on
/// with a new token, or whose request to the embedder's own interface was refused. Equal ones of
/// which each came less than a second after the one before are one, with a count.
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
    /// `websocket` or `polling`; `rest` if a request to the embedder's own interface was refused;
    /// `None` if the client did not get so far, or named another one.
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
