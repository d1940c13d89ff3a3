//! The watchdog ends a process that does not end by itself.

use std::time::{Duration, Instant};

use metaia_tests::eventually::eventually;
use metaia_tests::server::{Server, Setup};

/// The line of the watchdog.
const LINE: &str = "the process ends without it";

/// Returns a server whose runtime is stuck. Its log is written all the same.
async fn stuck(drain_ms: &str) -> Server {
    let setup = Setup::new().env("METAIA_PLANTED_FAULT", "stuck_runtime");
    setup.env("METAIA_DRAIN_MS", drain_ms).start().await
}

#[tokio::test]
async fn a_server_whose_runtime_is_stuck_ends_all_the_same() {
    let mut server = stuck("0").await;
    let asked = Instant::now();
    server.signal("TERM").await;
    server.wait_for_output(LINE).await;
    assert_eq!(server.wait().await.code(), Some(1));
    let took = asked.elapsed();
    // What an orderly end takes at most with a drain of 0, and some time for a busy machine.
    let expected = Duration::from_secs(6)..Duration::from_secs(15);
    assert!(expected.contains(&took), "it took {took:?}");
}

#[tokio::test]
async fn a_second_signal_is_heard_by_the_watchdog_too() {
    let mut server = stuck("9000").await;
    let asked = Instant::now();
    // Two signals that come at once may be one for it.
    let said = async || {
        server.signal("INT").await;
        let lines = server.output_lines();
        lines.iter().any(|line| line.contains(LINE)).then_some(())
    };
    eventually("the line of the watchdog", said).await;
    assert_eq!(server.wait().await.code(), Some(1));
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(10), "it took {took:?}");
}
