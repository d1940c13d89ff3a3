//! The file descriptors of the process (`ulimit -n`): raised to what the limits need, and if that
//! is not allowed, the number of connections is lowered to what fits.
//!
//! A reserve is left for everything that is no client's connection: the database, Redis, the
//! provider, the monitoring, and connections beyond the limit while they are refused. Without it a
//! client that opens connections could keep health checks from being accepted.

use metaia_realtime::Limits;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// The descriptors that are no client's connection.
const RESERVE: u64 = 1_000;

/// The reserve of a process with few descriptors, unless that is more than half of them.
const SMALL_RESERVE: u64 = 256;

/// Raises the soft limit as far as the limits need and the hard limit allows. Lowers
/// [`Limits::connections`] to what fits, and returns a notice if it had to.
///
/// If the limit of the process is not known, nothing is changed.
pub(super) fn fit(limits: &mut Limits) -> Option<String> {
    let wanted = limits.connections as u64;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    let target = hard.min(wanted.saturating_add(RESERVE));
    let is_raised = soft < target && setrlimit(Resource::RLIMIT_NOFILE, target, hard).is_ok();
    let allowed = if is_raised { target } else { soft };
    let fitting = fitting(wanted, allowed);
    if fitting == wanted {
        return None;
    }
    limits.connections = usize::try_from(fitting).unwrap_or(usize::MAX);
    Some(format!(
        "{fitting} of {wanted} connections fit into the {allowed} file descriptors of this \
         process: raise ulimit -n (LimitNOFILE in systemd, ulimits in Docker) to {}",
        wanted.saturating_add(RESERVE)
    ))
}

/// Returns how many of the wanted connections fit into this number of descriptors: at least one.
fn fitting(wanted: u64, allowed: u64) -> u64 {
    let small = SMALL_RESERVE.min(allowed / 2);
    let reserve = (allowed / 4).clamp(small, RESERVE);
    wanted.min((allowed - reserve).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(allowed: u64, expected: u64) {
        assert_eq!(fitting(120_000, allowed), expected, "{allowed}");
    }

    #[test]
    fn connections_leave_a_reserve() {
        check(1_000_000, 120_000);
        check(121_000, 120_000);
        check(120_999, 119_999);
        check(4_000, 3_000);
        check(2_048, 1_536);
        check(1_024, 768);
        check(256, 128);
        check(0, 1);
        assert_eq!(fitting(10, 1_024), 10);
    }
}
