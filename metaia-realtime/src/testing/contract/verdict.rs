//! The verdict of a check, and the assertions that end a check.

use std::fmt::{Debug, Display};

/// The result of a check, or a sentence with the observation that contradicts the promise.
pub(in crate::testing) type Verdict<T = ()> = Result<T, String>;

/// Ends the check with the sentence if the condition does not hold.
macro_rules! ensure {
    ($holds:expr, $($sentence:tt)+) => {
        if !$holds {
            return Err(format!($($sentence)+));
        }
    };
}
pub(in crate::testing) use ensure;

/// Ends the check if `came` differs from `due`.
pub(in crate::testing) fn equal<T: PartialEq + Debug>(
    what: impl Display,
    came: T,
    due: T,
) -> Verdict {
    ensure!(came == due, "{what}: {came:?}, not {due:?}");
    Ok(())
}
