//! Parts that the contract suites share: clauses, verdicts, and the runtime of a check.

mod broken;
#[cfg(test)]
mod planted;
mod run;
mod verdict;

pub use broken::Broken;
#[cfg(test)]
pub(super) use planted::{assert_caught, plant};
pub(super) use run::on_runtime;
pub(super) use verdict::{Verdict, ensure, equal};

/// Makes the enum of a suite's clauses, and the functions that run a clause's check.
macro_rules! clauses {
    (
        $(#[doc = $doc:literal])+
        enum $Clause:ident for $Subject:ident;
        $($(#[doc = $promise:literal])+ $clause:ident => $($check:ident)::+,)+
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $Clause {
            $($(#[doc = $promise])+ $clause,)+
        }

        impl $Clause {
            /// All clauses.
            pub const ALL: &[Self] = &[$(Self::$clause),+];

            /// Returns the promise, as a sentence.
            #[must_use]
            pub const fn promise(self) -> &'static str {
                match self {
                    $(Self::$clause => concat!($($promise),+).trim_ascii_start(),)+
                }
            }
        }

        async fn verdict<S: $Subject>(clause: $Clause) -> crate::testing::contract::Verdict {
            match clause {
                $($Clause::$clause => $($check)::+::<S>().await,)+
            }
        }

        /// Checks one clause.
        ///
        /// # Errors
        /// Returns [`Broken`](crate::testing::Broken) if the subject breaks the clause.
        pub fn check<S: $Subject>(clause: $Clause) -> Result<(), crate::testing::Broken> {
            let checked = crate::testing::contract::on_runtime(|| verdict::<S>(clause));
            checked.map_err(|came| crate::testing::Broken::new(clause, clause.promise(), came))
        }

        /// Checks one clause, as a test.
        ///
        /// # Panics
        /// Panics with the promise and the observation if the subject breaks the clause.
        pub fn uphold<S: $Subject>(clause: $Clause) {
            if let Err(broken) = check::<S>(clause) {
                panic!("{broken}");
            }
        }
    };
}
pub(super) use clauses;
