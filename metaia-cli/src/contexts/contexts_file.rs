//! `contexts.toml`: the contexts of a user.

use std::io;
use std::path::{Path, PathBuf};

use toml_edit::Document;

use super::choice::{Choice, ChosenBy};
use super::folder;
use super::masked;
use super::name::{CURRENT, ContextName};
use super::server_context::ServerContext;
use super::table_reader::{TableReader, TomlMistake};
use crate::exit::Failure;
use crate::source_file::{FilePosition, SourceFile};
use crate::suggestion;
use crate::terminal::one_line;

/// The contexts, and the name of the current one.
#[derive(Debug)]
pub(crate) struct ContextsFile {
    /// `None` if neither `XDG_CONFIG_HOME` nor `HOME` is set.
    pub(crate) path: Option<PathBuf>,
    pub(crate) current: Option<ContextName>,
    /// In the order of the file.
    pub(crate) contexts: Vec<ServerContext>,
}

impl ContextsFile {
    /// Reads the user's file. A file that does not exist has no contexts.
    ///
    /// # Errors
    /// A usage failure that points at the first mistake in the file.
    pub(crate) fn read() -> Result<Self, Failure> {
        let path = folder::file();
        let none = Self {
            path: path.clone(),
            current: None,
            contexts: Vec::new(),
        };
        match path {
            Some(path) => Ok(read_file(&path)?.unwrap_or(none)),
            None => Ok(none),
        }
    }

    /// Returns the context of this choice.
    ///
    /// # Errors
    /// A usage failure that names the place of the choice, if there is no such context.
    pub(crate) fn find(&self, choice: &Choice) -> Result<&ServerContext, Failure> {
        let named = |context: &&ServerContext| context.name == choice.name;
        self.contexts.iter().find(named).ok_or_else(|| {
            let place = choice.by.place();
            let text = match &self.path {
                Some(path) => {
                    let path = folder::shown(path);
                    format!("there is no context {} in {}", choice.name, one_line(&path))
                }
                None => "there are no contexts: neither XDG_CONFIG_HOME nor HOME is set".to_owned(),
            };
            let failure = Failure::usage(format!("{text} (it is named by {place})"));
            failure.hint(self.advice(choice))
        })
    }

    fn advice(&self, choice: &Choice) -> String {
        if self.path.is_none() {
            return "set HOME or XDG_CONFIG_HOME to a folder of yours".to_owned();
        }
        let known = self.contexts.iter().map(|context| context.name.as_str());
        if let Some(nearest) = suggestion::nearest(choice.name.as_str(), known.clone()) {
            return format!("did you mean {nearest}?");
        }
        let known: Vec<&str> = known.collect();
        match (known.is_empty(), choice.by) {
            (true, _) => format!("metaia context add {} --url URL adds it", choice.name),
            (false, ChosenBy::Current) => {
                let known = known.join(", ");
                format!("metaia context use NAME names another one: {known}")
            }
            (false, _) => format!("known contexts: {}", known.join(", ")),
        }
    }
}

/// Reads a file of TOML. Returns `None` if it does not exist.
pub(super) fn read_text(path: &Path) -> Result<Option<SourceFile>, Failure> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        _ => SourceFile::read(path).map(Some),
    }
}

/// Parses a file of TOML.
///
/// # Errors
/// A usage failure that points at what is no TOML.
pub(super) fn parse(file: &SourceFile) -> Result<Document<&str>, Failure> {
    Document::parse(file.text.as_str()).map_err(|error| {
        let mistake = TomlMistake {
            message: format!("this is not TOML: {}", one_line(error.message())),
            help: None,
            bytes: error.span().unwrap_or_default(),
            is_key: false,
        };
        failure(file, &mistake)
    })
}

/// Returns the failure that points at a mistake.
pub(super) fn failure(file: &SourceFile, mistake: &TomlMistake) -> Failure {
    let position = FilePosition::of_bytes(&file.text, mistake.bytes.clone());
    let path = folder::shown(&file.path);
    let FilePosition { line, column, .. } = position;
    let place = format!("{}:{line}:{column}", one_line(&path));
    let failure = Failure::usage(format!("{place}: {}", mistake.message));
    let failure = failure.excerpt(masked::excerpt(file, &position, mistake.is_key));
    match &mistake.help {
        Some(help) => failure.hint(help),
        None => failure,
    }
}

fn read_file(path: &Path) -> Result<Option<ContextsFile>, Failure> {
    let Some(file) = read_text(path)? else {
        return Ok(None);
    };
    let document = parse(&file)?;
    let root = TableReader::new(document.as_table(), "");
    read_root(&root, path)
        .map(Some)
        .map_err(|mistake| failure(&file, &mistake))
}

