//! Planted defects, by which the suites themselves are tested.

use super::Broken;

/// Makes a test for each flaw: the named clause must catch it. The invoking module has a trait
/// `Plan` with the `Flaw` to plant, and the subject `Planted` with the flaw of a plan.
macro_rules! plant {
    ($($name:ident: $clause:ident catches $flaw:ident,)+) => {$(
        #[test]
        fn $name() {
            struct Here;
            impl Plan for Here {
                const FLAW: Flaw = Flaw::$flaw;
            }
            let checked = check::<Planted<Here>>(Clause::$clause);
            crate::testing::contract::assert_caught(checked);
        }
    )+};
}

pub(in crate::testing) use plant;

/// Asserts that a check found the planted defect: not by a panic, and not because it had no end.
#[track_caller]
pub(in crate::testing) fn assert_caught(checked: Result<(), Broken>) {
    let broken = checked.expect_err("the defect was not caught");
    let by_accident = ["a panic", "no end"]
        .iter()
        .any(|what| broken.came.starts_with(what));
    assert!(!by_accident, "{broken}");
}
