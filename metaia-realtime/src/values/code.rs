//! Enums whose values have stable codes, which stand in logs, metrics and answers.

/// An enum whose values have stable codes.
pub(crate) trait Code: Copy + PartialEq + 'static {
    /// All values.
    const ALL: &'static [Self];

    /// Returns the stable code.
    fn code(self) -> &'static str;
}

/// Makes an enum whose values have stable codes. A value that is added is also in `ALL`, and so in
/// every count by code.
macro_rules! codes {
    (
        $(#[$meta:meta])*
        $vis:vis enum $Name:ident {
            $($(#[$value_meta:meta])* $Value:ident = $code:literal,)+
        }
    ) => {
        $(#[$meta])*
        $vis enum $Name {
            $($(#[$value_meta])* $Value,)+
        }

        impl $Name {
            /// All values.
            $vis const ALL: &'static [Self] = &[$(Self::$Value),+];

            /// Returns the stable code.
            #[must_use]
            $vis const fn code(self) -> &'static str {
                match self {
                    $(Self::$Value => $code,)+
                }
            }
        }

        impl $crate::values::Code for $Name {
            const ALL: &'static [Self] = $Name::ALL;

            fn code(self) -> &'static str {
                $Name::code(self)
            }
        }
    };
}
pub(crate) use codes;
