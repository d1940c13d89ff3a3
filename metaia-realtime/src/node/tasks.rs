//! The tasks of a node: which there are, and when each of them runs.

use std::sync::Arc;

use super::{Node, announcer, dispatcher, doorbell, housekeeping, revocations};

impl Node {
    /// Starts the tasks of the node. They end when it is drained.
    pub(crate) fn run(self: &Arc<Self>) {
        self.tasks.spawn(dispatcher::run(Arc::clone(self)));
        self.tasks.spawn(housekeeping::run(Arc::clone(self)));
        self.tasks.spawn(revocations::run(Arc::clone(self)));
        if self.announcer.has_directory() {
            self.tasks.spawn(announcer::run(Arc::clone(self)));
        }
        doorbell::run(self);
    }
}
