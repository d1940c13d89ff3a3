//! Figures from the kernel: the server's process, its connections, and the use of the cores.

use std::fs;
use std::ops::Sub;

/// The unit of process times in `/proc`. Linux always uses 100 ticks per second.
const TICKS_PER_SECOND: f64 = 100.0;

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
        let ours = process_time("self");
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
    process_time(&pid.to_string())
}

/// Returns user and system time, the 14th and 15th word. The second word is a name in parentheses
/// and may contain blanks.
fn process_time(pid: &str) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process runs");
    let after_name = stat.rsplit_once(')').expect("a name").1;
    let times = after_name.split_ascii_whitespace().skip(11).take(2);
    times
        .map(|ticks| ticks.parse::<f64>().expect("a number"))
        .sum::<f64>()
        / TICKS_PER_SECOND
}

/// Returns the resident memory of a process, in MiB.
pub(crate) fn resident(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .expect("the VmRSS line");
    let kib: f64 = line
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .expect("a number");
    kib / 1024.0
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
