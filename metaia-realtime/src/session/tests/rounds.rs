//! Rounds of decisions on all access, with a policy that takes its time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;

use super::{log::Log, world::order};
use crate::{
    AccessDecision, AccessError, Identity, JwtAuthenticator, OrderAccess, OrderId, Role,
    node::{Node, NodeParts, Window},
};

/// Allows everyone, after a pause. Clones share their counts.
#[derive(Clone)]
struct SlowPolicy {
    pause: Duration,
    deciding: Arc<AtomicUsize>,
    most_at_once: Arc<AtomicUsize>,
}

impl SlowPolicy {
    fn new(pause: Duration) -> Self {
        Self {
            pause,
            deciding: Arc::default(),
            most_at_once: Arc::default(),
        }
    }
}

impl OrderAccess for SlowPolicy {
    async fn may_join(&self, _: &Identity, _: &OrderId) -> Result<AccessDecision, AccessError> {
        let deciding = self.deciding.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(deciding, Ordering::SeqCst);
        tokio::time::sleep(self.pause).await;
        self.deciding.fetch_sub(1, Ordering::SeqCst);
        Ok(AccessDecision::Allowed)
    }
}

fn node(log: &Log, policy: SlowPolicy) -> Node {
    let authenticator = JwtAuthenticator::hs256("secret").unwrap();
    let parts = NodeParts {
        log: Arc::new(log.clone()),
        access: Arc::new(policy),
        ..NodeParts::default()
    };
    let window = Window::new(
        super::world::now(crate::EventLog::head(log))
            .unwrap()
            .position,
    );
    Node::new(window, Arc::new(authenticator), parts)
}

#[tokio::test(start_paused = true)]
async fn rechecks_are_bounded_and_waiting_for_the_policy_is_not_its_time() {
    let policy = SlowPolicy::new(Duration::from_secs(4));
    let node = node(&Log::large(), policy.clone());
    let identity = Identity::new("c1".parse().unwrap(), Role::Customer);
    let order = order(1);
    let rechecks = (0..600).map(|_| node.decide_recheck(&identity, &order));
    let decisions = join_all(rechecks).await;
    let allowed = Some(AccessDecision::Allowed);
    assert!(decisions.iter().all(|decision| *decision == allowed));
    assert_eq!(policy.most_at_once.load(Ordering::SeqCst), 256);
}
