//! The values of all settings, with their places: the one that wins, and those that it wins over.

use std::path::Path;

use metaia_realtime::Role;

use crate::address::Address;
use crate::bounded_file::{ByteLimit, text_of_file};
use crate::context::{ChosenServer, GlobalArgs};
use crate::contexts::{Secret, ServerContext, ValuePlace, places, shown_path};

/// The roles that a context may have tokens of.
const ROLES: [Role; 4] = [Role::Customer, Role::Admin, Role::Tailor, Role::Delivery];

/// A value that a place has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlacedValue {
    pub(super) place: ValuePlace,
    /// The value; of a secret, only that it is set.
    pub(super) value: String,
    /// The place for people, such as `METAIA_URL`.
    pub(super) from: String,
}

/// A setting, with all its values.
#[derive(Debug)]
pub(super) struct PlacedSetting {
    pub(super) name: String,
    pub(super) winner: Option<PlacedValue>,
    pub(super) others: Vec<PlacedValue>,
}

impl PlacedSetting {
    /// Finds the value that wins, in the order of the places.
    fn new(name: &str, order: &[ValuePlace], values: Vec<Option<PlacedValue>>) -> Self {
        let mut others: Vec<PlacedValue> = values.into_iter().flatten().collect();
        let wins = |place: &ValuePlace| others.iter().position(|value| value.place == *place);
        let winner = order.iter().find_map(wins);
        Self {
            name: name.to_owned(),
            winner: winner.map(|index| others.remove(index)),
            others,
        }
    }
}

/// The places of one server.
pub(super) struct SettingPlaces<'a> {
    server: &'a ChosenServer,
    global: &'a GlobalArgs,
    context: Option<&'a ServerContext>,
    order: &'static [ValuePlace],
}

impl<'a> SettingPlaces<'a> {
    pub(super) fn new(server: &'a ChosenServer, global: &'a GlobalArgs) -> Self {
        Self {
            server,
            global,
            context: server.settings.context(),
            order: places(server.settings.chosen_by()),
        }
    }

    /// Returns all settings but the context itself.
    pub(super) fn all(&self) -> Vec<PlacedSetting> {
        let network = &self.global.network;
        let cacert = network.cacert.as_deref();
        let cacert = cacert.map(|path| option(&path.display().to_string(), "--cacert"));
        let insecure = network.insecure.then(|| option("yes", "--insecure"));
        let mut all = vec![
            self.url(),
            self.data(),
            self.setting(
                "origin",
                network
                    .origin
                    .as_deref()
                    .map(|origin| option(origin, "--origin")),
                self.plain(|context| context.origin.clone()),
            ),
            self.secret("api_key", "METAIA_API_KEY", None),
            self.secret("jwt_secret", "JWT_SECRET", self.secret_file("jwt-secret")),
            self.secret(
                "razorpay_key_secret",
                "RAZORPAY_KEY_SECRET",
                self.secret_file("razorpay-secret"),
            ),
            self.secret("razorpay_webhook_secret", "RAZORPAY_WEBHOOK_SECRET", None),
            self.token(),
        ];
        all.extend(ROLES.iter().filter_map(|role| self.role_token(*role)));
        // Both say whom to trust, so one option replaces both members.
        let is_trust_given = cacert.is_some() || insecure.is_some();
        let of_context = self.context.filter(|_| !is_trust_given);
        let path = of_context.and_then(|context| context.cacert.as_deref());
        let path = path.map(shown_path);
        let trusts_all = of_context.is_some_and(|context| context.insecure);
        let trusts_all = trusts_all.then(|| "yes".to_owned());
        all.push(self.setting("cacert", cacert, self.plain(|_| path.clone())));
        all.push(self.setting("insecure", insecure, self.plain(|_| trusts_all.clone())));
        all.extend(self.headers());
        all.push(self.setting("protected", None, self.plain(protected)));
        all
    }

    fn url(&self) -> PlacedSetting {
        let shown = |url: &str| {
            let flag = Some(url.to_owned());
            Address::find(flag, &crate::secrets::Settings::default()).shown()
        };
        let url = self.server.url.as_deref();
        let mut values = vec![
            url.map(|url| option(&shown(url), "--url")),
            self.plain(|context| Some(context.url.clone())),
        ];
        values.extend(self.variables("METAIA_URL", shown));
        values.push(Some(PlacedValue {
            place: ValuePlace::Default,
            value: "http://localhost:5000".to_owned(),
            from: "the default".to_owned(),
        }));
        PlacedSetting::new("url", self.order, values).without_default()
    }

    fn data(&self) -> PlacedSetting {
        let folder = self.plain(|context| {
            let path = context.data.as_deref()?;
            Some(shown_path(path))
        });
        let mut values = vec![folder];
        values.extend(self.variables("METAIA_DATA", str::to_owned));
        values.push(Some(PlacedValue {
            place: ValuePlace::Default,
            value: "./metaia-data".to_owned(),
            from: "the default".to_owned(),
        }));
        PlacedSetting::new("data", self.order, values).without_default()
    }

