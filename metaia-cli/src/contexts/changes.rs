//! Changes of `contexts.toml`. Comments and the order of what is not changed stay.
//!
//! The file is written as a whole beside the old one, which it then replaces: a command that is
//! killed leaves the old file or the new one. The new one can be read by its owner alone. From the
//! reading to the writing, no other command changes it.

use std::fs;
use std::path::PathBuf;

use toml_edit::{DocumentMut, Item, RawString, Table, value};

use super::changes_lock::ChangesLock;
use super::contexts_file::{parse, read_text};
use super::folder;
use super::name::{CURRENT, ContextName};
use crate::exit::{Exit, Failure};
use crate::suggestion;
use crate::whole_file;

/// The file, being changed.
#[derive(Debug)]
pub(crate) struct ContextChanges {
    path: PathBuf,
    document: DocumentMut,
    /// `None` in tests that write no file.
    _lock: Option<ChangesLock>,
}

impl ContextChanges {
    /// Reads the file, or begins an empty one. Until it is dropped, no other command changes it.
    ///
    /// # Errors
    /// A usage failure if it is no TOML, or there is no place for it; a failure if it cannot be
    /// locked.
    pub(crate) fn open() -> Result<Self, Failure> {
        let path = folder::file().ok_or_else(|| {
            Failure::usage("there is no folder for contexts.toml: HOME is not set")
                .hint("set HOME or XDG_CONFIG_HOME to a folder of yours")
        })?;
        Self::open_at(path)
    }

    fn open_at(path: PathBuf) -> Result<Self, Failure> {
        let lock = ChangesLock::take(&path)?;
        let document = match read_text(&path)? {
            Some(file) => parse(&file)?.into_mut(),
            None => DocumentMut::new(),
        };
        Ok(Self {
            path,
            document,
            _lock: Some(lock),
        })
    }

    /// Returns the path of the file, for people.
    pub(crate) fn shown_path(&self) -> String {
        folder::shown(&self.path)
    }

    pub(crate) fn contains(&self, name: &ContextName) -> bool {
        self.document.contains_key(name.as_str())
    }

    pub(crate) fn is_current(&self, name: &ContextName) -> bool {
        let current = self.document.get(CURRENT).and_then(Item::as_str);
        current == Some(name.as_str())
    }

    /// Returns whether there is a context of this name that is protected.
    pub(crate) fn is_protected(&self, name: &ContextName) -> bool {
        let context = self.document.get(name.as_str());
        let protected = context.and_then(|context| context.get("protected"));
        protected.and_then(Item::as_bool) == Some(true)
    }

    /// Puts a context into the file, in place of one with the same name.
    pub(crate) fn put(&mut self, name: &ContextName, context: Table) {
        let mut context = context;
        let old = self.document.get(name.as_str()).and_then(Item::as_table);
        match old {
            // The new one stands at the place of the old one, behind its comments.
            Some(old) => {
                context.set_position(old.position());
                *context.decor_mut() = old.decor().clone();
            }
            None if !self.document.is_empty() => context.decor_mut().set_prefix("\n"),
            None => {}
        }
        self.document.insert(name.as_str(), Item::Table(context));
    }

    /// Makes a context the current one.
    ///
    /// # Errors
    /// A usage failure if it is not in the file.
    pub(crate) fn make_current(&mut self, name: &ContextName) -> Result<(), Failure> {
        if !self.contains(name) {
            return Err(self.missing(name));
        }
        match self.document.get_mut(CURRENT).and_then(Item::as_value_mut) {
            Some(current) => {
                let decor = current.decor().clone();
                *current = name.as_str().into();
                *current.decor_mut() = decor;
            }
            None => {
                self.document.insert(CURRENT, value(name.as_str()));
            }
        }
        Ok(())
    }

    /// Takes a context out of the file. If it is the current one, no other becomes current.
    ///
    /// # Errors
    /// A usage failure if it is not in the file.
    pub(crate) fn remove(&mut self, name: &ContextName) -> Result<(), Failure> {
        let is_current = self.is_current(name);
        if self.document.remove(name.as_str()).is_none() {
            return Err(self.missing(name));
        }
        if is_current {
            self.forget_current();
        }
        Ok(())
    }