fn read_root(root: &TableReader<'_>, path: &Path) -> Result<ContextsFile, TomlMistake> {
    let current = match root.text(CURRENT)? {
        Some(text) => Some(text.parse().map_err(|error: String| {
            let mistake = root.at_value(CURRENT, format!("`current` names no context: {error}"));
            mistake.help("metaia context use NAME names one")
        })?),
        None => None,
    };
    let mut contexts = Vec::new();
    for key in root.keys().filter(|key| *key != CURRENT) {
        let name = key
            .parse()
            .map_err(|error| root.at_key(key, format!("a context has a wrong name: {error}")))?;
        // A text or a number at the top is a member that stands outside of its context.
        let Ok(Some(table)) = root.table(key) else {
            let text = format!("`{key}` stands outside of a context");
            let help = "begin a context with its name in brackets: [local]";
            return Err(root.at_key(key, text).help(help));
        };
        contexts.push(ServerContext::read(name, &table, path)?);
    }
    Ok(ContextsFile {
        path: Some(path.to_owned()),
        current,
        contexts,
    })
}

#[cfg(test)]
mod tests {
    use metaia_realtime::Role;

    use super::super::secret::SecretSource;
    use super::*;

    const STAGING: &str = r#"
current = "staging"
[staging]
url = "https://staging.example"
origin = "https://app.example"
api_key = { env = "STAGING_KEY" }
tokens = { admin = { cmd = "op read x" }, delivery_partner = { file = "courier.jwt" } }
cacert = "ca.pem"
protected = true
[staging.headers]
X-Trace = "7"
Authorization = { env = "PROXY" }
"#;

    fn file(text: &str) -> SourceFile {
        SourceFile {
            path: "/c/contexts.toml".into(),
            text: text.to_owned(),
        }
    }

    fn read(text: &str) -> Result<ContextsFile, Failure> {
        let file = file(text);
        let document = parse(&file)?;
        let root = TableReader::new(document.as_table(), "");
        read_root(&root, &file.path).map_err(|mistake| failure(&file, &mistake))
    }

    #[track_caller]
    fn refused(text: &str) -> String {
        let failure = read(text).unwrap_err();
        let hint = failure.hint.clone().unwrap_or_default();
        let text = failure.chain().replacen(": ", "\n", 1);
        format!("{text}\n{hint}")
    }

    #[test]
    fn a_context_has_an_address_and_references_to_secrets() {
        let file = read(STAGING).unwrap();
        assert_eq!(file.current.unwrap().as_str(), "staging");
        let [staging] = &file.contexts[..] else {
            panic!("{:?}", file.contexts);
        };
        assert!(staging.protected && !staging.insecure);
        assert_eq!(staging.cacert.as_deref(), Some(Path::new("/c/ca.pem")));
        let courier = staging.token_of(Role::Delivery).unwrap().source();
        assert_eq!(*courier, SecretSource::File("/c/courier.jwt".into()));
        let names: Vec<String> = staging
            .secrets()
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(
            names,
            [
                "api_key",
                "tokens.admin",
                "tokens.delivery",
                "headers.authorization"
            ]
        );
    }

    #[test]
    fn an_empty_file_has_no_contexts() {
        let file = read("").unwrap();
        assert_eq!((file.current, file.contexts.len()), (None, 0));
    }

