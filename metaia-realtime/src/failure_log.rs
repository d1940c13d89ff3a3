//! Log lines about something that may fail many times in a row: the first failure is logged, and
//! the success after it.

/// Decides which failures and successes of one operation are logged. It begins with a success.
#[derive(Debug, Default)]
pub(crate) struct FailureLog {
    is_failing: bool,
}

impl FailureLog {
    /// Records a failure. Calls `log` if it is the first one after a success.
    pub(crate) fn failed(&mut self, log: impl FnOnce()) {
        let was_failing = std::mem::replace(&mut self.is_failing, true);
        if !was_failing {
            log();
        }
    }

    /// Records a success. Calls `log` if it is the first one after a failure.
    pub(crate) fn worked(&mut self, log: impl FnOnce()) {
        let was_failing = std::mem::take(&mut self.is_failing);
        if was_failing {
            log();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns which of the results are logged, by their numbers.
    fn logged(results: &[Result<(), ()>]) -> Vec<usize> {
        let mut failures = FailureLog::default();
        let mut logged = Vec::new();
        for (number, result) in results.iter().enumerate() {
            match result {
                Ok(()) => failures.worked(|| logged.push(number)),
                Err(()) => failures.failed(|| logged.push(number)),
            }
        }
        logged
    }

    #[test]
    fn the_first_failure_is_logged_and_the_first_success_after_it() {
        const WORKED: Result<(), ()> = Ok(());
        const FAILED: Result<(), ()> = Err(());
        assert!(logged(&[WORKED, WORKED]).is_empty());
        assert_eq!(logged(&[FAILED, FAILED, FAILED]), [0]);
        let two_series = [WORKED, FAILED, FAILED, WORKED, WORKED, FAILED, WORKED];
        assert_eq!(logged(&two_series), [1, 3, 5, 6]);
    }
}
