//! A log of thousands of entries: more than any log keeps in memory beside its store.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::task::{JoinSet, yield_now};

use super::{
    LogProbe, Looker, Pace, Subject, Trial, Verdict, crowd,
    model::{Asked, Model},
    read, sample,
};
use crate::{EventLog, Room, log::Retention};

const ENTRIES: usize = 7_000;
const RETAINED_ENTRIES: usize = 5_500;
/// Entries that are appended, and as many trimmed, while others read.
const LATER_ENTRIES: usize = 600;

pub(super) async fn deep<S: Subject>() -> Verdict {
    let mut trial = Trial::<S>::keeping(Retention::DISK.entries(RETAINED_ENTRIES)).await;
    let epoch = trial.log.head().await?.position.epoch();
    let entries = sample::in_subsets(&sample::rooms(), ENTRIES + LATER_ENTRIES);
    let model = Arc::new(Model { epoch, entries });
    for batch in model.entries[..ENTRIES].chunks(500) {
        trial.log.append(batch).await?;
    }
    check_reads(&trial.log, &model).await?;
    trial.trim().await;
    check_reads(&trial.log, &model).await?;
    if S::DURABLE {
        trial = trial.reopened().await;
        check_reads(&trial.log, &model).await?;
    }
    trimmed_while_reading(&trial, &model).await?;
    check_reads(&trial.log, &model).await
}

/// Returns all entries, rooms with many entries, and a room with none.
fn subsets() -> [Option<Vec<Room>>; 4] {
    let rooms = sample::rooms();
    let some = [0b1, 0b110_0010].map(|bits| sample::subset(&rooms, bits));
    let [one, three] = some.map(Some);
    let empty = Some(vec![sample::order(1)]);
    [None, one, three, empty]
}

/// Checks pages and histories all over the log.
async fn check_reads<L: EventLog>(log: &LogProbe<L>, model: &Model) -> Verdict {
    let head = log.head().await?;
    for rooms in subsets() {
        for after in [0, head.floor, head.floor + 1, 3_000, head.position.n() - 10] {
            for limit in [0, 9, 500] {
                let asked = Asked {
                    rooms: rooms.as_deref(),
                    after,
                    limit,
                };
                read::page(log, model, asked).await?;
                read::history(log, model, asked).await?;
            }
        }
        let all = Asked {
            rooms: rooms.as_deref(),
            after: 0,
            limit: usize::MAX,
        };
        read::page(log, model, all).await?;
        read::history(log, model, all).await?;
    }
    Ok(())
}

async fn trimmed_while_reading<S: Subject>(trial: &Trial<S>, model: &Arc<Model>) -> Verdict {
    let mut readers = JoinSet::new();
    let pace = Pace::default();
    let done = Arc::new(AtomicBool::new(false));
    for rooms in subsets() {
        readers.spawn(read_oldest(
            trial.log.clone(),
            Arc::clone(model),
            rooms,
            Arc::clone(&done),
            pace.looker(),
        ));
    }
    let mut appended = Ok(());
    for (i, batch) in model.entries[ENTRIES..].chunks(20).enumerate() {
        pace.looked(i * 4).await;
        appended = trial.log.append(batch).await.map(drop);
        trial.trim().await;
    }
    done.store(true, Ordering::SeqCst);
    crowd::joined(readers).await?;
    appended
}

/// Reads the entries that are trimmed next.
async fn read_oldest<L: EventLog>(
    log: LogProbe<L>,
    model: Arc<Model>,
    rooms: Option<Vec<Room>>,
    done: Arc<AtomicBool>,
    looker: Looker,
) -> Verdict {
    while !done.load(Ordering::SeqCst) {
        let after = log.head().await?.floor;
        let asked = Asked {
            rooms: rooms.as_deref(),
            after,
            limit: 5,
        };
        read::page(&log, &model, asked).await?;
        let next = Asked {
            after: after + 1,
            ..asked
        };
        read::history(&log, &model, next).await?;
        looker.look();
        yield_now().await;
    }
    Ok(())
}
