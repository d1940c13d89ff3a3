//! The answer to a poll that a connection carries: what stood in it has left the engine, and is
//! nowhere else.

use std::sync::{Arc, Weak};

use super::Observer;

/// How far the answer to the last poll is. It is forgotten at the next request: who asks again has
/// got it.
#[derive(Debug, Default)]
pub(super) enum Answer {
    #[default]
    None,
    /// Its body is still to come, in part.
    Beginning(Weak<dyn Observer>),
    /// All of it is in the hands of the server's HTTP.
    Whole(Weak<dyn Observer>),
    /// All of it is in those of the kernel.
    Written(Weak<dyn Observer>),
}

impl Answer {
    pub(super) fn is_whole(&mut self) {
        if let Self::Beginning(link) = self {
            *self = Self::Whole(Weak::clone(link));
        }
    }

    /// Everything that HTTP had was written.
    pub(super) fn flushed(&mut self) {
        if let Self::Whole(link) = self {
            *self = Self::Written(Weak::clone(link));
        }
    }

    /// Whose answer it is.
    pub(super) fn link(&self) -> Option<Arc<dyn Observer>> {
        match self {
            Self::None => None,
            Self::Beginning(link) | Self::Whole(link) | Self::Written(link) => link.upgrade(),
        }
    }

    /// Whose answer would be lost if the connection ended now.
    pub(super) fn unwritten(&self) -> Option<Arc<dyn Observer>> {
        match self {
            Self::None | Self::Written(_) => None,
            Self::Beginning(link) | Self::Whole(link) => link.upgrade(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{session::EndReason, transport::guard::Written};

    #[derive(Debug)]
    struct Deaf;

    impl Observer for Deaf {
        fn written(&self, _: Written) {}
        fn pong(&self) {}
        fn read(&self, _: usize) {}
        fn lose(&self, _: EndReason) {}
    }

    #[test]
    fn an_answer_is_lost_until_all_of_it_was_written() {
        let link: Arc<dyn Observer> = Arc::new(Deaf);
        let mut answer = Answer::Beginning(Arc::downgrade(&link));
        answer.flushed();
        assert!(
            answer.unwritten().is_some(),
            "what was flushed was its head"
        );
        answer.is_whole();
        assert!(answer.unwritten().is_some());
        answer.flushed();
        assert!(answer.unwritten().is_none() && answer.link().is_some());
    }
}