    fn token(&self) -> PlacedSetting {
        let token = self
            .global
            .token
            .is_some()
            .then(|| option("set", "--token"));
        let file = self.global.token_file.is_some();
        let file = file.then(|| option("set", "--token-file"));
        let mut values = vec![token, file, self.reference("token")];
        values.extend(self.variables("METAIA_TOKEN", set));
        PlacedSetting::new("token", self.order, values)
    }

    fn role_token(&self, role: Role) -> Option<PlacedSetting> {
        let name = format!("tokens.{role}");
        let value = self.reference(&name)?;
        Some(PlacedSetting::new(&name, self.order, vec![Some(value)]))
    }

    fn headers(&self) -> Vec<PlacedSetting> {
        let given = self.global.network.headers.iter();
        let given: Vec<String> = given.map(|(name, _)| name.to_string()).collect();
        let context = self.context.map(|context| context.headers.as_slice());
        let of_context = context.unwrap_or_default().iter();
        let mut names: Vec<String> = given.clone();
        names.extend(of_context.map(|(name, _)| name.to_string()));
        names.sort();
        names.dedup();
        let setting = |name: &String| {
            let option = given.contains(name).then(|| option("set", "--header"));
            let context = self.plain(|context| {
                let mut headers = context.headers.iter();
                headers
                    .find(|(of, _)| of.as_str() == name)
                    .map(|_| "set".to_owned())
            });
            self.setting(&format!("headers.{name}"), option, context)
        };
        names.iter().map(setting).collect()
    }

    /// Returns a setting that only an option and a context may have.
    fn setting(
        &self,
        name: &str,
        option: Option<PlacedValue>,
        context: Option<PlacedValue>,
    ) -> PlacedSetting {
        PlacedSetting::new(name, self.order, vec![option, context])
    }

    /// Returns a secret of a variable, the context, or a file in the data folder.
    fn secret(&self, member: &str, variable: &str, file: Option<PlacedValue>) -> PlacedSetting {
        let mut values = vec![self.reference(member)];
        values.extend(self.variables(variable, set));
        let mut setting = PlacedSetting::new(member, self.order, values);
        if setting.winner.is_none() {
            setting.winner = file;
        }
        setting
    }

    /// Returns the secret that a server has written into its data folder.
    fn secret_file(&self, name: &str) -> Option<PlacedValue> {
        let path = self.server.settings.data_folder()?.join(name);
        is_secret(&path).then(|| PlacedValue {
            place: ValuePlace::Default,
            value: format!("set, by file {}", shown_path(&path)),
            from: "the data folder".to_owned(),
        })
    }

    fn variables(&self, name: &str, shown: impl Fn(&str) -> String) -> Vec<Option<PlacedValue>> {
        let places = [
            (ValuePlace::Environment, name.to_owned()),
            (ValuePlace::DotEnv, format!("{name} in .env")),
        ];
        let value = |(place, from): (ValuePlace, String)| {
            let value = self.server.settings.value_in(place, name)?;
            Some(PlacedValue {
                place,
                value: shown(&value),
                from,
            })
        };
        places.into_iter().map(value).collect()
    }

    fn plain(&self, value: impl Fn(&ServerContext) -> Option<String>) -> Option<PlacedValue> {
        let context = self.context?;
        Some(PlacedValue {
            place: ValuePlace::Context,
            value: value(context)?,
            from: format!("the context {}", context.name),
        })
    }

    fn reference(&self, member: &str) -> Option<PlacedValue> {
        self.plain(|context| {
            let secrets = context.secrets();
            let (_, secret) = secrets.into_iter().find(|(name, _)| name == member)?;
            Some(by(secret))
        })
    }
}

impl PlacedSetting {
    /// Leaves out that a value wins over the default: every value does.
    fn without_default(mut self) -> Self {
        self.others
            .retain(|value| value.place != ValuePlace::Default);
        self
    }
}

/// Says by what a secret is set. It is not read.
pub(super) fn by(secret: &Secret) -> String {
    format!("set, by {}", secret.source())
}

fn set(_: &str) -> String {
    "set".to_owned()
}

fn option(value: &str, name: &str) -> PlacedValue {
    PlacedValue {
        place: ValuePlace::Option,
        value: value.to_owned(),
        from: name.to_owned(),
    }
}

fn protected(context: &ServerContext) -> Option<String> {
    let protected = if context.protected { "yes" } else { "no" };
    Some(protected.to_owned())
}

fn is_secret(path: &Path) -> bool {
    let text = text_of_file(path, ByteLimit::SECRET);
    text.is_ok_and(|text| !text.trim().is_empty())
}
