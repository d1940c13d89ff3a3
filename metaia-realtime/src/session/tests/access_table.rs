//! The table of access, `docs/access.md`, has a row of each event and of each room, and of nothing
//! else. What the rows say is tested against real servers.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use crate::{
    Role, Room,
    session::event_names::{ClientEvent, SystemEvent},
};

const PAGE: &str = include_str!("../../../../docs/access.md");
const MARKETPLACE: &str = include_str!("../../event/marketplace.rs");

/// Returns the first cells of the table below a heading.
fn named_in(heading: &str) -> BTreeSet<&'static str> {
    let (_, section) = PAGE.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| Some(row.split_once('`')?.0))
        .collect()
}

#[test]
fn each_event_of_clients_has_its_rows() {
    let handled = ClientEvent::ALL.iter().map(|event| event.code());
    let expected: BTreeSet<_> = handled.chain(["connect"]).collect();
    assert_eq!(named_in("Events of clients"), expected);
}

/// Returns the names of the marketplace's events. They are read from the source: a type that is
/// added cannot be forgotten here.
fn marketplace() -> impl Iterator<Item = &'static str> {
    let behind = MARKETPLACE.split("const NAME: &'static str = \"").skip(1);
    behind.map(|text| text.split('"').next().unwrap())
}

#[test]
fn each_event_of_the_server_has_its_rows() {
    assert_eq!(
        MARKETPLACE.matches("impl Event for ").count(),
        marketplace().count()
    );
    let of_sessions = SystemEvent::ALL.iter().map(|event| event.code());
    let expected: BTreeSet<_> = of_sessions.chain(marketplace()).collect();
    assert_eq!(named_in("Events of the server"), expected);
}

/// Returns the name of a kind of room in the table. A kind that is added does not compile here.
const fn kind(room: &Room) -> &'static str {
    match room {
        Room::Everyone => "Everyone",
        Room::Role(_) => "Role",
        Room::User(_) => "User",
        Room::Order(_) => "Order",
    }
}

#[test]
fn each_kind_of_room_has_its_rows() {
    let rooms = [
        Room::Everyone,
        Room::Role(Role::Admin),
        Room::User("u1".parse().unwrap()),
        Room::Order("o1".parse().unwrap()),
    ];
    assert_eq!(named_in("Rooms"), rooms.iter().map(kind).collect());
    for role in Role::ALL {
        let room = Room::Role(role);
        assert!(PAGE.contains(&format!("| `Role` | `{room}` |")), "{room}");
    }
}

/// The folders whose files could send an event.
const SENDERS: [&str; 6] = ["api", "device", "node", "presence", "session", "transport"];

/// Returns the sources below a folder, without their tests.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap().to_owned();
            found.push((path, code));
        }
    }
    found.retain(|(path, _)| !path.components().any(|part| part.as_os_str() == "tests"));
    found
}

/// An event that is named elsewhere would have no row in the table, and no test would fail.
#[test]
fn events_of_sessions_are_named_in_one_file() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = SENDERS.iter().flat_map(|folder| sources(&src.join(folder)));
    let names_one = |code: &str| {
        let mut behind = code.split("\"rt:").skip(1);
        behind.any(|text| text.starts_with(|first: char| first.is_ascii_lowercase()))
    };
    let naming: Vec<PathBuf> = files
        .filter(|(_, code)| names_one(code))
        .map(|(path, _)| path.strip_prefix(&src).unwrap().to_owned())
        .collect();
    assert_eq!(naming, [Path::new("session/event_names.rs")]);
}
