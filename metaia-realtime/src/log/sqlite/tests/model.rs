//! Compares the log with the naive model: the log in memory, which keeps everything in lists.

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{MemoryLog, log::History};

#[derive(Debug, Clone)]
enum Step {
    /// Append a batch: the rooms of each entry.
    Append(Vec<Vec<u8>>),
    /// Append an entry again that was appended before, with a new one.
    Again(usize),
    /// Drop the recent entries from memory.
    Forget,
    Reopen,
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => vec(vec(0u8..4, 0..3), 1..6).prop_map(Step::Append),
        2 => any::<usize>().prop_map(Step::Again),
        2 => Just(Step::Forget),
        1 => Just(Step::Reopen),
    ]
}

/// A read: the rooms (`None`: all), the number to read after, and the limit.
type Question = (Option<Vec<Room>>, u64, usize);

prop_compose! {
    fn question()(
        of in vec(0u8..5, 0..4), after in 0u64..70, limit in 1usize..20, all: bool,
    ) -> Question {
        let rooms = if all { None } else { Some(rooms(of)) };
        (rooms, after, limit)
    }
}

/// Returns the parts of a page that do not depend on the epoch.
fn page_content(page: &Page) -> (Vec<String>, u64, u64) {
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

/// Returns the parts of a history that do not depend on the epoch.
fn history_content(history: &History) -> (u64, Option<crate::values::EventId>, u64, usize) {
    (
        history.head.n(),
        history.entry,
        history.trimmed,
        history.missed,
    )
}

async fn check(steps: Vec<Step>, keep: usize, questions: &[Question]) -> Result<(), TestCaseError> {
    let folder = Folder::new();
    let retention = Retention::DISK.entries(keep);
    let model = MemoryLog::new(retention);
    let mut log = folder.try_open(retention).await.unwrap();
    let mut known: Vec<NewEntry> = Vec::new();
    for step in steps {
        let batch = match step {
            Step::Append(batch) => batch.into_iter().map(entry).collect(),
            Step::Again(i) if !known.is_empty() => {
                vec![known[i % known.len()].clone(), entry([1])]
            }
            Step::Again(_) => Vec::new(),
            Step::Forget => {
                log.forget_recent();
                Vec::new()
            }
            Step::Reopen => {
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
                page_content(&page),
                page_content(&model.read(of, *after, *limit).await.unwrap())
            );
            let of = of.unwrap_or_default();
            let history = log.history(*after, of, *limit).await.unwrap();
            prop_assert_eq!(
                history_content(&history),
                history_content(&model.history(*after, of, *limit).await.unwrap())
            );
        }
        let head = log.head().await.unwrap();
        let expected = model.head().await.unwrap();
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
        steps in vec(steps(), 1..16), keep in 1usize..30, questions in vec(question(), 1..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(steps, keep, &questions))?;
    }
}
