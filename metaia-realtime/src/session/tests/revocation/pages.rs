//! Many revocations in paused time: they are read page by page.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use super::*;

/// The time from a read to the next one.
const SECOND: Duration = Duration::from_secs(1);

/// A store that takes some time for each page. Its records are numbered, and none is put twice.
#[derive(Clone)]
struct Slow {
    records: Arc<Mutex<Vec<Revocation>>>,
    page_time: Duration,
    /// Each page of which the number can be divided by it fails; none if it is 0.
    failing: usize,
    /// The numbers that were asked for.
    asked: Arc<Mutex<Vec<usize>>>,
}

impl Slow {
    /// Returns a store with this number of users, `u0` and so on, revoked until 1,000.
    fn of_users(count: usize, page_time: Duration) -> Self {
        let store = Self {
            records: Arc::default(),
            page_time,
            failing: 0,
            asked: Arc::default(),
        };
        store.revoke_users(count);
        store
    }

    fn revoke_users(&self, count: usize) {
        let users = (0..count).map(|i| of_user(&format!("u{i}"), 1_000));
        self.records.lock().extend(users);
    }

    const fn failing(mut self, each: usize) -> Self {
        self.failing = each;
        self
    }

    fn page(&self, from: usize, limit: usize) -> RevocationChanges {
        let records = self.records.lock();
        let end = records.len().min(from + limit);
        RevocationChanges {
            revocations: records[from..end].to_vec(),
            cursor: RevocationCursor::new(end.to_string()),
            has_more: end < records.len(),
        }
    }
}

impl RevocationStore for Slow {
    fn is_shared(&self) -> bool {
        true
    }

    async fn put(&self, revocation: Revocation) -> Result<Revocation, RevocationError> {
        self.records.lock().push(revocation.clone());
        Ok(revocation)
    }

    async fn changed_since(
        &self,
        since: Option<RevocationCursor>,
        limit: usize,
    ) -> Result<RevocationChanges, RevocationError> {
        assert!(limit <= 1_000, "pages have a bound");
        let from = since.map_or(0, |cursor| cursor.as_str().parse().unwrap());
        let count = {
            let mut asked = self.asked.lock();
            asked.push(from);
            asked.len()
        };
        sleep(self.page_time).await;
        if self.failing != 0 && count.is_multiple_of(self.failing) {
            return Err(RevocationError::new("the store is down"));
        }
        Ok(self.page(from, limit))
    }
}

/// Waits until clients are authenticated, and returns the time that it took.
async fn time_until_ready(node: &Node) -> Duration {
    let began = Instant::now();
    while authenticate(node, "c1 customer 1000 t1").await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(600), "never ready");
        pass(100).await;
    }
    began.elapsed()
}

const LAST: &str = "u19999 customer 1000 t1";

/// 20 pages of 0.3 s take longer than one read may take, 4 s.
#[tokio::test(start_paused = true)]
async fn a_node_with_very_many_revocations_gets_ready_and_knows_all() {
    let store = Slow::of_users(20_000, Duration::from_millis(300));
    let node = node_on(store).await;
    let token = "c1 customer 1000 t1";
    assert_eq!(
        authenticate(&node, token).await,
        Err(AuthError::Unavailable)
    );
    assert_eq!(authenticate(&node, LAST).await, Err(AuthError::Unavailable));
    // The view is as old as the beginning of its pass: the second pass makes it current.
    let took = time_until_ready(&node).await;
    assert!(took < Duration::from_secs(13), "{took:?}");
    for user in 0..20_000 {
        let token = format!("u{user} customer 1000 t1");
        assert_eq!(authenticate(&node, &token).await, Err(AuthError::Revoked));
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_fails_is_read_again_and_no_other_is() {
    let store = Slow::of_users(20_000, Duration::from_millis(10));
    let node = node_on(store.clone().failing(3)).await;
    let took = time_until_ready(&node).await;
    assert!(took < 11 * SECOND, "{took:?}");
    assert_eq!(authenticate(&node, LAST).await, Err(AuthError::Revoked));
    let mut asked: Vec<usize> = store.asked.lock().iter().copied().take(29).collect();
    assert!(
        asked.is_sorted(),
        "no page is read again that was read: {asked:?}"
    );
    asked.dedup();
    assert_eq!(asked.len(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_page_has_a_timeout_of_its_own() {
    let node = node_on(Slow::of_users(10, Duration::from_millis(3_900))).await;
    let took = time_until_ready(&node).await;
    assert!(took < Duration::from_millis(4_100), "{took:?}");
    let store = Slow::of_users(10, Duration::from_millis(4_100));
    let node = node_on(store.clone()).await;
    pass(60_000).await;
    let token = "c1 customer 1000 t1";
    assert_eq!(
        authenticate(&node, token).await,
        Err(AuthError::Unavailable)
    );
    assert!(store.asked.lock().len() > 10, "it is tried again");
}

/// A session does not wait for the pages behind that of its token.
#[tokio::test(start_paused = true)]
async fn a_session_ends_with_the_page_of_its_token() {
    let store = Slow::of_users(0, Duration::from_millis(500));
    let node = node_on(store.clone()).await;
    let phone = connect(&node, "a1 customer 1000 t1").await;
    store.put(of_user("a1", 1_000)).await.unwrap();
    store.revoke_users(20_000);
    pass(2_500).await;
    assert_eq!(phone.session.ended_by(), Some(EndReason::Revoked));
    assert_ne!(authenticate(&node, LAST).await, Err(AuthError::Revoked));
    pass(15_000).await;
    assert_eq!(authenticate(&node, LAST).await, Err(AuthError::Revoked));
}
