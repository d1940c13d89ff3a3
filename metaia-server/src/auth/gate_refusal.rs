//! The reasons for which a request is refused before, or instead of, what it asks for.

use metaia_realtime::auth::AuthError;

/// A request that is refused for its credentials, its caller's role, or its headers. It is counted,
/// listed and logged, whatever route it was for.
///
/// Wrong API keys and wrong signatures of webhooks are none: they count for the network that sends
/// them ([`WrongKeys`](super::wrong_keys::WrongKeys)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GateRefusal {
    /// The caller is not authenticated, or may not use the route.
    Caller(AuthError),
    /// The user sends too many requests.
    RateLimited,
    /// A header with credentials is there more than once.
    RepeatedHeader,
}

/// The number of reasons.
pub(super) const COUNT: usize = AuthError::ALL.len() + 2;

impl GateRefusal {
    /// Returns every reason.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let callers = AuthError::ALL.iter().copied().map(Self::Caller);
        callers.chain([Self::RateLimited, Self::RepeatedHeader])
    }

    /// Returns the stable code, for the answer, the metric, the list and the log.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Caller(error) => error.code(),
            Self::RateLimited => "rate_limited",
            Self::RepeatedHeader => "repeated_header",
        }
    }

    /// Returns whether the request has one token, so that it may be named whose it is.
    pub(crate) const fn has_one_caller(self) -> bool {
        !matches!(self, Self::RepeatedHeader)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_reason_has_a_code_of_its_own() {
        let codes: BTreeSet<_> = GateRefusal::all().map(GateRefusal::code).collect();
        assert_eq!((codes.len(), GateRefusal::all().count()), (COUNT, COUNT));
    }
}
