//! The cores on which a process may run.

/// Reads the line `Cpus_allowed_list` of `/proc/PID/status`, such as `0-3,8`. Returns no cores if
/// there is no such line, or if it is not a list of cores.
#[must_use]
pub fn allowed_cores(status: &str) -> Vec<usize> {
    let list = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    list.and_then(cores).unwrap_or_default()
}

fn cores(list: &str) -> Option<Vec<usize>> {
    let mut all = Vec::new();
    for range in list.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let first: usize = first.parse().ok()?;
        let last: usize = last.parse().ok()?;
        all.extend(first..=last);
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(list: &str, expected: &[usize]) {
        let status = format!("Name:\tserver\nCpus_allowed_list:\t{list}\nMems_allowed_list:\t0\n");
        assert_eq!(allowed_cores(&status), expected);
    }

    #[test]
    fn single_cores_and_ranges() {
        check("0", &[0]);
        check("0-1", &[0, 1]);
        check("1,4-6,9", &[1, 4, 5, 6, 9]);
    }

    #[test]
    fn what_is_not_a_list_has_no_cores() {
        check("", &[]);
        check("all", &[]);
        check("1-", &[]);
        assert_eq!(allowed_cores("Name:\tserver\n"), <Vec<usize>>::new());
    }
}
