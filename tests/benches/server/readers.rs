//! Readers that read at full speed, and record the latency of each event.

use std::ops::Range;

use futures_util::future::join_all;
use metaia_tests::clients::phone::Phone;
use metaia_tests::server::Listening;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::publisher::{Schedule, TICK};
use crate::recorder::Recorder;

/// The number of readers that connect at the same time.
const MAX_CONNECTING: usize = 100;

/// Connected readers.
#[derive(Debug)]
pub(crate) struct Readers {
    tasks: Vec<JoinHandle<()>>,
    took: Recorder,
}

impl Readers {
    /// Connects the readers with these numbers.
    pub(crate) async fn start(
        server: &impl Listening,
        numbers: Range<usize>,
        schedule: Schedule,
    ) -> Self {
        let mut readers = Self {
            tasks: Vec::with_capacity(numbers.len()),
            took: Recorder::new(),
        };
        for first in numbers.clone().step_by(MAX_CONNECTING) {
            let names: Vec<_> = (first..numbers.end.min(first + MAX_CONNECTING))
                .map(|n| format!("customer-{n}"))
                .collect();
            let phones = join_all(
                names
                    .iter()
                    .map(|name| Phone::ready_as(server, "customer", name)),
            )
            .await;
            let read = |phone| tokio::spawn(read(phone, schedule, readers.took.clone()));
            readers.tasks.extend(phones.into_iter().map(read));
        }
        readers
    }

    /// Returns the latencies, from the time when an event was due to the time when a reader had it.
    pub(crate) const fn took(&self) -> &Recorder {
        &self.took
    }

    /// Ends the readers. No reader may have ended before.
    pub(crate) fn leave(self) {
        assert!(
            !self.tasks.iter().any(JoinHandle::is_finished),
            "a reader ended before the measurement did"
        );
        for task in self.tasks {
            task.abort();
        }
    }
}

async fn read(mut phone: Phone, schedule: Schedule, took: Recorder) {
    while let Some(event) = phone.next_or_end().await {
        if event.name == TICK {
            let n = event.data["n"].as_u64().expect("a number");
            took.note(Instant::now().saturating_duration_since(schedule.due(n)));
        }
    }
}
