//! The answer to a poll that a connection carries: what stood in it has left the engine, and is nowhere else.

use std::sync::{Arc, Weak};

use crate::transport::socketio::Link;

/// How far the answer to the last poll is. It is forgotten at the next request: who asks again has got it.
#[derive(Debug, Default)]
pub(super) enum Answer {
    #[default]
    None,
    /// Its body is still to come, in part.
    Beginning(Weak<Link>),
    /// All of it is in the hands of the server's HTTP.
    Whole(Weak<Link>),
    /// All of it is in those of the kernel.
    Written(Weak<Link>),
}

impl Answer {
    pub(super) fn to(link: &Arc<Link>) -> Self {
        Self::Beginning(Arc::downgrade(link))
    }

    pub(super) fn is_whole(&mut self) {
        if let Self::Beginning(link) = self {
            *self = Self::Whole(std::mem::take(link));
        }
    }

    /// Everything that HTTP had was written.
    pub(super) fn flushed(&mut self) {
        if let Self::Whole(link) = self {
            *self = Self::Written(std::mem::take(link));
        }
    }

    /// Whose answer it is.
    pub(super) fn link(&self) -> Option<Arc<Link>> {
        match self {
            Self::None => None,
            Self::Beginning(link) | Self::Whole(link) | Self::Written(link) => link.upgrade(),
        }
    }

    /// Whose answer would be lost if the connection ended now.
    pub(super) fn unwritten(&self) -> Option<Arc<Link>> {
        match self {
            Self::None | Self::Written(_) => None,
            Self::Beginning(link) | Self::Whole(link) => link.upgrade(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_lost_until_all_of_it_was_written() {
        let link = Arc::new(Link::new(&crate::Limits::default()));
        let mut answer = Answer::to(&link);
        answer.flushed();
        assert!(answer.unwritten().is_some(), "what was flushed was its head");
        answer.is_whole();
        assert!(answer.unwritten().is_some());
        answer.flushed();
        assert!(answer.unwritten().is_none() && answer.link().is_some());
    }
}
