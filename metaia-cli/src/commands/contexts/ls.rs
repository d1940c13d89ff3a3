//! `metaia context ls`: lists the contexts.

use console::measure_text_width;
use serde::Serialize;

use crate::contexts::{ContextsFile, ServerContext, shown_path};
use crate::exit::{Exit, Failure};
use crate::printer::{Paint, Printer, Report};
use crate::terminal::one_line;

pub(super) const EXAMPLES: &str = "\
Examples:
  metaia context ls
  metaia context ls -o ndjson | jq -r .name";

/// A context in the list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ListedContext {
    name: String,
    url: String,
    is_current: bool,
    is_protected: bool,
    /// The width of the longest name, and of the longest address.
    #[serde(skip)]
    widths: (usize, usize),
}

impl Report for ListedContext {
    fn text(&self, paint: Paint) -> String {
        let mark = if self.is_current { "*" } else { " " };
        let url = one_line(&self.url);
        let (names, urls) = self.widths;
        let after_name = " ".repeat(names.saturating_sub(self.name.len()));
        let mut line = format!("{mark} {}{after_name}  {url}", paint.name(&self.name));
        if self.is_protected {
            let after_url = " ".repeat(urls.saturating_sub(measure_text_width(&url)));
            line.push_str(&format!("{after_url}  {}", paint.warn("protected")));
        }
        line
    }
}

pub(super) fn ls(printer: Printer) -> Result<Exit, Failure> {
    let file = ContextsFile::read()?;
    if file.contexts.is_empty() {
        let place = match &file.path {
            Some(path) => format!("there is no context in {}", one_line(&shown_path(path))),
            None => "there are no contexts: neither XDG_CONFIG_HOME nor HOME is set".to_owned(),
        };
        printer.note(&format!(
            "{place}; metaia context add NAME --url URL adds one"
        ));
    }
    let name = |context: &ServerContext| context.name.as_str().len();
    let url = |context: &ServerContext| measure_text_width(&one_line(&context.url));
    let widths = (
        file.contexts.iter().map(name).max().unwrap_or_default(),
        file.contexts.iter().map(url).max().unwrap_or_default(),
    );
    for context in &file.contexts {
        printer.report(&ListedContext {
            name: context.name.to_string(),
            url: context.url.clone(),
            is_current: file.current.as_ref() == Some(&context.name),
            is_protected: context.protected,
            widths,
        })?;
    }
    Ok(Exit::Ok)
}
