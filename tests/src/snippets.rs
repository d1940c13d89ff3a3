//! The programs in `docs/clients.md`, run as they stand there. One begins after a line `<!-- run: LANGUAGE NAME -->`.

use tokio::process::Command;

use crate::folder::Folder;
use crate::paths;
use crate::process::Process;
use crate::server::{Listening, Server};

/// All names of programs in the page, as `LANGUAGE NAME`.
#[must_use]
pub fn names() -> Vec<String> {
    let marks = page();
    let marks = marks.lines().filter_map(|line| line.strip_prefix("<!-- run: ")?.strip_suffix(" -->"));
    marks.map(str::to_owned).collect()
}

/// Starts the program in this folder, with what it expects in its environment.
#[must_use]
pub fn start(name: &str, folder: &Folder, server: &Server, token: &str, order: &str) -> Process {
    let program = program(name);
    let mut command = if name.starts_with("javascript ") {
        javascript(folder, &program)
    } else {
        let mut python = Command::new(paths::python());
        python.arg(folder.write("program.py", program));
        python
    };
    command.current_dir(folder.path()).env("URL", server.url()).env("TOKEN", token).env("ORDER", order);
    Process::start(command)
}

fn javascript(folder: &Folder, program: &str) -> Command {
    let packages = folder.join("node_modules");
    if !packages.exists() {
        std::os::unix::fs::symlink(paths::js().join("node_modules"), packages)
            .expect("a link to the packages");
    }
    let mut node = Command::new("node");
    node.arg(folder.write("program.mjs", program));
    node
}

fn program(name: &str) -> String {
    let page = page();
    let (_, rest) = page.split_once(&format!("<!-- run: {name} -->\n")).expect("a marked program");
    let (fence, rest) = rest.split_once('\n').expect("a program");
    assert!(fence.starts_with("```"), "the mark of {name:?} is followed by {fence:?}");
    rest.split_once("\n```").expect("the program's end").0.to_owned()
}

fn page() -> String {
    std::fs::read_to_string(paths::here("../docs/clients.md")).expect("docs/clients.md")
}
