//! Queries and pages.

use super::{probe::DirectoryProbe, queries::session_queries, subject::Subject};
use crate::{
    Role,
    presence::{RoomQuery, RoomView, SessionChange, SessionQuery, SessionView},
    testing::contract::{Verdict, ensure, equal},
};

/// Two nodes, and the sessions of both.
type Crowd<D> = (DirectoryProbe<D>, DirectoryProbe<D>, Vec<SessionView>);

/// Announces sessions of two nodes, with names that a directory could confuse.
async fn crowd<S: Subject>() -> Verdict<Crowd<S::Directory>> {
    let subject = S::new();
    let one = DirectoryProbe::begun(&subject).await?;
    let other = DirectoryProbe::begun(&subject).await?;
    let sessions = |node: &DirectoryProbe<S::Directory>| {
        vec![
            node.session_in("a", Role::Customer, &["1", "10"]),
            node.session_in("a", Role::Tailor, &["1"]),
            node.session_in("A", Role::Customer, &["a_b"]),
            node.session_in("a_b", Role::Admin, &["axb"]),
            node.session_in("axb", Role::Delivery, &[]),
        ]
    };
    let ones = sessions(&one);
    let others = sessions(&other);
    one.here(&ones).await?;
    other.here(&others).await?;
    Ok((one, other, [ones, others].concat()))
}

pub(super) async fn selected<S: Subject>() -> Verdict {
    let (one, other, all) = crowd::<S>().await?;
    for query in session_queries(one.view.id, other.view.id, all[3].id) {
        let came = one.sessions(&query).await?;
        let due = query.first_of(all.clone());
        equal(format_args!("{query:?}"), came, due)?;
    }
    Ok(())
}

pub(super) async fn session_pages<S: Subject>() -> Verdict {
    let (one, _, mut due) = crowd::<S>().await?;
    due.sort_by_key(|session| session.id);
    for limit in 1..=due.len() {
        let mut query = SessionQuery {
            limit,
            ..SessionQuery::default()
        };
        let mut came = Vec::new();
        loop {
            let page = one.sessions(&query).await?;
            ensure!(
                page.len() <= limit,
                "{} sessions for a limit of {limit}",
                page.len()
            );
            let Some(last) = page.last() else { break };
            query.after = Some(last.id);
            came.extend(page);
            ensure!(
                came.len() <= due.len(),
                "pages of {limit} have {} of {}",
                came.len(),
                due.len()
            );
        }
        equal(format_args!("pages of {limit}"), &came, &due)?;
    }
    Ok(())
}

pub(super) async fn rooms<S: Subject>() -> Verdict {
    let (one, other, all) = crowd::<S>().await?;
    let in_all = |sessions: &[SessionView]| {
        let rooms = sessions.iter().flat_map(|session| session.rooms.clone());
        RoomQuery::default().first_of(rooms.map(|room| RoomView { room, sessions: 1 }))
    };
    let everywhere = RoomQuery::default();
    equal("the rooms", one.rooms(&everywhere).await?, in_all(&all))?;
    let (ones, _) = all.split_at(all.len() / 2);
    let without_other = RoomQuery {
        not_of: Some(other.view.id),
        ..RoomQuery::default()
    };
    let came = one.rooms(&without_other).await?;
    equal("the rooms of one node", came, in_all(ones))?;
    let gone = ones.iter().map(|session| SessionChange::Gone(session.id));
    one.announce(gone.collect()).await?;
    let due = in_all(&all[ones.len()..]);
    let came = one.rooms(&everywhere).await?;
    equal("the rooms of the sessions that stay", came, due)
}

pub(super) async fn room_pages<S: Subject>() -> Verdict {
    let (one, _, _) = crowd::<S>().await?;
    let due = one.rooms(&RoomQuery::default()).await?;
    for limit in 1..=due.len() {
        let mut query = RoomQuery {
            limit,
            ..RoomQuery::default()
        };
        let mut came = Vec::new();
        loop {
            let page = one.rooms(&query).await?;
            ensure!(
                page.len() <= limit,
                "{} rooms for a limit of {limit}",
                page.len()
            );
            let Some(last) = page.last() else { break };
            query.after = Some(last.room.clone());
            came.extend(page);
            ensure!(
                came.len() <= due.len(),
                "pages of {limit} have {} of {}",
                came.len(),
                due.len()
            );
        }
        equal(format_args!("pages of {limit}"), &came, &due)?;
    }
    let none = RoomQuery {
        limit: 0,
        ..RoomQuery::default()
    };
    let came = one.rooms(&none).await?;
    equal("rooms for a limit of 0", came.len(), 0)
}
