//! The checks of reads by pages.

use super::{
    checks::of_user,
    probe::{ChangeReader, add, put, put_all, records},
    subject::Subject,
};
use crate::{
    revocation::Revocation,
    testing::contract::{Verdict, equal},
};

/// Records of the checks: of users and of tokens, put one right after the other, so that stores
/// which go by time have many of one time.
const RECORDS: usize = 24;

fn revocations() -> Vec<Revocation> {
    let revocation = |i: usize| match i % 3 {
        0 => Revocation::of_token(format!("t{i}"), None),
        _ => of_user(&format!("u{i}"), 7),
    };
    (0..RECORDS).map(revocation).collect()
}

/// Each page size puts the borders elsewhere; one of them is the number of records.
pub(super) async fn paged<S: Subject>() -> Verdict {
    let subject = S::new();
    let store = subject.open().await;
    let all = revocations();
    put_all(&store, &all).await?;
    let due = records(&all);
    for limit in [1, 2, 3, 5, RECORDS - 1, RECORDS, RECORDS + 1, 10_000] {
        let mut reader = ChangeReader::with_pages_of(limit);
        for pass in 1..=3 {
            equal(
                format_args!("the records after pass {pass} by pages of {limit}"),
                reader.read_each_once(&store).await?,
                due.clone(),
            )?;
        }
    }
    Ok(())
}

/// After each page, one record is raised that the pass has read already or will still read, and one
/// is added. The pass that follows must have them all.
pub(super) async fn put_between_pages<S: Subject>() -> Verdict {
    let subject = S::new();
    let store = subject.open().await;
    let all = revocations();
    put_all(&store, &all).await?;
    let mut due = records(&all);
    for limit in [1, 2, 5] {
        let mut reader = ChangeReader::with_pages_of(limit);
        for round in 0..RECORDS {
            reader.read_page(&store).await?;
            let raised = of_user(&format!("u{}", (round * 7) % RECORDS), 100 + round as i64);
            let added = Revocation::of_token(format!("added {limit} {round}"), None);
            for revocation in [raised, added] {
                put(&store, &revocation).await?;
                add(&mut due, &revocation);
            }
        }
        // The rest of the pass that has begun, and one that begins after the last `put`.
        reader.read(&store).await?;
        equal(
            format_args!("the records read by pages of {limit}"),
            reader.read(&store).await?,
            due.clone(),
        )?;
    }
    Ok(())
}
