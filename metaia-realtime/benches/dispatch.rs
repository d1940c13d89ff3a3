//! The time of one event from the append to the session: appended, dispatched, encoded, and taken
//! by each live session, on a node without sessions and on one with 1,000. The transport is not
//! part of it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion generates the functions; a bench that cannot run should panic"
)]

use criterion::{Criterion, criterion_group, criterion_main};
use metaia_realtime::testing::bench::Bench;

fn dispatch(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let mut group = criterion.benchmark_group("dispatch");
    for sessions in [0, 1_000] {
        let bench = runtime.block_on(Bench::new(sessions)).unwrap();
        let taken = runtime.block_on(bench.publish_and_drain()).unwrap();
        assert!(
            taken >= sessions * 250,
            "not every session received the event"
        );
        group.bench_function(format!("{sessions} sessions"), |bencher| {
            bencher
                .to_async(&runtime)
                .iter(async || bench.publish_and_drain().await.unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, dispatch);
criterion_main!(benches);
