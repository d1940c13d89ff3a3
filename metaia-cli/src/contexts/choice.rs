//! The decisions: which context is in use, and where a value is taken from.
//!
//! Secrets belong to an address. If the address is that of `--url` or `METAIA_URL`, a context that
//! is only current, or that a variable or a project names, is not in use: its secrets would go to
//! another server. `--context` is a decision for this one command, so it comes before the
//! environment, whose secrets would otherwise go to the server of the context.

use super::name::ContextName;

/// The place that names the context in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChosenBy {
    /// `--context`.
    Option,
    /// `METAIA_CONTEXT`.
    Environment,
    /// `METAIA_CONTEXT` in `.env`.
    DotEnv,
    /// `metaia.toml`.
    Project,
    /// `current` of `contexts.toml`.
    Current,
}

impl ChosenBy {
    /// Returns the place, as it completes "named by".
    pub(crate) fn place(self) -> &'static str {
        match self {
            Self::Option => "--context",
            Self::Environment => "METAIA_CONTEXT",
            Self::DotEnv => "METAIA_CONTEXT in .env",
            Self::Project => "metaia.toml",
            Self::Current => "`current` of contexts.toml",
        }
    }
}

/// A context, and the place that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) name: ContextName,
    pub(crate) by: ChosenBy,
}

/// Everything that names a context or an address.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    pub(crate) option: Option<ContextName>,
    pub(crate) environment: Option<ContextName>,
    pub(crate) dotenv: Option<ContextName>,
    pub(crate) project: Option<ContextName>,
    pub(crate) current: Option<ContextName>,
    /// True if `--url` or `METAIA_URL` names the server.
    pub(crate) has_address: bool,
}

impl Names {
    /// Returns true if the files that may name a context decide nothing.
    pub(crate) fn need_no_file(&self) -> bool {
        self.has_address || self.option.is_some()
    }

    /// Returns the context in use.
    pub(crate) fn choose(&self) -> Option<Choice> {
        let first = self.all().into_iter().next()?;
        (first.by == ChosenBy::Option || !self.has_address).then_some(first)
    }

    /// Returns the contexts that are named and not in use.
    pub(crate) fn hidden(&self) -> Vec<Choice> {
        let used = usize::from(self.choose().is_some());
        self.all().into_iter().skip(used).collect()
    }

    /// Returns all of them, the one that wins first.
    fn all(&self) -> Vec<Choice> {
        let named = [
            (&self.option, ChosenBy::Option),
            (&self.environment, ChosenBy::Environment),
            (&self.dotenv, ChosenBy::DotEnv),
            (&self.project, ChosenBy::Project),
            (&self.current, ChosenBy::Current),
        ];
        let named = named
            .into_iter()
            .filter_map(|(name, by)| Some((name.clone()?, by)));
        named.map(|(name, by)| Choice { name, by }).collect()
    }
}

/// A place of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValuePlace {
    /// An option of the command line.
    Option,
    Environment,
    Context,
    DotEnv,
    Default,
}

