//! Figures of a process and its connections from `/proc`.

use std::fs;

/// Returns the resident memory of a process, in KiB.
#[must_use]
pub fn resident_kib(pid: u32) -> u64 {
    status_value(pid, "VmRSS:")
        .trim_end_matches(" kB")
        .parse()
        .expect("a number")
}

/// Returns the number of threads of a process.
#[must_use]
pub fn threads(pid: u32) -> u64 {
    status_value(pid, "Threads:").parse().expect("a number")
}

/// Returns true if a signal has stopped a process, until SIGCONT.
#[must_use]
pub fn is_stopped(pid: u32) -> bool {
    status_value(pid, "State:").starts_with('T')
}

/// Returns what `/proc/PID/status` says after this name.
fn status_value(pid: u32, name: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a running process");
    let value = status.lines().find_map(|line| line.strip_prefix(name));
    value.expect("a line with this name").trim().to_owned()
}

/// Returns the number of open file descriptors of a process.
#[must_use]
pub fn descriptors(pid: u32) -> u64 {
    fs::read_dir(format!("/proc/{pid}/fd"))
        .expect("a running process")
        .count() as u64
}

/// Returns the number of bytes in the send queue of the local connection between these two ports.
#[must_use]
pub fn send_queue(from: u16, to: u16) -> Option<u64> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"]
        .map(|path| fs::read_to_string(path).unwrap_or_default());
    tables
        .iter()
        .flat_map(|table| table.lines().skip(1))
        .find_map(|line| {
            let fields: Vec<_> = line.split_whitespace().collect();
            let queues = fields.get(4)?;
            let found = port(fields[1])? == from && port(fields[2])? == to;
            if !found {
                return None;
            }
            let (send_queue, _) = queues.split_once(':')?;
            u64::from_str_radix(send_queue, 16).ok()
        })
}

/// Parses the port of an address like `0100007F:1F90`.
fn port(address: &str) -> Option<u16> {
    u16::from_str_radix(address.rsplit_once(':')?.1, 16).ok()
}
