//! The figures by which the source is compared with that of others: sizes, density, docs, circles.

mod measured;

use measured::Measured;

use super::layers::{Tree, largest_circles};
use super::root_names;
use super::source::Source;

/// The crates, and the folder of each that is left out since it is there for tests.
const CRATES: [(&str, Option<&str>); 5] = [
    ("metaia-realtime", Some("testing/")),
    ("metaia-server", None),
    ("metaia-cli", None),
    ("metaia-server/dotenv", None),
    ("xtask", None),
];

/// Returns the figures of each crate and of all as text.
pub(super) fn text(sources: &[Source]) -> String {
    let mut text = String::new();
    let mut all = Measured::default();
    for (name, left_out) in CRATES {
        let src = format!("{name}/src/");
        let measured = measured(sources, &src, left_out);
        text.push_str(&format!("{name}\n{}", lines(&measured)));
        text.push_str(&structure(sources, &src));
        all = all.and(&measured);
    }
    format!("{text}all\n{}", lines(&all))
}

/// Counts what is in the files which a build without tests reaches.
fn measured(sources: &[Source], src: &str, left_out: Option<&str>) -> Measured {
    let tree = Tree::read(sources, src);
    let skipped = left_out.map(|folder| format!("{src}{folder}"));
    let is_skipped = |file: &Source| {
        skipped
            .as_ref()
            .is_some_and(|folder| file.path.starts_with(folder))
    };
    let files = tree.live_files().iter().filter(|file| !is_skipped(file));
    files.fold(Measured::default(), |sum, file| {
        sum.and(&Measured::of(file))
    })
}

fn lines(measured: &Measured) -> String {
    let functions = measured.functions;
    let docs = measured.documented_functions;
    let lines = [
        format!("files                        {}", measured.lengths.len()),
        format!("lines                        {}", measured.lines()),
        format!("median file                  {}", measured.median_length()),
        format!("functions                    {functions}"),
        format!(
            "  over 40 lines              {}",
            percent(measured.long_functions, functions)
        ),
        format!("lines over 100 columns       {}", measured.wide_lines),
        format!("tuple assignments per 10,000 {}", per_10_000(measured)),
        format!(
            "docs with a question word    {}",
            percent(measured.asking_docs, docs)
        ),
    ];
    lines.map(|line| format!("  {line}\n")).concat()
}

fn structure(sources: &[Source], src: &str) -> String {
    let root = sources
        .iter()
        .find(|source| source.path == format!("{src}lib.rs"));
    let names = root.map_or(0, root_names::count);
    let [largest, unknown] = largest_circles(sources, src);
    format!(
        "  names in the root            {names}\n  largest circle of files      {largest}, \
         {unknown} without accepted ones\n"
    )
}

fn percent(part: usize, whole: usize) -> String {
    let tenths = part * 1000 / whole.max(1);
    format!("{part} ({}.{} %)", tenths / 10, tenths % 10)
}

fn per_10_000(measured: &Measured) -> String {
    let tenths = measured.tuple_assignments * 100_000 / measured.lines().max(1);
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_per_crate_and_for_all() {
        let sources = [
            Source::new("metaia-cli/src/main.rs", "mod a;\nmod b;\n"),
            Source::new("metaia-cli/src/a.rs", "use crate::b::B;\npub struct A;\n"),
            Source::new("metaia-cli/src/b.rs", "use crate::a::A;\npub struct B;\n"),
            Source::new(
                "metaia-realtime/src/lib.rs",
                "pub mod testing;\npub use testing::T;\n",
            ),
            Source::new("metaia-realtime/src/testing/mod.rs", "pub struct T;\n"),
        ];
        let text = text(&sources);
        let all = text.split("all\n").nth(1).unwrap_or_default();
        assert!(all.contains("files                        4\n"), "{text}");
        assert!(text.contains("names in the root            1\n"), "{text}");
        assert!(text.contains("circle of files      2, 2 without"), "{text}");
    }
}
