//! Checks with several nodes.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::{
    probe::{DirectoryProbe, LONG_LEASE},
    subject::Subject,
};
use crate::{
    Role,
    presence::{NodeView, SessionChange},
    testing::contract::{Verdict, ensure, equal},
};

pub(super) async fn nodes<S: Subject>() -> Verdict {
    let subject = S::new();
    let mut probes = Vec::new();
    for _ in 0..5 {
        probes.push(DirectoryProbe::begun(&subject).await?);
    }
    let last = probes.len() - 1;
    probes[last].view.sessions = 50_000;
    ensure!(
        probes[last].renew(LONG_LEASE).await?,
        "a node that is there is not"
    );
    let mut due: Vec<NodeView> = probes.iter().map(|probe| probe.view.clone()).collect();
    due.sort_by_key(|view| view.id);
    equal("the nodes", probes[0].nodes().await?, due)
}

/// Several nodes announce at once. Half of the sessions of each are gone at the end.
pub(super) async fn at_once<S: Subject>() -> Verdict {
    const NODES: usize = 4;
    let subject = Arc::new(S::new());
    let watching = DirectoryProbe::open(&*subject).await;
    let mut announcing = JoinSet::new();
    for _ in 0..NODES {
        let subject = Arc::clone(&subject);
        announcing.spawn(async move {
            let node = DirectoryProbe::begun(&*subject).await?;
            let mut stay = Vec::new();
            for i in 0..20 {
                let here = node.session("u1", Role::Customer);
                let gone = node.session("u2", Role::Tailor);
                node.here(&[here.clone(), gone.clone()]).await?;
                node.announce(vec![SessionChange::Gone(gone.id)]).await?;
                ensure!(node.renew(LONG_LEASE).await?, "the lease was over at {i}");
                stay.push(here);
            }
            Ok(stay)
        });
    }
    let mut due = Vec::new();
    while let Some(ended) = announcing.join_next().await {
        due.extend(ended.map_err(|error| error.to_string())??);
    }
    watching.sees(&due).await
}

pub(super) async fn large<S: Subject>() -> Verdict {
    let subject = S::new();
    let node = DirectoryProbe::begun(&subject).await?;
    let session = |i: usize| node.session_in(&format!("u{i}"), Role::Customer, &["a", "b"]);
    let sessions: Vec<_> = (0..1_000).map(session).collect();
    node.here(&sessions).await?;
    node.sees(&sessions).await?;
    // Half of them go and as many come, in one announcement.
    let (go, stay) = sessions.split_at(500);
    let more: Vec<_> = (1_000..1_500).map(session).collect();
    let gone = go.iter().map(|session| SessionChange::Gone(session.id));
    let come = more.iter().cloned().map(SessionChange::Here);
    node.announce(gone.chain(come).collect()).await?;
    node.sees(&[stay, &more].concat()).await
}
