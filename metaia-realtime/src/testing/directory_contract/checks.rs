//! What is seen of a node, and for how long.

use super::{
    Subject,
    probe::{KEPT, LONG, OVER, Probe, SHORT, text},
};
use crate::{
    Role, SessionId,
    presence::SessionChange,
    testing::contract::{Verdict, equal},
};

pub(super) async fn seen<S: Subject>() -> Verdict {
    let subject = S::new();
    let (one, other) = (Probe::begun(&subject).await?, Probe::begun(&subject).await?);
    let stranger = Probe::open(&subject).await;
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
    let (node, other) = (Probe::begun(&subject).await?, Probe::begun(&subject).await?);
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
    let (node, other) = (Probe::begun(&subject).await?, Probe::begun(&subject).await?);
    let (first, second) = (
        node.session("u1", Role::Customer),
        node.session("u2", Role::Customer),
    );
    let others = other.session("u1", Role::Customer);
    node.here(std::slice::from_ref(&first)).await?;
    other.here(std::slice::from_ref(&others)).await?;
    node.begin(LONG).await?;
    other.sees(std::slice::from_ref(&others)).await?;
    node.here(std::slice::from_ref(&second)).await?;
    other.sees(&[others.clone(), second.clone()]).await?;
    equal(
        "whether its sessions are there",
        node.renew(LONG).await?,
        true,
    )?;
    other.sees(&[others, second]).await
}

pub(super) async fn left<S: Subject>() -> Verdict {
    let subject = S::new();
    let (node, other) = (Probe::begun(&subject).await?, Probe::begun(&subject).await?);
    let others = other.session("u2", Role::Customer);
    node.here(&[node.session("u1", Role::Customer)]).await?;
    other.here(std::slice::from_ref(&others)).await?;
    node.leave().await?;
    other.sees(std::slice::from_ref(&others)).await?;
    equal("the nodes", other.nodes().await?, vec![other.view.clone()])?;
    equal(
        "whether its sessions are there",
        node.renew(LONG).await?,
        false,
    )?;
    node.leave().await?;
    Probe::open(&subject).await.leave().await?;
    other.sees(&[others]).await
}

pub(super) async fn lapsed<S: Subject>() -> Verdict {
    let subject = S::new();
    let (node, other) = (Probe::open(&subject).await, Probe::begun(&subject).await?);
    let (session, others) = (
        node.session("u1", Role::Customer),
        other.session("u2", Role::Customer),
    );
    equal(
        "whether a node that has not begun is there",
        node.renew(LONG).await?,
        false,
    )?;
    node.begin(SHORT).await?;
    node.here(std::slice::from_ref(&session)).await?;
    other.here(std::slice::from_ref(&others)).await?;
    tokio::time::sleep(OVER).await;
    other.sees(std::slice::from_ref(&others)).await?;
    equal("the nodes", other.nodes().await?, vec![other.view.clone()])?;
    equal(
        "the rooms of who is gone",
        other.rooms(&Default::default()).await?.len(),
        2,
    )?;
    // Others clean up after it, and it finds that out.
    for _ in 0..5 {
        equal(
            "whether the other's sessions are there",
            other.renew(LONG).await?,
            true,
        )?;
    }
    equal(
        "whether its sessions are there",
        node.renew(LONG).await?,
        false,
    )?;
    other.sees(std::slice::from_ref(&others)).await?;
    node.begin(LONG).await?;
    node.here(std::slice::from_ref(&session)).await?;
    other.sees(&[session, others]).await
}

pub(super) async fn renewed<S: Subject>() -> Verdict {
    let subject = S::new();
    let (node, other) = (Probe::open(&subject).await, Probe::begun(&subject).await?);
    let session = node.session("u1", Role::Customer);
    node.begin(KEPT).await?;
    node.here(std::slice::from_ref(&session)).await?;
    for _ in 0..4 {
        tokio::time::sleep(KEPT / 3).await;
        equal(
            "whether its sessions are there",
            node.renew(KEPT).await?,
            true,
        )?;
    }
    other.sees(&[session]).await
}

pub(super) async fn after_its_time<S: Subject>() -> Verdict {
    let subject = S::new();
    let (node, other) = (Probe::open(&subject).await, Probe::begun(&subject).await?);
    let (late, now) = (
        node.session("u1", Role::Customer),
        node.session("u2", Role::Customer),
    );
    node.begin(SHORT).await?;
    tokio::time::sleep(OVER).await;
    node.here(std::slice::from_ref(&late)).await?;
    other.sees(&[]).await?;
    equal(
        "whether its sessions are there",
        node.renew(LONG).await?,
        false,
    )?;
    other.sees(&[]).await?;
    node.begin(LONG).await?;
    other.sees(&[]).await?;
    node.here(std::slice::from_ref(&now)).await?;
    other.sees(&[now]).await
}
