//! The key by which a client is recognised, and its text, which stores keep.

use std::{fmt, str::FromStr, sync::Arc};

use crate::{
    Identity, UserId,
    values::{DeviceId, InvalidId},
};

/// The longest token id by which a client is recognised, in bytes.
const MAX_TOKEN_ID_BYTES: usize = 256;

/// The words of the text, between the user and the id.
const DEVICE: &str = "device";
const TOKEN: &str = "token";

/// The key by which a client is recognised. It always includes the user, so that no client resumes
/// another user's events.
///
/// Its text (`Display`, `FromStr`) is for stores: `u1 device phone-1` or `u1 token 5f0c…`. Logs do
/// not show the id of a device or a token, so `Debug` leaves it out.
///
/// ```
/// use metaia_realtime::device::DeviceKey;
///
/// let key: DeviceKey = "u1 device phone-1".parse()?;
/// assert_eq!(key.to_string(), "u1 device phone-1");
/// assert_eq!(key.user().as_str(), "u1");
/// # Ok::<(), metaia_realtime::device::InvalidDeviceKey>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum DeviceKey {
    /// A device, which several clients may share: for instance the tabs of one browser.
    Device {
        /// The user.
        user: UserId,
        /// The id that the client sent as `auth.device`.
        device: DeviceId,
    },
    /// A token, which several clients may share.
    Token {
        /// The user.
        user: UserId,
        /// The token's `jti`.
        id: TokenId,
    },
}

impl DeviceKey {
    /// Returns the key of a connection: by its device, otherwise by the id of its token. `None` if
    /// it has neither a device nor a token id of 1 to 256 bytes.
    ///
    /// ```
    /// use metaia_realtime::{Identity, Role, device::DeviceKey};
    ///
    /// let identity = Identity::new("u1".parse()?, Role::Customer);
    /// let phone = "phone-1".parse()?;
    /// let key = DeviceKey::new(&identity, Some(&phone));
    /// assert_eq!(key.unwrap().to_string(), "u1 device phone-1");
    /// assert_eq!(DeviceKey::new(&identity, None), None);
    /// # Ok::<(), metaia_realtime::values::InvalidId>(())
    /// ```
    #[must_use]
    pub fn new(identity: &Identity, device: Option<&DeviceId>) -> Option<Self> {
        let user = identity.user.clone();
        if let Some(device) = device {
            let device = device.clone();
            return Some(Self::Device { user, device });
        }
        let id = identity.token_id.as_deref()?.parse().ok()?;
        Some(Self::Token { user, id })
    }

    /// Returns the user's id.
    #[must_use]
    pub const fn user(&self) -> &UserId {
        match self {
            Self::Device { user, .. } | Self::Token { user, .. } => user,
        }
    }

    /// Returns two texts between which, in the order of texts, are the texts of all keys of a user
    /// and no others: a user's id has no space, and a space sorts before every character that an id
    /// may have, and just before `!`.
    #[cfg(feature = "sqlite")]
    pub(crate) fn text_range_of_user(user: &UserId) -> std::ops::Range<String> {
        format!("{user} ")..format!("{user}!")
    }
}

impl fmt::Display for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device { user, device } => write!(f, "{user} {DEVICE} {device}"),
            Self::Token { user, id } => write!(f, "{user} {TOKEN} {}", id.as_str()),
        }
    }
}

impl FromStr for DeviceKey {
    type Err = InvalidDeviceKey;

    fn from_str(text: &str) -> Result<Self, InvalidDeviceKey> {
        let (user, rest) = text.split_once(' ').ok_or(InvalidDeviceKey)?;
        let (kind, id) = rest.split_once(' ').ok_or(InvalidDeviceKey)?;
        let user = user.parse()?;
        match kind {
            DEVICE => Ok(Self::Device {
                user,
                device: id.parse()?,
            }),
            TOKEN => Ok(Self::Token {
                user,
                id: id.parse()?,
            }),
            _ => Err(InvalidDeviceKey),
        }
    }
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceKey({}…)", self.user())
    }
}

/// Error for a text that is not the text of a [`DeviceKey`], or not a [`TokenId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the key of a device or a token")]
pub struct InvalidDeviceKey;

impl From<InvalidId> for InvalidDeviceKey {
    fn from(_: InvalidId) -> Self {
        Self
    }
}

