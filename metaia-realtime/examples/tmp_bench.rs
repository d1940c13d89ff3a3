//! t
use metaia_realtime::{log::*, sqlite::*, *};
use std::time::Instant;
fn e(i: usize) -> NewEntry {
    let u: UserId = format!("c{}", i % 5000).parse().unwrap();
    let o: OrderId = format!("o{}", i / 5).parse().unwrap();
    NewEntry::event(
        vec![Room::User(u), Room::Order(o), Room::Role(Role::Admin)],
        ("order_update", serde_json::json!({"id": i, "pad": "x".repeat(250)})),
    )
    .unwrap()
}
#[tokio::main]
async fn main() {
    let d = std::path::PathBuf::from(std::env::args().nth(1).unwrap());
    let n: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    let _ = std::fs::remove_dir_all(&d);
    std::fs::create_dir_all(&d).unwrap();
    let log = SqliteLog::open_with(d.join("l.db"), Options::durability(Durability::Normal), Retention::DISK)
        .await
        .unwrap();
    let t = Instant::now();
    for c in 0..n / 1000 {
        log.append((0..1000).map(|i| e(c * 1000 + i)).collect()).await.unwrap();
    }
    println!("fill {n}: {:?}", t.elapsed());
    log.close().await;
    println!("size {} MB", std::fs::metadata(d.join("l.db")).unwrap().len() >> 20);
    let t = Instant::now();
    let log =
        SqliteLog::open_with(d.join("l.db"), Options::default(), Retention::DISK.entries(n)).await.unwrap();
    println!("open: {:?}", t.elapsed());
    for clients in [1usize, 16, 64, 256] {
        let t = Instant::now();
        let per = 4000 / clients;
        let mut set = tokio::task::JoinSet::new();
        for c in 0..clients {
            let log = log.clone();
            set.spawn(async move {
                let mut worst = std::time::Duration::ZERO;
                for i in 0..per {
                    let t = Instant::now();
                    log.append(vec![e(n + c * per + i)]).await.unwrap();
                    worst = worst.max(t.elapsed());
                }
                worst
            });
        }
        let worst = set.join_all().await.into_iter().max().unwrap();
        let el = t.elapsed();
        println!(
            "full, {clients} at once: {:.0}/s, worst {worst:?}",
            (per * clients) as f64 / el.as_secs_f64()
        );
    }
    let t = Instant::now();
    println!("trim {} {:?}", log.trim().await.unwrap(), t.elapsed());
    let t = Instant::now();
    let room = [Room::User("c17".parse().unwrap()), Room::Order("o1".parse().unwrap()), Room::Everyone];
    for i in 0..1000 {
        log.history((n / 2 + i) as u64, &room, 10_000).await.unwrap();
    }
    println!("1000 histories {:?} reads {}", t.elapsed(), log.reads());
    let t = Instant::now();
    for i in 0..1000 {
        log.read(Some(&room), (n / 2 + i) as u64, 64).await.unwrap();
    }
    println!("1000 pages {:?}", t.elapsed());
    let t = Instant::now();
    log.backup(d.join("copy.db")).await.unwrap();
    println!("backup {:?}", t.elapsed());
    // fsync rate
    use std::io::Write;
    let mut f = std::fs::File::create(d.join("f")).unwrap();
    let t = Instant::now();
    for _ in 0..200 {
        f.write_all(&[1; 4096]).unwrap();
        f.sync_data().unwrap();
    }
    println!("fsync/s {:.0}", 200.0 / t.elapsed().as_secs_f64());
    log.close().await;
}