/// Returns the places in which an address or a secret is looked for, the first one first, if the
/// context in use is named by this.
pub(crate) fn places(by: Option<ChosenBy>) -> &'static [ValuePlace] {
    match by {
        Some(ChosenBy::Option) => &[ValuePlace::Option, ValuePlace::Context],
        Some(_) => &[
            ValuePlace::Option,
            ValuePlace::Environment,
            ValuePlace::Context,
        ],
        None => &[
            ValuePlace::Option,
            ValuePlace::Environment,
            ValuePlace::DotEnv,
            ValuePlace::Default,
        ],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The places that have a value.
    type Having = Vec<ValuePlace>;

    fn name(text: &str) -> Option<ContextName> {
        Some(text.parse().unwrap())
    }

    fn winner(choice: Option<&Choice>, having: &Having) -> Option<ValuePlace> {
        let places = places(choice.map(|choice| choice.by));
        places.iter().copied().find(|place| having.contains(place))
    }

    fn names() -> impl Strategy<Value = Names> {
        let one = || proptest::option::of("[a-c]".prop_map(|text| text.parse().unwrap()));
        let five = (one(), one(), one(), one(), one(), any::<bool>());
        five.prop_map(
            |(option, environment, dotenv, project, current, has_address)| Names {
                option,
                environment,
                dotenv,
                project,
                current,
                has_address,
            },
        )
    }

    /// Places with values. A context has an address, and there is always the default one.
    fn having() -> impl Strategy<Value = Having> {
        let all = vec![
            ValuePlace::Option,
            ValuePlace::Environment,
            ValuePlace::Context,
            ValuePlace::DotEnv,
            ValuePlace::Default,
        ];
        proptest::sample::subsequence(all, 0..=5)
    }

    #[test]
    fn the_nearest_place_names_the_context() {
        let mut names = Names {
            option: name("a"),
            environment: name("b"),
            dotenv: name("c"),
            project: name("d"),
            current: name("e"),
            has_address: false,
        };
        let chosen = |names: &Names| names.choose().map(|choice| choice.name.to_string());
        assert_eq!(chosen(&names).unwrap(), "a");
        names.option = None;
        assert_eq!(chosen(&names).unwrap(), "b");
        names.environment = None;
        assert_eq!(chosen(&names).unwrap(), "c");
        names.dotenv = None;
        assert_eq!(chosen(&names).unwrap(), "d");
        names.project = None;
        assert_eq!(chosen(&names).unwrap(), "e");
        names.current = None;
        assert_eq!(chosen(&names), None);
    }

    #[test]
    fn an_address_puts_all_contexts_out_of_use_but_that_of_the_option() {
        let mut names = Names {
            environment: name("b"),
            current: name("e"),
            has_address: true,
            ..Names::default()
        };
        assert_eq!(names.choose(), None);
        assert_eq!(names.hidden().len(), 2);
        names.option = name("a");
        assert_eq!(names.choose().unwrap().by, ChosenBy::Option);
        assert_eq!(names.hidden().len(), 2);
    }

    proptest! {
        /// Whatever is set where: a secret of a context goes to the address of the context, or the
        /// option says that this context is meant.
        #[test]
        fn a_secret_of_a_context_goes_to_its_own_address(
            names in names(),
            mut addresses in having(),
            secrets in having(),
        ) {
            addresses.retain(|place| match place {
                ValuePlace::Option | ValuePlace::Environment => names.has_address,
                _ => false,
            });
            addresses.extend([ValuePlace::Context, ValuePlace::Default]);
            let choice = names.choose();
            let secret = winner(choice.as_ref(), &secrets);
            let address = winner(choice.as_ref(), &addresses);
            if secret == Some(ValuePlace::Context) {
                let by = choice.unwrap().by;
                prop_assert!(address == Some(ValuePlace::Context) || by == ChosenBy::Option);
            }
        }

        /// A secret of the environment was set for another server than that of `--context`, and one
        /// of `.env` is for the server of this folder.
        #[test]
        fn a_secret_of_another_place_does_not_go_to_the_address_of_a_context(
            names in names(),
            secrets in having(),
        ) {
            let Some(choice) = names.choose() else {
                return Ok(());
            };
            let secret = winner(Some(&choice), &secrets);
            prop_assert_ne!(secret, Some(ValuePlace::DotEnv));
            prop_assert_ne!(secret, Some(ValuePlace::Default));
            if choice.by == ChosenBy::Option {
                prop_assert_ne!(secret, Some(ValuePlace::Environment));
            }
        }

        #[test]
        fn each_named_context_is_in_use_or_hidden(names in names()) {
            let used = usize::from(names.choose().is_some());
            prop_assert_eq!(used + names.hidden().len(), names.all().len());
        }
    }
}
