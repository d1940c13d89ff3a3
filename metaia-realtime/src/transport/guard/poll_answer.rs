//! The answer to a poll that a connection is writing.
//!
//! The packets in such an answer have left the engine, and no other copy of them exists.

use std::sync::{Arc, Weak};

use super::Observer;

/// The progress of the answer to the last poll.
///
/// The next request resets it: a client that polls again has received the previous answer.
#[derive(Debug, Default)]
pub(super) enum PollAnswer {
    #[default]
    None,
    /// A part of the body is still to come.
    Partial(Weak<dyn Observer>),
    /// HTTP has the whole body.
    Complete(Weak<dyn Observer>),
    /// The kernel has the whole body.
    Written(Weak<dyn Observer>),
}

impl PollAnswer {
    /// Records that HTTP has the whole body.
    pub(super) fn complete(&mut self) {
        if let Self::Partial(link) = self {
            *self = Self::Complete(Weak::clone(link));
        }
    }

    /// Records that everything HTTP had was written to the kernel.
    pub(super) fn flush(&mut self) {
        // A partial answer stays partial: what was flushed is its head, or a part of its body.
        if let Self::Complete(link) = self {
            *self = Self::Written(Weak::clone(link));
        }
    }

    /// Returns the link that the answer belongs to.
    pub(super) fn link(&self) -> Option<Arc<dyn Observer>> {
        match self {
            Self::None => None,
            Self::Partial(link) | Self::Complete(link) | Self::Written(link) => link.upgrade(),
        }
    }

    /// Returns the link whose answer would be lost if the connection ended now.
    pub(super) fn link_with_unwritten(&self) -> Option<Arc<dyn Observer>> {
        match self {
            Self::None | Self::Written(_) => None,
            Self::Partial(link) | Self::Complete(link) => link.upgrade(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::EndReason;

    #[derive(Debug)]
    struct IdleObserver;

    impl Observer for IdleObserver {
        fn lose(&self, _: EndReason) {}
    }

    #[test]
    fn an_answer_is_lost_until_all_of_it_was_written() {
        let link: Arc<dyn Observer> = Arc::new(IdleObserver);
        let mut answer = PollAnswer::Partial(Arc::downgrade(&link));
        answer.flush();
        assert!(
            answer.link_with_unwritten().is_some(),
            "only the head was flushed"
        );
        answer.complete();
        assert!(answer.link_with_unwritten().is_some());
        answer.flush();
        assert!(answer.link_with_unwritten().is_none());
        assert!(answer.link().is_some());
    }
}
