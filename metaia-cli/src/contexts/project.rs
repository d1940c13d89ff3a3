//! `metaia.toml` of a project, which may name a context, and nothing else: others share it.

use std::path::Path;

use super::contexts_file::{failure, parse, read_text};
use super::name::ContextName;
use super::table_reader::{TableReader, TomlMistake};
use crate::exit::Failure;
use crate::source_file::SourceFile;

const FILE_NAME: &str = "metaia.toml";

/// The only key.
const CONTEXT: &str = "context";

/// The file of a project.
#[derive(Debug)]
pub(crate) struct ProjectFile {
    pub(crate) context: Option<ContextName>,
}

impl ProjectFile {
    /// Reads the file of the project that the working folder is in.
    ///
    /// # Errors
    /// A usage failure that points at the mistake, if the file has more than the name of a context.
    pub(crate) fn find() -> Result<Option<Self>, Failure> {
        // A working folder that is gone is in no project.
        match std::env::current_dir() {
            Ok(folder) => Self::find_from(&folder),
            Err(_) => Ok(None),
        }
    }

    /// Reads the first file in this folder and those above it, up to the root of the repository.
    fn find_from(folder: &Path) -> Result<Option<Self>, Failure> {
        for folder in folder.ancestors() {
            if let Some(file) = read_text(&folder.join(FILE_NAME))? {
                return Self::read(&file).map(Some);
            }
            if folder.join(".git").exists() {
                return Ok(None);
            }
        }
        Ok(None)
    }

    fn read(file: &SourceFile) -> Result<Self, Failure> {
        let document = parse(file)?;
        let root = TableReader::new(document.as_table(), "");
        let context = context(&root).map_err(|mistake| failure(file, &mistake))?;
        Ok(Self { context })
    }
}

fn context(root: &TableReader<'_>) -> Result<Option<ContextName>, TomlMistake> {
    if let Some(key) = root.keys().find(|key| *key != CONTEXT) {
        let text = format!("`{key}` does not belong in metaia.toml, which only names a context");
        let help = "a project is shared with others: addresses and secrets belong in your own \
                    contexts.toml (metaia context add NAME --url URL), and here context = \"NAME\"";
        return Err(root.at_key(key, text).help(help));
    }
    let name = root.text(CONTEXT)?.map(|text| text.parse());
    name.transpose()
        .map_err(|error: String| root.at_value(CONTEXT, format!("`context`: {error}")))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(text: &str) -> Result<ProjectFile, Failure> {
        ProjectFile::read(&SourceFile {
            path: "/p/metaia.toml".into(),
            text: text.to_owned(),
        })
    }

    #[test]
    fn a_project_names_a_context_and_nothing_else() {
        let named = read("context = 'staging' # ours\n").unwrap();
        assert_eq!(named.context.unwrap().as_str(), "staging");
        assert_eq!(read("").unwrap().context, None);
        let refused = |text: &str| read(text).unwrap_err().chain().replacen(": ", "\n", 1);
        insta::assert_snapshot!(refused("context = 'a'\napi_key = 'hunter2'\n"), @r"
        /p/metaia.toml:2:1
        `api_key` does not belong in metaia.toml, which only names a context
        ");
        insta::assert_snapshot!(refused("[staging]\nurl = 'http://h'\n"), @r"
        /p/metaia.toml:1:2
        `staging` does not belong in metaia.toml, which only names a context
        ");
        insta::assert_snapshot!(refused("context = 'a b'\n"), @r"
        /p/metaia.toml:1:11
        `context`: the name of a context is 1 to 64 of A-Z a-z 0-9 _ -
        ");
        insta::assert_snapshot!(refused("context = 7\n"), @r"
        /p/metaia.toml:1:11
        `context` is a number: expected a text in quotes
        ");
    }

    #[test]
    fn the_file_is_searched_up_to_the_root_of_the_repository() {
        let root = std::env::temp_dir().join(format!("metaia-project-{}", std::process::id()));
        let inner = root.join("repository/a/b");
        fs::create_dir_all(&inner).unwrap();
        fs::write(root.join("metaia.toml"), "context = 'outer'").unwrap();
        let found = |folder: &Path| {
            let file = ProjectFile::find_from(folder).unwrap();
            file.and_then(|file| file.context)
                .map(|name| name.to_string())
        };
        assert_eq!(found(&inner).unwrap(), "outer");
        fs::create_dir(root.join("repository/.git")).unwrap();
        assert_eq!(found(&inner), None);
        fs::write(root.join("repository/metaia.toml"), "context = 'own'").unwrap();
        assert_eq!(found(&inner).unwrap(), "own");
        fs::remove_dir_all(root).unwrap();
    }
}
