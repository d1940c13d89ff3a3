//! The counters that [`Counts`] shows.

use crate::{doorbell::Counts, node::counter::Counter};

macro_rules! counters {
    ($($name:ident),*) => {
        #[derive(Debug, Default)]
        pub(super) struct DoorbellCounters { $(pub(super) $name: Counter),* }

        impl DoorbellCounters {
            pub(super) fn now(&self) -> Counts {
                Counts { $($name: self.$name.read()),* }
            }
        }
    };
}
counters!(
    notified, sent, received, wakeups, unreadable, unsigned, stale, repeated, dropped
);
