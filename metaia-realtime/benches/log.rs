//! Measures `SqliteLog` by itself: `fill FOLDER COUNT` creates a database with that many entries
//! for other measurements, `append FOLDER` measures durable appends.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "our own command: it panics if it cannot measure, and its tasks end with it"
)]

use std::{path::Path, time::Instant};

use metaia_realtime::{
    EventLog, NewEntry, Room,
    log::{Retention, SqliteLog},
    sqlite::{Durability, SqliteOptions},
};
use serde_json::json;

/// Entries in one append of `fill`.
const BATCH: usize = 2_000;
/// Entries of the durable appends, in all.
const APPENDS: usize = 50_000;
/// Tasks that append at once.
const APPENDERS: usize = 256;
/// Entries in one durable append: a single change, and many changes at once.
const SIZES: [usize; 2] = [1, 16];

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match *words.as_slice() {
        ["fill", folder, count] => {
            runtime.block_on(fill(Path::new(folder), count.parse().unwrap()))
        }
        ["append", folder] => {
            for size in SIZES {
                runtime.block_on(append(Path::new(folder), size));
            }
        }
        _ => println!("usage: fill FOLDER COUNT, or append FOLDER"),
    }
}

/// Returns entries of about 300 bytes to four rooms, those that an `order_update` goes to.
fn entries(count: usize, from: usize) -> Vec<NewEntry> {
    let entry = |n: usize| {
        let order: Room = format!("order-{:024x}", n / 6).parse().unwrap();
        let users = [n % 5_000, n % 97].map(|user| format!("user-u{user}").parse().unwrap());
        let [customer, tailor] = users;
        let document = json!({
            "_id": n,
            "status": "in_progress",
            "items": [{
                "garment": "kurta",
                "quantity": 2,
                "price": 45_000,
                "notes": "silk, to the knee",
            }],
            "text": "x".repeat(140),
        });
        NewEntry::event(
            [order, customer, tailor, "admin-room".parse().unwrap()],
            ("order_update", document),
        )
        .unwrap()
    };
    (from..from + count).map(entry).collect()
}

async fn fill(folder: &Path, count: usize) {
    std::fs::create_dir_all(folder).unwrap();
    let options = SqliteOptions::durability(Durability::Normal);
    let kept = Retention::DISK.entries(usize::MAX);
    let log = SqliteLog::open_with(folder.join("metaia.db"), options, kept)
        .await
        .unwrap();
    let begun = Instant::now();
    for from in (0..count).step_by(BATCH) {
        log.append(entries(BATCH.min(count - from), from))
            .await
            .unwrap();
    }
    log.close().await;
    println!("{count} entries in {:.1} s", begun.elapsed().as_secs_f64());
}

/// Measures concurrent appends, each of which returns when it is on the disk.
async fn append(folder: &Path, size: usize) {
    let path = folder.join(format!("append-{size}.db"));
    let log = SqliteLog::open(&path).await.unwrap();
    let begun = Instant::now();
    let appenders = (0..APPENDERS).map(|appender| {
        let log = log.clone();
        tokio::spawn(async move {
            for turn in 0..APPENDS / APPENDERS / size {
                log.append(entries(size, appender + turn * APPENDERS))
                    .await
                    .unwrap();
            }
        })
    });
    for appender in appenders.collect::<Vec<_>>() {
        appender.await.unwrap();
    }
    let took = begun.elapsed().as_secs_f64();
    let head = log.head().await.unwrap().position.n();
    println!(
        "{:.0} entries/s durable, {size} in each of {APPENDERS} appends at once",
        head as f64 / took
    );
    log.close().await;
}
