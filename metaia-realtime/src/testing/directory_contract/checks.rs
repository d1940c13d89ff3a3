//! The sessions that other nodes see of a node, and for how long.

use std::time::Duration;

use super::{
    probe::{DirectoryProbe, LONG_LEASE, RENEWED_LEASE, SHORT_LEASE, SHORT_LEASE_IS_OVER, text},
    subject::Subject,
};
use crate::{
    Role,
    presence::{Directory, RoomQuery, SessionChange},
    testing::contract::{Verdict, equal},
    values::SessionId,
};

pub(super) async fn seen<S: Subject>() -> Verdict {
    let subject = S::new();
    let one = DirectoryProbe::begun(&subject).await?;
    let other = DirectoryProbe::begun(&subject).await?;
    let stranger = DirectoryProbe::open(&subject).await;
    one.sees(&[]).await?;
    let orders: Vec<String> = (0..128).map(|i| format!("order_{i}")).collect();
    let orders: Vec<&str> = orders.iter().map(String::as_str).collect();
    let mut sessions = vec![
        one.session("u1", Role::Customer),
        one.session("U1", Role::Admin),
        one.session_in(&"x".repeat(64), Role::Delivery, &orders),
        one.session_in("null", Role::Tailor, &["a", "A"]),
    ];
    sessions[1].device = Some(text("phone-1"));
    sessions[2].connected_at = 0;
    sessions[2].active_at = i64::MAX;
    one.here(&sessions).await?;
    stranger
        .here(&[stranger.session("u1", Role::Customer)])
        .await?;
    one.sees(&sessions).await?;
    other.sees(&sessions).await?;
    stranger.sees(&sessions).await
}

pub(super) async fn changed<S: Subject>() -> Verdict {
    let subject = S::new();
    let node = DirectoryProbe::begun(&subject).await?;
    let other = DirectoryProbe::begun(&subject).await?;
    let before = node.session_in("u1", Role::Customer, &["a"]);
    let mut after = node.session_in("u1", Role::Customer, &["b", "c"]);
    after.id = before.id;
    let stays = node.session("u2", Role::Customer);
    node.here(&[before.clone(), stays.clone()]).await?;
    node.here(std::slice::from_ref(&after)).await?;
    other.sees(&[after.clone(), stays.clone()]).await?;
    node.announce(vec![
        SessionChange::Here(before.clone()),
        SessionChange::Here(after.clone()),
    ])
    .await?;
    other.sees(&[after.clone(), stays.clone()]).await?;
    node.announce(vec![
        SessionChange::Here(before.clone()),
        SessionChange::Gone(before.id),
    ])
    .await?;
    other.sees(std::slice::from_ref(&stays)).await?;
    node.announce(vec![
        SessionChange::Gone(before.id),
        SessionChange::Here(after.clone()),
    ])
    .await?;
    other.sees(&[after.clone(), stays.clone()]).await?;
    node.announce(vec![
        SessionChange::Gone(SessionId::random()),
        SessionChange::Gone(after.id),
    ])
    .await?;
    node.announce(Vec::new()).await?;
    other.sees(&[stays]).await
}

pub(super) async fn begun_again<S: Subject>() -> Verdict {
    let subject = S::new();
    let node = DirectoryProbe::begun(&subject).await?;
    let other = DirectoryProbe::begun(&subject).await?;
    let first = node.session("u1", Role::Customer);
    let second = node.session("u2", Role::Customer);
    let others = other.session("u1", Role::Customer);
    node.here(std::slice::from_ref(&first)).await?;
    other.here(std::slice::from_ref(&others)).await?;
    node.begin(LONG_LEASE).await?;
    other.sees(std::slice::from_ref(&others)).await?;
    node.here(std::slice::from_ref(&second)).await?;
    other.sees(&[others.clone(), second.clone()]).await?;
    renews(&node, LONG_LEASE, true).await?;
    other.sees(&[others, second]).await
}

pub(super) async fn left<S: Subject>() -> Verdict {
    let subject = S::new();
    let node = DirectoryProbe::begun(&subject).await?;
    let other = DirectoryProbe::begun(&subject).await?;
    let others = other.session("u2", Role::Customer);
    node.here(&[node.session("u1", Role::Customer)]).await?;
    other.here(std::slice::from_ref(&others)).await?;
    node.leave().await?;
    other.sees(std::slice::from_ref(&others)).await?;
    equal("the nodes", other.nodes().await?, vec![other.view.clone()])?;
    renews(&node, LONG_LEASE, false).await?;
    node.leave().await?;
    DirectoryProbe::open(&subject).await.leave().await?;
    other.sees(&[others]).await
}

pub(super) async fn lapsed<S: Subject>() -> Verdict {
    let subject = S::new();
    let node = DirectoryProbe::open(&subject).await;
    let other = DirectoryProbe::begun(&subject).await?;
    let session = node.session("u1", Role::Customer);
    let others = other.session("u2", Role::Customer);
    let renewed = node.renew(LONG_LEASE).await?;
    equal("the renewal of a node that has not begun", renewed, false)?;
    node.begin(SHORT_LEASE).await?;
    node.here(std::slice::from_ref(&session)).await?;
    other.here(std::slice::from_ref(&others)).await?;
    tokio::time::sleep(SHORT_LEASE_IS_OVER).await;
    other.sees(std::slice::from_ref(&others)).await?;
    equal("the nodes", other.nodes().await?, vec![other.view.clone()])?;
    let rooms = other.rooms(&RoomQuery::default()).await?;
    equal("the rooms without those of the lapsed node", rooms.len(), 2)?;
    // A renewal of another node may clean up after this one, which then cannot renew.
    for _ in 0..5 {
        renews(&other, LONG_LEASE, true).await?;
    }
    renews(&node, LONG_LEASE, false).await?;
    other.sees(std::slice::from_ref(&others)).await?;
    node.begin(LONG_LEASE).await?;
    node.here(std::slice::from_ref(&session)).await?;
    other.sees(&[session, others]).await
}

pub(super) async fn renewed<S: Subject>() -> Verdict {
    let subject = S::new();
    let node = DirectoryProbe::open(&subject).await;
    let other = DirectoryProbe::begun(&subject).await?;
    let session = node.session("u1", Role::Customer);
    node.begin(RENEWED_LEASE).await?;
    node.here(std::slice::from_ref(&session)).await?;
    for _ in 0..4 {
        tokio::time::sleep(RENEWED_LEASE / 3).await;
        renews(&node, RENEWED_LEASE, true).await?;
    }
    other.sees(&[session]).await
}

pub(super) async fn after_its_time<S: Subject>() -> Verdict {
    let subject = S::new();
    let node = DirectoryProbe::open(&subject).await;
    let other = DirectoryProbe::begun(&subject).await?;
    let late = node.session("u1", Role::Customer);
    let now = node.session("u2", Role::Customer);
    node.begin(SHORT_LEASE).await?;
    tokio::time::sleep(SHORT_LEASE_IS_OVER).await;
    node.here(std::slice::from_ref(&late)).await?;
    other.sees(&[]).await?;
    renews(&node, LONG_LEASE, false).await?;
    other.sees(&[]).await?;
    node.begin(LONG_LEASE).await?;
    other.sees(&[]).await?;
    node.here(std::slice::from_ref(&now)).await?;
    other.sees(&[now]).await
}

/// Renews the lease, and checks whether the node still has it.
async fn renews<D: Directory>(node: &DirectoryProbe<D>, lease: Duration, due: bool) -> Verdict {
    equal("the renewal of the lease", node.renew(lease).await?, due)
}
