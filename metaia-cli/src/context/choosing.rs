//! Finds the context in use, with the options, the environment and the files.

use super::options::GlobalArgs;
use crate::contexts::{
    CONTEXT_VARIABLE, Choice, ContextName, ContextsFile, Inherited, Names, ProjectFile,
    URL_VARIABLE, ValuePlace,
};
use crate::exit::Failure;
use crate::secrets::Settings;

/// The settings of the server that a command acts on, and the options that its parent has given.
#[derive(Debug)]
pub(crate) struct ChosenServer {
    /// With the context in use.
    pub(crate) settings: Settings,
    /// The address of `--url`, also of that of a `metaia` that has started this one.
    pub(crate) url: Option<String>,
    pub(crate) choice: Option<Choice>,
    /// True if `--yes` is given.
    pub(crate) yes: bool,
}

impl ChosenServer {
    /// Uses no context.
    pub(super) fn without_context(settings: Settings, global: &GlobalArgs) -> Self {
        Self {
            settings,
            url: global.url.clone(),
            choice: None,
            yes: global.yes,
        }
    }

    /// Finds the context in use, and reads it. If an address decides that there is none, no file is
    /// read.
    ///
    /// # Errors
    /// A usage failure if it does not exist, or if its file has a mistake.
    pub(crate) fn find(settings: Settings, global: &GlobalArgs) -> Result<Self, Failure> {
        let inherited = inherited(&settings, global);
        let settings = match &inherited {
            Some(_) => settings.without_variable(URL_VARIABLE),
            None => settings,
        };
        let inherited = inherited.as_ref();
        let url = global.url.clone();
        let url = url.or_else(|| inherited.and_then(Inherited::url_option));
        let option = global.context.clone();
        let mut names = Names {
            option: option.or_else(|| inherited.and_then(Inherited::option)),
            has_address: url.is_some() || has_address(&settings),
            ..Names::default()
        };
        if !names.need_no_file() {
            names = with_variables(names, &settings)?;
        }
        if !names.need_no_file() && names.choose().is_none() {
            names.project = ProjectFile::find()?.and_then(|file| file.context);
        }
        let yes = global.yes || inherited.is_some_and(|inherited| inherited.yes);
        let found = Self {
            settings,
            url,
            choice: names.choose(),
            yes,
        };
        if names.need_no_file() && found.choice.is_none() {
            return Ok(found);
        }
        found.with_file(names)
    }

    /// Takes the context from the user's file, which may also name it.
    fn with_file(self, mut names: Names) -> Result<Self, Failure> {
        let file = ContextsFile::read()?;
        names.current = file.current.clone();
        let Some(choice) = names.choose() else {
            return Ok(self);
        };
        let context = file.find(&choice)?.clone();
        Ok(Self {
            settings: self.settings.with_context(context, choice.by),
            choice: Some(choice),
            ..self
        })
    }
}

/// Returns everything that names a context or an address, also what is not in use.
///
/// # Errors
/// A usage failure if a file has a mistake.
pub(crate) fn all_names(server: &ChosenServer, global: &GlobalArgs) -> Result<Names, Failure> {
    let names = Names {
        option: global.context.clone(),
        has_address: server.url.is_some() || has_address(&server.settings),
        project: ProjectFile::find()?.and_then(|file| file.context),
        current: ContextsFile::read()?.current,
        ..Names::default()
    };
    with_variables(names, &server.settings)
}

/// Returns the choice of the `metaia` that has started this one. An option that names a server or a
/// context is a choice of its own.
fn inherited(settings: &Settings, global: &GlobalArgs) -> Option<Inherited> {
    if global.url.is_some() || global.context.is_some() {
        return None;
    }
    Inherited::read(|name| settings.value_in(ValuePlace::Environment, name))
}

fn has_address(settings: &Settings) -> bool {
    let url = settings.value_in(ValuePlace::Environment, URL_VARIABLE);
    url.is_some()
}

fn with_variables(names: Names, settings: &Settings) -> Result<Names, Failure> {
    Ok(Names {
        environment: name_in(ValuePlace::Environment, settings)?,
        dotenv: name_in(ValuePlace::DotEnv, settings)?,
        ..names
    })
}

fn name_in(place: ValuePlace, settings: &Settings) -> Result<Option<ContextName>, Failure> {
    let name = settings.value_in(place, CONTEXT_VARIABLE);
    let name = name.map(|text| text.parse());
    name.transpose()
        .map_err(|error: String| Failure::usage(format!("{CONTEXT_VARIABLE}: {error}")))
}