    /// Removes the key of the current context. A comment above it is that of the file, so it stays
    /// above what comes next.
    fn forget_current(&mut self) {
        let Some((key, _)) = self.document.remove_entry(CURRENT) else {
            return;
        };
        let comment = key.leaf_decor().prefix().and_then(RawString::as_str);
        let comment = comment.unwrap_or_default();
        let mut items = self.document.as_table_mut().iter_mut();
        let next = items.find_map(|(_, item)| item.as_table_mut());
        match next {
            Some(next) => {
                let own = next.decor().prefix().and_then(RawString::as_str);
                let both = format!("{comment}{}", own.unwrap_or_default());
                next.decor_mut().set_prefix(both);
            }
            None => {
                drop(items);
                self.document.set_trailing(comment);
            }
        }
    }

    fn missing(&self, name: &ContextName) -> Failure {
        let text = format!("there is no context {name} in {}", self.shown_path());
        let keys = self.document.iter().map(|(key, _)| key);
        let known: Vec<&str> = keys.filter(|key| *key != CURRENT).collect();
        let hint = match suggestion::nearest(name.as_str(), known.iter().copied()) {
            Some(nearest) => format!("did you mean {nearest}?"),
            None if known.is_empty() => {
                format!("metaia context add {name} --url URL adds it")
            }
            None => format!("known contexts: {}", known.join(", ")),
        };
        Failure::usage(text).hint(hint)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// A failure if it cannot be written; then the old file is unchanged.
    pub(crate) fn save(&self) -> Result<(), Failure> {
        let text = self.document.to_string();
        // A link, as of a repository of settings, stays one: the file behind it is replaced.
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        whole_file::replace(&path, text.as_bytes()).map_err(|error| {
            let text = format!("{} cannot be written", self.shown_path());
            Failure::new(Exit::Failed, text).caused_by(error)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# mine
current = \"local\"   # at work

# this machine
[local]
url = \"http://localhost:5000\" # the default

[staging]
url = \"https://staging.example\"
api_key = { env = \"KEY\" }
";

    fn changes(text: &str) -> ContextChanges {
        ContextChanges {
            path: "/c/contexts.toml".into(),
            document: text.parse().unwrap(),
            _lock: None,
        }
    }

    fn name(text: &str) -> ContextName {
        text.parse().unwrap()
    }

    #[test]
    fn comments_and_order_stay() {
        let mut changes = changes(TEXT);
        changes.make_current(&name("staging")).unwrap();
        let mut context = Table::new();
        context.insert("url", value("http://127.0.0.1:5001"));
        changes.put(&name("local"), context.clone());
        changes.put(&name("other"), context);
        insta::assert_snapshot!(changes.document.to_string(), @r#"
        # mine
        current = "staging"   # at work

        # this machine
        [local]
        url = "http://127.0.0.1:5001"

        [staging]
        url = "https://staging.example"
        api_key = { env = "KEY" }

        [other]
        url = "http://127.0.0.1:5001"
        "#);
    }

    #[test]
    fn a_removed_context_is_not_current_any_more() {
        let mut changes = changes(TEXT);
        changes.remove(&name("local")).unwrap();
        insta::assert_snapshot!(changes.document.to_string(), @r#"
        # mine

        [staging]
        url = "https://staging.example"
        api_key = { env = "KEY" }
        "#);
        let failure = changes.remove(&name("local")).unwrap_err();
        assert_eq!(
            failure.chain(),
            "there is no context local in /c/contexts.toml"
        );
        assert_eq!(failure.hint.unwrap(), "known contexts: staging");
        let failure = changes.make_current(&name("stagin")).unwrap_err();
        assert_eq!(failure.hint.unwrap(), "did you mean staging?");
    }

    #[test]
    fn changes_at_the_same_time_lose_none() {
        let folder = std::env::temp_dir().join(uuid::Uuid::new_v4().simple().to_string());
        let path = folder.join("metaia/contexts.toml");
        std::thread::scope(|scope| {
            for number in 0..12 {
                let path = path.clone();
                scope.spawn(move || {
                    let mut changes = ContextChanges::open_at(path).unwrap();
                    changes.put(&name(&format!("c{number}")), Table::new());
                    changes.save().unwrap();
                });
            }
        });
        let changes = ContextChanges::open_at(path).unwrap();
        let names = (0..12).map(|number| name(&format!("c{number}")));
        let lost: Vec<ContextName> = names.filter(|name| !changes.contains(name)).collect();
        assert_eq!(lost, []);
        fs::remove_dir_all(folder).unwrap();
    }
}
