//! Whether this process has let go of a connection: by its socket's number, in Linux's tables.

use std::{fs, net::SocketAddr};

/// The number of the socket at `here` whose peer is at `there`.
pub(crate) fn of(here: SocketAddr, there: SocketAddr) -> u64 {
    let end = |address: SocketAddr| format!("0100007F:{:04X}", address.port());
    let table = fs::read_to_string("/proc/self/net/tcp").unwrap();
    let mut rows = table
        .lines()
        .map(|row| row.split_whitespace().collect::<Vec<_>>());
    let row = rows
        .find(|row| row[1] == end(here) && row[2] == end(there))
        .expect("no such connection");
    row[9].parse().unwrap()
}

pub(crate) fn is_open(socket: u64) -> bool {
    let name = format!("socket:[{socket}]");
    let mut open = fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(Result::ok);
    open.any(|entry| fs::read_link(entry.path()).is_ok_and(|link| link.to_string_lossy() == name))
}