    #[test]
    fn each_mistake_is_placed_and_told() {
        let url = "url = 'http://h'";
        let of = |line: &str| refused(&format!("[a]\n{url}\n{line}\n"));
        insta::assert_snapshot!(of("api_kye = { env = 'X' }"), @r"
        /c/contexts.toml:3:1
        `api_kye` is no member of a context
        did you mean `api_key`?
        ");
        insta::assert_snapshot!(of("api_key = 'hunter2'"), @r#"
        /c/contexts.toml:3:11
        `a.api_key` is a secret, which does not belong in a file
        write { env = "VARIABLE" }, { file = "~/PATH" } or { cmd = "COMMAND" }
        "#);
        insta::assert_snapshot!(of("tokens = { admin = 'hunter2' }"), @r#"
        /c/contexts.toml:3:20
        `a.tokens.admin` is a secret, which does not belong in a file
        write { env = "VARIABLE" }, { file = "~/PATH" } or { cmd = "COMMAND" }
        "#);
        insta::assert_snapshot!(of("tokens = { boss = { env = 'X' } }"), @r"
        /c/contexts.toml:3:12
        `tokens`: a role is one of customer, admin, tailor, delivery
        ");
        insta::assert_snapshot!(of("headers = { Authorization = 'hunter2' }"), @r#"
        /c/contexts.toml:3:29
        `a.headers.Authorization` is a secret, which does not belong in a file
        write { env = "VARIABLE" }, { file = "~/PATH" } or { cmd = "COMMAND" }
        "#);
        insta::assert_snapshot!(of("jwt_secret = { evn = 'X' }"), @r"
        /c/contexts.toml:3:16
        `evn` is no member of a reference to a secret
        did you mean `env`?
        ");
        insta::assert_snapshot!(of("jwt_secret = { env = 'X', cmd = 'y' }"), @r#"
        /c/contexts.toml:3:1
        `a.jwt_secret` needs exactly one form
        write { env = "VARIABLE" }, { file = "~/PATH" } or { cmd = "COMMAND" }
        "#);
        insta::assert_snapshot!(of("jwt_secret = {}"), @r#"
        /c/contexts.toml:3:1
        `a.jwt_secret` needs exactly one form
        write { env = "VARIABLE" }, { file = "~/PATH" } or { cmd = "COMMAND" }
        "#);
        insta::assert_snapshot!(of("protected = 'yes'"), @r"
        /c/contexts.toml:3:13
        `a.protected` is a text: expected true or false
        ");
        insta::assert_snapshot!(of("cacert = 7"), @r"
        /c/contexts.toml:3:10
        `a.cacert` is a number: expected a text in quotes
        ");
        insta::assert_snapshot!(of("cacert = ''"), @r"
        /c/contexts.toml:3:10
        `a.cacert` is empty
        ");
        insta::assert_snapshot!(of("insecure = true\ncacert = 'ca.pem'"), @r"
        /c/contexts.toml:3:1
        `insecure` checks no certificate, so `cacert` has no meaning
        leave out one of them
        ");
        insta::assert_snapshot!(of("url = 'http://h'"), @r"
        /c/contexts.toml:3:1
        this is not TOML: duplicate key
        ");
        insta::assert_snapshot!(refused("[a]\nprotected = true\n"), @r#"
        /c/contexts.toml:1:2
        the context a has no `url`
        add url = "https://…": its secrets are for this address alone
        "#);
        insta::assert_snapshot!(refused("[a]\nurl = 'http://u:hunter2@h'\n"), @r#"
        /c/contexts.toml:2:7
        `url` of the context a has a user or a password, which may be a secret
        leave it out: an address is shown in lists and errors
        "#);
        insta::assert_snapshot!(refused("url = 'http://h'\n"), @r"
        /c/contexts.toml:1:1
        `url` stands outside of a context
        begin a context with its name in brackets: [local]
        ");
        insta::assert_snapshot!(refused("['a b']\nurl = 'http://h'\n"), @r"
        /c/contexts.toml:1:2
        a context has a wrong name: the name of a context is 1 to 64 of A-Z a-z 0-9 _ -
        ");
        insta::assert_snapshot!(refused("current = 7\n"), @r"
        /c/contexts.toml:1:11
        `current` is a number: expected a text in quotes
        ");
        insta::assert_snapshot!(refused("current = 'a b'\n"), @r"
        /c/contexts.toml:1:11
        `current` names no context: the name of a context is 1 to 64 of A-Z a-z 0-9 _ -
        metaia context use NAME names one
        ");
        insta::assert_snapshot!(refused("[a\n"), @r"
        /c/contexts.toml:1:3
        this is not TOML: unclosed table, expected `]`
        ");
        insta::assert_snapshot!(refused("[a]\napi_key = hunter2\n"), @r"
        /c/contexts.toml:2:11
        this is not TOML: string values must be quoted, expected literal string
        ");
    }

    #[test]
    fn no_message_has_a_secret() {
        for line in [
            "api_key = 'hunter2'",
            "api_key = hunter2",
            "api_key = 'hunter2",
            "api_key = { env = 'X' } hunter2",
            "tokens = { admin = 'hunter2' }",
            "headers = { Cookie = 'hunter2' }",
            "\n[b]\nurl = 'http://u:hunter2@h'",
            "\n[b]\nurl = 'http://hunter2@h'",
            "\n[b]\nurl = 'http://h/?token=hunter2'",
            "\n[b]\nurl = 'http://h/#hunter2'",
            "\n[b]\nurl = 'u:hunter2@h'",
        ] {
            let failure = read(&format!("[a]\nurl = 'http://h'\n{line}\n")).unwrap_err();
            let shown = format!("{failure:?} {}", failure.chain());
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn a_context_that_does_not_exist_is_named_with_its_place() {
        let find = |name: &str, by: ChosenBy| {
            let choice = Choice {
                name: name.parse().unwrap(),
                by,
            };
            let failure = read(STAGING).unwrap().find(&choice).unwrap_err();
            let text = failure.chain().replace(" (it", "\n(it");
            format!("{text}\n{}", failure.hint.unwrap())
        };
        insta::assert_snapshot!(find("stagign", ChosenBy::Option), @r"
        there is no context stagign in /c/contexts.toml
        (it is named by --context)
        did you mean staging?
        ");
        insta::assert_snapshot!(find("production", ChosenBy::Current), @r"
        there is no context production in /c/contexts.toml
        (it is named by `current` of contexts.toml)
        metaia context use NAME names another one: staging
        ");
        insta::assert_snapshot!(find("production", ChosenBy::Project), @r"
        there is no context production in /c/contexts.toml
        (it is named by metaia.toml)
        known contexts: staging
        ");
    }
}
