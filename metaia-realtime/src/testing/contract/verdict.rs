//! What a check answers, and the ways to get there.

use std::fmt::{Debug, Display};

/// What was found, or the sentence that says what came instead of what was promised.
pub(in crate::testing) type Verdict<T = ()> = Result<T, String>;

/// Ends the check with the sentence unless the condition holds.
macro_rules! ensure {
    ($holds:expr, $($sentence:tt)+) => {
        if !$holds {
            return Err(format!($($sentence)+));
        }
    };
}
pub(in crate::testing) use ensure;

/// Ends the check unless what came is what was due.
pub(in crate::testing) fn equal<T: PartialEq + Debug>(
    what: impl Display,
    came: T,
    due: T,
) -> Verdict {
    ensure!(came == due, "{what}: {came:?}, not {due:?}");
    Ok(())
}
