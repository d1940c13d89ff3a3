//! `metaia context show`: the context in use, and for each setting which place won.

use serde::Serialize;

use super::settings::{PlacedSetting, PlacedValue, SettingPlaces};
use crate::context::{ChosenServer, GlobalArgs, all_names};
use crate::contexts::{Choice, Names};
use crate::exit::{Exit, Failure};
use crate::printer::{Paint, Printer, Report};
use crate::terminal::one_line;

pub(super) const EXAMPLES: &str = "\
Examples:
  metaia context show                      what a command without options would use
  metaia context show --context staging -o json";

/// A setting, its value, and what this value wins over.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownSetting {
    setting: String,
    /// Null if it is not set.
    value: Option<String>,
    from: Option<String>,
    wins_over: Vec<String>,
    /// The width of the longest name.
    #[serde(skip)]
    width: usize,
}

/// The settings of a server.
#[derive(Debug, Serialize)]
struct ShownServer {
    settings: Vec<ShownSetting>,
}

impl Report for ShownServer {
    fn text(&self, paint: Paint) -> String {
        let lines: Vec<String> = self.settings.iter().map(|one| one.line(paint)).collect();
        lines.join("\n")
    }
}

impl ShownSetting {
    fn line(&self, paint: Paint) -> String {
        let missing = " ".repeat(self.width.saturating_sub(self.setting.len()));
        let name = paint.name(&one_line(&self.setting));
        let value = match &self.value {
            Some(value) => one_line(value).into_owned(),
            None => paint.dim("not set"),
        };
        let mut line = format!("{name}{missing}  {value}");
        if let Some(from) = &self.from {
            line.push_str(&paint.dim(&format!("  from {}", one_line(from))));
        }
        if !self.wins_over.is_empty() {
            let others = self.wins_over.join(", ");
            let verb = if self.from.is_some() {
                "wins over"
            } else {
                "not used:"
            };
            line.push_str(&format!("  {verb} {}", paint.warn(&one_line(&others))));
        }
        line
    }
}

impl From<PlacedSetting> for ShownSetting {
    fn from(setting: PlacedSetting) -> Self {
        let others = setting.others.into_iter();
        Self {
            setting: setting.name,
            from: setting.winner.as_ref().map(|value| value.from.clone()),
            value: setting.winner.map(|value| value.value),
            wins_over: others.map(|PlacedValue { from, .. }| from).collect(),
            width: 0,
        }
    }
}

pub(super) fn show(
    server: &ChosenServer,
    global: &GlobalArgs,
    printer: Printer,
) -> Result<Exit, Failure> {
    let names = all_names(server, global)?;
    let places = SettingPlaces::new(server, global);
    let mut settings = vec![context(server, &names, global)];
    settings.extend(places.all().into_iter().map(ShownSetting::from));
    let width = settings.iter().map(|setting| setting.setting.len()).max();
    for setting in &mut settings {
        setting.width = width.unwrap_or_default();
    }
    printer.report(&ShownServer { settings })?;
    Ok(Exit::Ok)
}

/// Returns the context in use, and those that are named and not in use.
fn context(server: &ChosenServer, names: &Names, global: &GlobalArgs) -> ShownSetting {
    let chosen = server.choice.as_ref();
    let hidden = names.hidden().into_iter();
    // With a context of the parent, the variables say the same again.
    let hidden = hidden.filter(|hidden| Some(&hidden.name) != chosen.map(|choice| &choice.name));
    let text = |choice: Choice| format!("{} ({})", choice.name, choice.by.place());
    let address = match global.url {
        Some(_) => "--url",
        None => "METAIA_URL",
    };
    let from = match chosen {
        Some(choice) => Some(choice.by.place().to_owned()),
        None if names.has_address => Some(address.to_owned()),
        None => None,
    };
    ShownSetting {
        setting: "context".to_owned(),
        value: Some(match chosen {
            Some(choice) => choice.name.to_string(),
            None => "none".to_owned(),
        }),
        from: from.filter(|_| chosen.is_some() || !names.hidden().is_empty()),
        wins_over: hidden.map(text).collect(),
        width: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_shows_its_place_and_what_it_wins_over() {
        let setting = |value: Option<&str>, from: Option<&str>, wins_over: &[&str]| ShownSetting {
            setting: "url".to_owned(),
            value: value.map(str::to_owned),
            from: from.map(str::to_owned),
            wins_over: wins_over.iter().map(|text| (*text).to_owned()).collect(),
            width: 7,
        };
        let url = setting(
            Some("http://h"),
            Some("METAIA_URL"),
            &["METAIA_URL in .env"],
        );
        let url = url.line(Paint::PLAIN);
        assert_eq!(
            url,
            "url      http://h  from METAIA_URL  wins over METAIA_URL in .env"
        );
        let unused = setting(None, None, &["METAIA_TOKEN"]).line(Paint::PLAIN);
        insta::assert_snapshot!(unused, @"url      not set  not used: METAIA_TOKEN");
    }
}
