//! Power cuts under load: no acknowledged write is lost, no event arrives twice or out of order,
//! with hand-written and official clients. The checker judges the whole run.
//!
//! `METAIA_CRASHES=1000` sets the number of kills. The default is 50.

use crate::run::Run;
use metaia_tests::fixtures::seeded_rng::SeededRng;
use metaia_tests::server::Setup;

/// Returns the number of kills at random moments.
fn kills() -> usize {
    std::env::var("METAIA_CRASHES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(50)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_at_random_moments_lose_nothing() {
    let (mut rng, seed) = SeededRng::random();
    let mut run = Run::start(Setup::new()).await;
    for kill in 0..kills() {
        run.wait_for_traffic(&mut rng).await;
        run.kill().await;
        if kill % 10 == 9 {
            run.heal().await;
        }
    }
    assert_eq!(
        run.judge(&format!("seed {seed}")).await,
        0,
        "a kill is no reason to reset a client"
    );
}

/// Crash points that every run of the server passes, and the highest pass at which it may die
/// there.
const CRASH_POINTS: [(&str, u64); 4] = [
    ("before-transaction", 40),
    ("in-transaction", 40),
    ("after-commit", 40),
    ("mid-replay", 5),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_at_named_points_lose_nothing() {
    let (mut rng, seed) = SeededRng::random();
    let mut run = Run::start(Setup::new()).await;
    for _ in 0..3 {
        for (point, most) in CRASH_POINTS {
            run.crash_at(point, 1 + rng.below(most)).await;
        }
        run.crash_at_shutdown("checkpoint").await;
        run.heal().await;
    }
    assert_eq!(
        run.judge(&format!("seed {seed}")).await,
        0,
        "a crash is no reason to reset a client"
    );
}

/// With so short a log some clients are reset. No client misses an event without a reset.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_in_the_middle_of_trimming_lose_nothing_silently() {
    let mut run = Run::start(Setup::new().env("METAIA_RETENTION_ENTRIES", "100")).await;
    for nth in 1..=3 {
        run.crash_at("mid-trim", nth).await;
    }
    run.judge("mid-trim").await;
}
