//! One event, appended, dispatched, encoded, and taken by each live session: of a node with nobody,
//! and of one with 1,000 in memory. What a transport does with it afterwards is not in it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion makes the functions; a bench that cannot run should say so"
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
        assert!(taken >= sessions * 250, "not every session got the event");
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
