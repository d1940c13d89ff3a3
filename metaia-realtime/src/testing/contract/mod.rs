//! What the contract suites have in common: clauses, verdicts, and how a check is run.

mod broken;
mod run;
mod verdict;

pub use broken::Broken;
pub(super) use run::on_runtime;
pub(super) use verdict::{Verdict, ensure, equal};

/// Makes the enum of a suite's clauses, and the way from a clause to its check.
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
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$clause),+];

            /// What is promised, as a sentence.
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

        /// Puts the subject to one clause.
        ///
        /// # Errors
        /// Where it does not keep it.
        pub fn check<S: $Subject>(clause: $Clause) -> Result<(), crate::testing::Broken> {
            let checked = crate::testing::contract::on_runtime(|| verdict::<S>(clause));
            checked.map_err(|came| crate::testing::Broken::new(clause, clause.promise(), came))
        }

        /// Puts the subject to one clause, as a test.
        ///
        /// # Panics
        /// With what was promised and what came, where the subject does not keep it.
        pub fn uphold<S: $Subject>(clause: $Clause) {
            if let Err(broken) = check::<S>(clause) {
                panic!("{broken}");
            }
        }
    };
}
pub(super) use clauses;
