//! Against the naive model: the log in memory, which keeps everything in lists.

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{MemoryLog, log::History};

#[derive(Debug, Clone)]
enum Happens {
    /// A batch: the rooms of each entry.
    Append(Vec<Vec<u8>>),
    /// An entry that was appended before, with a new one.
    Again(usize),
    Forget,
    Reopen,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        6 => vec(vec(0u8..4, 0..3), 1..6).prop_map(Happens::Append),
        2 => any::<usize>().prop_map(Happens::Again),
        2 => Just(Happens::Forget),
        1 => Just(Happens::Reopen),
    ]
}

prop_compose! {
    fn question()(of in vec(0u8..5, 0..4), after in 0u64..70, limit in 1usize..20, all: bool) -> (Option<Vec<Room>>, u64, usize) {
        ((!all).then(|| rooms(of)), after, limit)
    }
}

/// What does not depend on the epoch.
fn told(page: &Page) -> (Vec<String>, u64, u64) {
    let entries = page.entries.iter().map(|entry| {
        let content = entry.content();
        format!(
            "{} {} {:?} {}",
            entry.n(),
            content.id(),
            content.rooms(),
            content.payload().as_str()
        )
    });
    (entries.collect(), page.scanned, page.trimmed)
}

fn told_of(history: &History) -> (u64, Option<crate::EventId>, u64, usize) {
    (
        history.head.n(),
        history.entry,
        history.trimmed,
        history.missed,
    )
}

async fn check(
    happening: Vec<Happens>,
    keep: usize,
    questions: &[(Option<Vec<Room>>, u64, usize)],
) -> Result<(), TestCaseError> {
    let (folder, retention) = (Folder::new(), Retention::DISK.entries(keep));
    let model = MemoryLog::new(retention);
    let mut log = folder.try_open(retention).await.unwrap();
    let mut known: Vec<NewEntry> = Vec::new();
    for happens in happening {
        let batch = match happens {
            Happens::Append(batch) => batch.into_iter().map(entry).collect(),
            Happens::Again(i) if !known.is_empty() => {
                vec![known[i % known.len()].clone(), entry([1])]
            }
            Happens::Again(_) => Vec::new(),
            Happens::Forget => {
                log.forget_recent();
                Vec::new()
            }
            Happens::Reopen => {
                log.close().await;
                log = folder.try_open(retention).await.unwrap();
                Vec::new()
            }
        };
        known.extend(batch.iter().cloned());
        let expected: Vec<u64> = model
            .append_now(batch.clone())
            .into_iter()
            .map(|at| at.n())
            .collect();
        let positions = log.append(batch).await.unwrap();
        prop_assert_eq!(
            positions.iter().map(|at| at.n()).collect::<Vec<_>>(),
            expected
        );
        log.trim().await.unwrap();
        for (of, after, limit) in questions {
            let of = of.as_deref();
            let page = log.read(of, *after, *limit).await.unwrap();
            prop_assert_eq!(
                told(&page),
                told(&model.read(of, *after, *limit).await.unwrap())
            );
            let of = of.unwrap_or_default();
            let history = log.history(*after, of, *limit).await.unwrap();
            prop_assert_eq!(
                told_of(&history),
                told_of(&model.history(*after, of, *limit).await.unwrap())
            );
        }
        let (head, expected) = (log.head().await.unwrap(), model.head().await.unwrap());
        prop_assert_eq!(
            (head.position.n(), head.floor),
            (expected.position.n(), expected.floor)
        );
        prop_assert_eq!(*log.changes().borrow(), head.position.n());
    }
    log.close().await;
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn it_answers_what_the_log_in_memory_answers(
        happening in vec(happens(), 1..16), keep in 1usize..30, questions in vec(question(), 1..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(happening, keep, &questions))?;
    }
}
