//! `metaia completions` and `metaia man`: what a shell and `man` need to know about the commands.

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap_complete::Shell;

use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::printer::print_document;

const COMPLETIONS: &str = "\
Examples:
  metaia completions bash > ~/.local/share/bash-completion/completions/metaia
  metaia completions zsh > ~/.zfunc/_metaia        with ~/.zfunc in fpath
  metaia completions fish > ~/.config/fish/completions/metaia.fish";

const MAN: &str = "\
Examples:
  metaia man | man -l -
  metaia man ~/.local/share/man/man1               one page for each command";

/// Completes the names of contexts, which fish asks for when they are needed.
const FISH_CONTEXTS: &str = r#"function __fish_metaia_contexts
    metaia context ls -q -o ndjson 2>/dev/null | string replace -rf '^.*"name":"([^"]*)".*$' '$1'
end
complete -c metaia -l context -x -a "(__fish_metaia_contexts)"
function __fish_metaia_wants_context
    __fish_metaia_using_subcommand context; and __fish_seen_subcommand_from use rm
end
complete -c metaia -n __fish_metaia_wants_context -f -a "(__fish_metaia_contexts)"
"#;

#[derive(Debug, clap::Args)]
#[command(before_help = COMPLETIONS)]
pub(crate) struct CompletionArgs {
    /// The shell that reads them
    shell: Shell,
}

#[derive(Debug, clap::Args)]
#[command(before_help = MAN)]
pub(crate) struct ManArgs {
    /// Write one page for each command into this folder
    folder: Option<PathBuf>,
}

/// Prints the completions of `root`, the whole program.
pub(crate) fn completions(args: &CompletionArgs, mut root: clap::Command) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut root, "metaia", &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if args.shell == Shell::Fish {
        script += &fish_values(&root);
        script += FISH_CONTEXTS;
    }
    print_document(&script)?;
    Ok(Exit::Ok)
}

/// Returns the lines for the values of arguments without a name, such as the flows of `trigger`:
/// `clap_complete` writes none for fish.
fn fish_values(root: &clap::Command) -> String {
    let lines = root.get_subcommands().filter_map(|command| {
        let positional = command.get_positionals().next()?;
        let values = positional.get_possible_values();
        let names: Vec<&str> = values.iter().map(PossibleValue::get_name).collect();
        let command = command.get_name();
        let names = (!names.is_empty()).then(|| names.join(" "))?;
        Some(format!(
            "complete -c metaia -n \"__fish_metaia_using_subcommand {command}\" -f -a '{names}'\n"
        ))
    });
    lines.collect()
}

/// Prints the page of the program, or writes the pages of all commands.
pub(crate) fn man(args: &ManArgs, root: clap::Command, context: &Context) -> Result<Exit, Failure> {
    let Some(folder) = &args.folder else {
        let page = page(root)?;
        print_document(&page)?;
        return Ok(Exit::Ok);
    };
    let cannot_write = |error| {
        let text = format!("the pages cannot be written into {}", folder.display());
        Failure::usage(text).caused_by(error)
    };
    std::fs::create_dir_all(folder).map_err(cannot_write)?;
    clap_mangen::generate_to(root, folder).map_err(cannot_write)?;
    context
        .printer
        .note(&format!("the pages are in {}", folder.display()));
    Ok(Exit::Ok)
}

fn page(command: clap::Command) -> Result<String, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut page)
        .map_err(|error| Failure::new(Exit::Failed, "the page cannot be made").caused_by(error))?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_the_program_lists_its_commands() {
        let token = clap::Command::new("token").about("Tokens");
        let root = clap::Command::new("metaia")
            .about("The tool")
            .subcommand(token);
        assert!(page(root).unwrap().contains("token"));
    }
}
