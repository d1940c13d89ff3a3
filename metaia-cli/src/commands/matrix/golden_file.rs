//! The golden file on the disk: read before anything is measured, written only on request.

use std::path::Path;

use super::golden::{self, NotGolden};
use super::grid::AccessGrid;
use super::subject::Subject;
use crate::bounded_file::{ByteLimit, ReadFault, text_of_file};
use crate::exit::{Exit, Failure};
use crate::terminal::one_line;

const UPDATE_HINT: &str = "--update writes it from this server: look at what it changes";

/// Reads the file for a comparison with these subjects.
pub(super) fn read(path: &Path, subjects: &[Subject]) -> Result<AccessGrid, Failure> {
    let shown = shown(path);
    let text = text_of_file(path, ByteLimit::WRITTEN).map_err(|fault| {
        let failure = Failure::usage(format!("the golden file {shown} cannot be read"));
        let failure = match fault {
            _ if fault.is_absence() => failure.hint(UPDATE_HINT),
            ReadFault::System(_) => failure,
            _ => failure.hint("--golden names a file that this command has written"),
        };
        failure.caused_by(fault)
    })?;
    let grid = golden::read(&text).map_err(|flaw| {
        let text = format!("the golden file {shown} {}", one_line(&flaw.to_string()));
        Failure::usage(text).hint(UPDATE_HINT)
    })?;
    check_subjects(&grid, subjects, &shown)?;
    Ok(grid)
}

fn check_subjects(grid: &AccessGrid, subjects: &[Subject], shown: &str) -> Result<(), Failure> {
    if grid.subjects == subjects {
        return Ok(());
    }
    let lacks = |of: &[Subject], other: &[Subject]| {
        let missing = of.iter().filter(|subject| !other.contains(subject));
        let missing: Vec<&str> = missing.map(|subject| subject.name()).collect();
        missing.join(", ")
    };
    let unmeasured = lacks(&grid.subjects, subjects);
    let unknown = lacks(subjects, &grid.subjects);
    let text = format!("the golden file {shown} is of other people");
    let failure = Failure::usage(match (unmeasured.as_str(), unknown.as_str()) {
        ("", "") => format!("{text}: they stand in another order"),
        ("", unknown) => format!("{text}: it lacks {unknown}"),
        (unmeasured, _) => format!("{text}: {unmeasured} cannot be measured here"),
    });
    if unmeasured == Subject::Backend.name() {
        return Err(failure.hint("set METAIA_API_KEY to the server's"));
    }
    Err(failure.hint(UPDATE_HINT))
}

/// Refuses to replace a file that is none of this command's.
pub(super) fn check_replaceable(path: &Path) -> Result<(), Failure> {
    let shown = shown(path);
    let text = match text_of_file(path, ByteLimit::WRITTEN) {
        Ok(text) => text,
        Err(fault) if fault.is_absence() => return Ok(()),
        Err(fault) => {
            let failure = Failure::usage(format!("the golden file {shown} cannot be replaced"));
            return Err(failure.caused_by(fault));
        }
    };
    match golden::read(&text) {
        Err(NotGolden::OtherText) => {
            let text = format!("{shown} is no golden file of `metaia matrix`: it is not replaced");
            Err(Failure::usage(text).hint("name another file, or remove this one"))
        }
        _ => Ok(()),
    }
}

/// Writes the file.
pub(super) fn write(path: &Path, grid: &AccessGrid) -> Result<(), Failure> {
    std::fs::write(path, golden::write(grid)).map_err(|error| {
        let text = format!("the golden file {} cannot be written", shown(path));
        Failure::new(Exit::Failed, text).caused_by(error)
    })
}

fn shown(path: &Path) -> String {
    one_line(&path.display().to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::grid::fixture::grid;
    use super::*;

    #[track_caller]
    fn check(subjects: &[Subject], expected: &str) {
        let failure = check_subjects(&grid(), subjects, "f.md").unwrap_err();
        assert_eq!(failure.chain(), expected);
        assert_eq!(failure.exit, Exit::Usage);
    }

    #[test]
    fn a_file_of_other_people_is_refused() {
        use Subject::{Anonymous, Backend, OtherCustomer, Owner};
        assert!(check_subjects(&grid(), &[Anonymous, Owner, OtherCustomer], "f.md").is_ok());
        let text = "the golden file f.md is of other people";
        check(
            &[Anonymous, Owner, OtherCustomer, Backend],
            &format!("{text}: it lacks backend"),
        );
        check(
            &[Anonymous, Owner],
            &format!("{text}: other customer cannot be measured here"),
        );
        check(
            &[Owner, Anonymous, OtherCustomer],
            &format!("{text}: they stand in another order"),
        );
    }

    #[test]
    fn a_file_that_is_not_there_may_be_written() {
        let nowhere = Path::new("no-such-folder/matrix.golden.md");
        let failure = read(nowhere, &[]).unwrap_err();
        assert!(failure.hint.unwrap().starts_with("--update writes it"));
        assert!(check_replaceable(nowhere).is_ok());
        assert!(check_replaceable(Path::new("Cargo.toml")).is_err());
        assert!(write(nowhere, &grid()).is_err());
    }
}
