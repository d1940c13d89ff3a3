//! Figures from the kernel: the server's process, its connections, and the use of the cores.

use std::fs;
use std::ops::Sub;

use metaia_tests::faults::kernel::resident_kib;
use metaia_tests::figures::{CpuTime, TICKS_PER_SECOND};

/// CPU time used so far, in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Used by the server.
    pub(crate) server: f64,
    /// Used by all processes other than the server and this one.
    pub(crate) others: f64,
}

impl Usage {
    /// Returns the times until now. `server` is the server's process id.
    pub(crate) fn now(server: u32) -> Self {
        let all = all_cores_time();
        let ours = time_of("self").total();
        let server = process_cpu_time(server);
        Self {
            server,
            others: all - ours - server,
        }
    }
}

impl Sub for Usage {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            server: self.server - before.server,
            others: self.others - before.others,
        }
    }
}

/// Returns the CPU time of all cores: `cpu user nice system idle iowait irq softirq steal …`. Time
/// that the host stole from this machine counts as used.
fn all_cores_time() -> f64 {
    let stat = fs::read_to_string("/proc/stat").expect("/proc/stat");
    let times = stat
        .lines()
        .next()
        .unwrap_or_default()
        .split_ascii_whitespace()
        .skip(1)
        .take(8);
    let times: Vec<f64> = times
        .map(|ticks| ticks.parse().expect("a number"))
        .collect();
    (times.iter().sum::<f64>() - times[3] - times[4]) / TICKS_PER_SECOND
}

/// Returns the CPU time that a process has used so far, in seconds.
pub(crate) fn process_cpu_time(pid: u32) -> f64 {
    cpu_time(pid).total()
}

/// Returns the CPU time that a process has used so far, by where it was spent.
pub(crate) fn cpu_time(pid: u32) -> CpuTime {
    time_of(&pid.to_string())
}

fn time_of(pid: &str) -> CpuTime {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process runs");
    CpuTime::from_stat(&stat).expect("user and system time")
}

/// Returns the resident memory of a process, in MiB.
pub(crate) fn resident(pid: u32) -> f64 {
    resident_kib(pid) as f64 / 1024.0
}

/// Returns the longest send queue among the connections of this local port, in KiB.
pub(crate) fn longest_send_queue(port: u16) -> f64 {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"]
        .map(|path| fs::read_to_string(path).unwrap_or_default());
    let queues = tables
        .iter()
        .flat_map(|table| table.lines())
        .filter_map(|line| send_queue(line, port));
    queues.max().unwrap_or_default() as f64 / 1024.0
}

/// Parses a line like `0: 0100007F:1388 0100007F:9C40 01 0000A000:00000000 …`: number, local and
/// remote address, state, queues.
fn send_queue(line: &str, port: u16) -> Option<u64> {
    let mut words = line.split_ascii_whitespace().skip(1);
    let (_, local) = words.next()?.rsplit_once(':')?;
    if u16::from_str_radix(local, 16) != Ok(port) || words.nth(1)? != "01" {
        return None;
    }
    u64::from_str_radix(words.next()?.split_once(':')?.0, 16).ok()
}
