//! Checks whether this process has closed a connection, by the number of its socket in Linux's
//! tables.

use std::{fs, net::SocketAddr};

/// Returns the number of the socket with the local address `local` and the peer address `peer`.
pub(crate) fn socket_number(local: SocketAddr, peer: SocketAddr) -> u64 {
    // The table has addresses in hexadecimal, with the bytes of the host reversed: this is
    // 127.0.0.1.
    let end = |address: SocketAddr| format!("0100007F:{:04X}", address.port());
    let table = fs::read_to_string("/proc/self/net/tcp").unwrap();
    let mut rows = table
        .lines()
        .map(|row| row.split_whitespace().collect::<Vec<_>>());
    let row = rows
        .find(|row| row[1] == end(local) && row[2] == end(peer))
        .expect("the table has no such connection");
    row[9].parse().unwrap()
}

/// Returns true if this process has a descriptor of the socket.
pub(crate) fn is_open(socket_number: u64) -> bool {
    let name = format!("socket:[{socket_number}]");
    let mut open = fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(Result::ok);
    open.any(|entry| fs::read_link(entry.path()).is_ok_and(|link| link.to_string_lossy() == name))
}
