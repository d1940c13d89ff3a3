//! The check of several nodes.

use super::{
    checks::of_user,
    probe::{ChangeReader, add, put, records},
    subject::Subject,
};
use crate::{
    revocation::Revocation,
    testing::contract::{Verdict, equal},
};

/// Two nodes put in turn, and both read after each `put`.
pub(super) async fn shared<S: Subject>() -> Verdict {
    if !S::SHARED {
        return Ok(());
    }
    let subject = S::new();
    let nodes = [subject.open().await, subject.open().await];
    let mut readers = [ChangeReader::default(), ChangeReader::default()];
    let mut due = records(&[]);
    for i in 0..20_i64 {
        let revocation = match i % 4 {
            0 => Revocation::of_everyone(i),
            1 => Revocation::of_token(format!("t{i}"), None),
            _ => of_user("u", i),
        };
        put(&nodes[(i / 3 % 2) as usize], &revocation).await?;
        add(&mut due, &revocation);
        for (node, reader) in nodes.iter().zip(&mut readers) {
            let read = reader.read(node).await?;
            equal(format_args!("what a node knows of {i}"), read, due.clone())?;
        }
    }
    Ok(())
}
