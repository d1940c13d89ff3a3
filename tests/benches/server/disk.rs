//! The speed of the disk itself: appends of 4 KiB, each followed by a sync.

use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

use metaia_tests::server::temp_folder::TempFolder;

use crate::recorder::Recorder;
use crate::workers::Done;

const MEASURE: Duration = Duration::from_secs(2);

/// Measures appends with a sync, one after the other, in a folder on the same disk as the server's.
pub(crate) async fn measure_syncs() -> Done {
    tokio::task::spawn_blocking(measure)
        .await
        .expect("the measurement does not panic")
}

fn measure() -> Done {
    let folder = TempFolder::new();
    let mut file = File::create(folder.join("syncs")).expect("a file");
    let begun = Instant::now();
    let took = Recorder::new();
    while begun.elapsed() < MEASURE {
        let before = Instant::now();
        file.write_all(&[7; 4096]).expect("enough disk space");
        file.sync_data().expect("fdatasync");
        took.note(before.elapsed());
    }
    Done {
        per_second: took.len() as f64 / begun.elapsed().as_secs_f64(),
        took,
    }
}
