//! Random stories: after any operations in any order, the records are those of a plain model.
//!
//! A story is determined by its seed.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::{
    checks::of_user,
    probe::{ChangeReader, StandingBounds, add, put},
    subject::Subject,
};
use crate::{
    revocation::Revocation,
    testing::contract::{Verdict, equal},
    values::time,
};

const STORIES: u64 = 6;
const STEPS: usize = 40;

pub(super) async fn modelled<S: Subject>() -> Verdict {
    for seed in 0..STORIES {
        let told = tell::<S>(seed).await;
        told.map_err(|came| format!("{came}\n  in story {seed}"))?;
    }
    Ok(())
}

async fn tell<S: Subject>(seed: u64) -> Verdict {
    let mut random = StdRng::seed_from_u64(seed);
    let subject = S::new();
    let mut store = subject.open().await;
    let mut reader = ChangeReader::default();
    let mut model = StandingBounds::new();
    for step in 0..STEPS {
        match random.random_range(0..8) {
            0 if S::DURABLE => {
                subject.close(store).await;
                store = subject.open().await;
            }
            0..=2 => {
                let read = reader.read(&store).await?;
                equal(
                    format_args!("what a reader knows at {step}"),
                    read,
                    model.clone(),
                )?;
            }
            _ => {
                let revocation = any_revocation(&mut random);
                let standing = put(&store, &revocation).await?;
                add(&mut model, &revocation);
                let due = model.get(&revocation.key()).copied();
                equal(
                    format_args!("what stands after {revocation:?} at {step}"),
                    Some(standing.bound()),
                    due,
                )?;
            }
        }
    }
    equal(
        "all records",
        ChangeReader::default().read(&store).await?,
        model,
    )
}

fn any_revocation(random: &mut StdRng) -> Revocation {
    let bound = random.random_range(-3..20);
    match random.random_range(0..5) {
        0 => Revocation::of_everyone(bound),
        1 => {
            let later = time::unix_ms() + 60_000 + bound;
            let until = random.random_bool(0.7).then_some(later);
            Revocation::of_token(format!("t{}", random.random_range(0..4)), until)
        }
        _ => of_user(&format!("u{}", random.random_range(0..4)), bound),
    }
}