/// The id of a token by which a client is recognised: any text of 1 to 256 bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TokenId(Arc<str>);

impl TokenId {
    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TokenId {
    type Err = InvalidDeviceKey;

    fn from_str(text: &str) -> Result<Self, InvalidDeviceKey> {
        if (1..=MAX_TOKEN_ID_BYTES).contains(&text.len()) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidDeviceKey)
        }
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenId(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Role;
    use proptest::prelude::*;

    fn key(user: &str, device: Option<&str>, token: Option<&str>) -> Option<DeviceKey> {
        let mut identity = Identity::new(user.parse().unwrap(), Role::Customer);
        identity.token_id = token.map(str::to_owned);
        let device = device.map(|id| id.parse().unwrap());
        DeviceKey::new(&identity, device.as_ref())
    }

    #[track_caller]
    fn check(key: Option<DeviceKey>, text: &str) {
        let key = key.unwrap();
        assert_eq!(key.to_string(), text);
        assert_eq!(text.parse(), Ok(key));
    }

    /// Stores keep these texts: they never change.
    #[test]
    fn the_texts_of_keys_stay_the_same() {
        check(key("u1", Some("phone-1"), None), "u1 device phone-1");
        check(key("u1", Some("token"), Some("t")), "u1 device token");
        check(key("u1", None, Some("5f0c-1")), "u1 token 5f0c-1");
        check(key("U_-1", None, Some("device a")), "U_-1 token device a");
        check(key("u", None, Some("  ä\0\n")), "u token   ä\0\n");
    }

    #[test]
    fn only_a_token_id_of_1_to_256_bytes_makes_a_key() {
        let longest = "x".repeat(256);
        assert_eq!(key("u", None, None), None);
        assert_eq!(key("u", None, Some("")), None);
        assert!(key("u", None, Some(&longest)).is_some());
        assert_eq!(key("u", None, Some(&format!("{longest}x"))), None);
    }

    #[test]
    fn other_texts_are_not_keys() {
        for text in [
            "",
            "u1",
            "u1 device",
            "u1 device ",
            "u1 device a b",
            "u1 token ",
            "u1 tokens t",
            " device d",
            "u 1 device d",
            "u1  device d",
            "u1 Device d",
        ] {
            assert_eq!(text.parse::<DeviceKey>(), Err(InvalidDeviceKey), "{text:?}");
        }
    }

    #[test]
    fn what_is_logged_names_the_user_alone() {
        let token = key("u1", None, Some("secret")).unwrap();
        let device = key("u1", Some("secret"), None).unwrap();
        for key in [token, device] {
            assert_eq!(format!("{key:?}"), "DeviceKey(u1…)");
        }
    }

    fn any_key() -> impl Strategy<Value = DeviceKey> {
        let id = "[A-Za-z0-9_-]{1,64}";
        let device = (id, id).prop_map(|(user, device)| key(&user, Some(&device), None));
        let token = (id, ".{1,60}").prop_map(|(user, token)| key(&user, None, Some(&token)));
        prop_oneof![device, token].prop_map(Option::unwrap)
    }

    proptest! {
        #[test]
        fn a_key_reads_back_from_its_text(key in any_key()) {
            prop_assert_eq!(key.to_string().parse(), Ok(key));
        }

        #[test]
        fn any_text_is_a_key_or_an_error(text in "([a-z]{0,2} ?){0,2}(device|token)? ?.{0,8}") {
            if let Ok(key) = text.parse::<DeviceKey>() {
                prop_assert_eq!(key.to_string(), text);
            }
        }

        #[cfg(feature = "sqlite")]
        #[test]
        fn the_range_of_a_user_has_all_its_keys_and_no_others(
            key in any_key(),
            other in "[A-Za-z0-9_-]{1,3}",
            longer in "[A-Za-z0-9_-]",
        ) {
            let text = key.to_string();
            prop_assert!(DeviceKey::text_range_of_user(key.user()).contains(&text));
            for user in [other, format!("{}{longer}", key.user())] {
                let Ok(user) = user.parse::<UserId>() else {
                    continue;
                };
                if user != *key.user() {
                    prop_assert!(!DeviceKey::text_range_of_user(&user).contains(&text));
                }
            }
        }
    }
}
