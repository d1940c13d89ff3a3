//! Queries and pages.

use super::{
    Subject,
    probe::{Probe, text},
};
use crate::{
    Role, Room, SessionId,
    presence::{Directory, RoomQuery, RoomView, SessionChange, SessionQuery, SessionView},
    testing::contract::{Verdict, ensure, equal},
};

/// Two nodes, and their sessions: of names that a directory could take for each other.
async fn crowd<S: Subject>() -> Verdict<(Probe<S::Directory>, Probe<S::Directory>, Vec<SessionView>)>
{
    let subject = S::new();
    let (one, other) = (Probe::begun(&subject).await?, Probe::begun(&subject).await?);
    let sessions = |node: &Probe<S::Directory>| {
        vec![
            node.session_in("a", Role::Customer, &["1", "10"]),
            node.session_in("a", Role::Tailor, &["1"]),
            node.session_in("A", Role::Customer, &["a_b"]),
            node.session_in("a_b", Role::Admin, &["axb"]),
            node.session_in("axb", Role::Delivery, &[]),
        ]
    };
    let (ones, others) = (sessions(&one), sessions(&other));
    one.here(&ones).await?;
    other.here(&others).await?;
    Ok((one, other, [ones, others].concat()))
}

pub(super) async fn selected<S: Subject>() -> Verdict {
    let (one, other, all) = crowd::<S>().await?;
    let users = |ids: &[&str]| ids.iter().map(|id| text(id)).collect();
    let of = |change: fn(&mut SessionQuery)| {
        let mut query = SessionQuery::default();
        change(&mut query);
        query
    };
    let queries = [
        SessionQuery {
            id: Some(all[3].id),
            ..SessionQuery::default()
        },
        SessionQuery {
            id: Some(SessionId::random()),
            ..SessionQuery::default()
        },
        SessionQuery {
            id: Some(all[3].id),
            role: Some(Role::Customer),
            ..SessionQuery::default()
        },
        SessionQuery {
            users: users(&["a"]),
            ..SessionQuery::default()
        },
        SessionQuery {
            users: users(&["a_b", "A", "nobody"]),
            ..SessionQuery::default()
        },
        SessionQuery {
            users: users(&["a"]),
            not_of: Some(one.view.id),
            ..SessionQuery::default()
        },
        SessionQuery {
            not_of: Some(other.view.id),
            ..SessionQuery::default()
        },
        SessionQuery {
            room: Some(Room::Order(text("1"))),
            role: Some(Role::Tailor),
            ..SessionQuery::default()
        },
        SessionQuery {
            room: Some(Room::User(text("axb"))),
            ..SessionQuery::default()
        },
        of(|query| query.role = Some(Role::Customer)),
        of(|query| query.room = Some(Room::Everyone)),
        of(|query| query.room = Some(Room::Role(Role::Admin))),
        of(|query| query.limit = 0),
        of(|query| query.limit = usize::MAX),
    ];
    for query in queries {
        equal(
            format_args!("{query:?}"),
            one.sessions(&query).await?,
            query.first_of(all.clone()),
        )?;
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
                "{} sessions where {limit} were asked for",
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
    equal(
        "the rooms",
        rooms_of(&one, RoomQuery::default()).await?,
        in_all(&all),
    )?;
    let (ones, _) = all.split_at(all.len() / 2);
    let but_others = RoomQuery {
        not_of: Some(other.view.id),
        ..RoomQuery::default()
    };
    equal(
        "the rooms of one node",
        rooms_of(&one, but_others).await?,
        in_all(ones),
    )?;
    one.announce(
        ones.iter()
            .map(|session| SessionChange::Gone(session.id))
            .collect(),
    )
    .await?;
    equal(
        "the rooms of those who stay",
        rooms_of(&one, RoomQuery::default()).await?,
        in_all(&all[ones.len()..]),
    )
}

async fn rooms_of<D: Directory>(probe: &Probe<D>, query: RoomQuery) -> Verdict<Vec<RoomView>> {
    probe.rooms(&query).await
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
                "{} rooms where {limit} were asked for",
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
    equal(
        "rooms where none are asked for",
        one.rooms(&RoomQuery {
            limit: 0,
            ..RoomQuery::default()
        })
        .await?
        .len(),
        0,
    )
}
