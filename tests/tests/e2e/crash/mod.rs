//! Power cuts under load: nothing that was answered is lost, nothing comes twice, nothing out of order, for hand-made
//! and official clients alike. The checker judges the whole run.
//!
//! `METAIA_CRASHES=1000` asks for more kills than the usual 50.

mod run;

use metaia_tests::chance::Chance;
use run::Run;

/// How often the server is killed at a random moment.
fn kills() -> usize {
    std::env::var("METAIA_CRASHES").ok().and_then(|text| text.parse().ok()).unwrap_or(50)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_at_random_moments_lose_nothing() {
    let (mut chance, seed) = Chance::fresh();
    let mut run = Run::start().await;
    for kill in 0..kills() {
        run.make_some_noise(&mut chance).await;
        run.kill().await;
        if kill % 10 == 9 {
            run.heal().await;
        }
    }
    run.judge(&format!("seed {seed}")).await;
}

/// The points that every run of the server passes, and how often at most before it dies there.
const POINTS: [(&str, u64); 3] = [("before-transaction", 40), ("in-transaction", 40), ("after-commit", 40)];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_at_named_points_lose_nothing() {
    let (mut chance, seed) = Chance::fresh();
    let mut run = Run::start().await;
    for _ in 0..3 {
        for (point, most) in POINTS {
            run.crash_at(&format!("{point}:{}", 1 + chance.below(most))).await;
        }
        run.heal().await;
    }
    run.judge(&format!("seed {seed}")).await;
}
