//! Parsing of filters.

use std::sync::Arc;
use std::thread;

use jaq_core::load::lex::Token;
use jaq_core::load::parse::Parser;
use jaq_core::load::{Arena, File, Lexer, Loader};

use super::children::{self, Definition, Term};
use super::invalid::InvalidFilter;
use super::steps::Stepped;
use super::{Filter, metered, mistakes, pure};

/// The name of the definition that the text becomes.
const MAIN: &str = "metaia_main";

/// The maximum length of a text.
const MAX_LENGTH: usize = 4096;

/// The maximum number of terms within each other. A filter that is applied uses stack for each.
const MAX_DEPTH: usize = 100;

/// The stack for parsing [`MAX_LENGTH`] opening brackets: the parser is recursive.
const PARSER_STACK: usize = 128 * 1024 * 1024;

impl Filter {
    /// Parses a filter, which may use the variables of these names (without `$`).
    ///
    /// # Errors
    /// Returns what is wrong with the text, and where.
    pub(crate) fn parse(text: &str, variables: &[&str]) -> Result<Self, InvalidFilter> {
        Self::parse_checked(text, variables, |_, _| Ok(()))
    }

    /// Parses a filter that has no `=`, as [`Filter::parse`] does.
    ///
    /// # Errors
    /// Returns what is wrong with the text, and where.
    pub(crate) fn without_assignment(
        text: &str,
        variables: &[&str],
    ) -> Result<Self, InvalidFilter> {
        Self::parse_checked(text, variables, mistakes::no_assignment)
    }

    fn parse_checked(text: &str, variables: &[&str], check: Check) -> Result<Self, InvalidFilter> {
        if text.len() > MAX_LENGTH {
            let message = format!("a filter has at most {MAX_LENGTH} bytes");
            return Err(InvalidFilter::new(message, 0..text.len()));
        }
        if text.trim().is_empty() {
            return Err(InvalidFilter::new("the filter is empty", 0..text.len()));
        }
        on_large_stack(text, || parse_here(text, variables, check))
    }
}

/// Refuses some of the texts that jq accepts.
type Check = fn(&str, &[Token<&str>]) -> Result<(), InvalidFilter>;

/// Runs the function on a thread of its own, which ends with it.
fn on_large_stack<T: Send>(
    text: &str,
    parse: impl FnOnce() -> Result<T, InvalidFilter> + Send,
) -> Result<T, InvalidFilter> {
    let failed = || InvalidFilter::new("the filter cannot be parsed", 0..text.len());
    thread::scope(|scope| {
        let builder = thread::Builder::new().stack_size(PARSER_STACK);
        let parser = builder.spawn_scoped(scope, parse);
        parser.map_err(|_| failed())?.join().map_err(|_| failed())?
    })
}

fn parse_here(text: &str, variables: &[&str], check: Check) -> Result<Filter, InvalidFilter> {
    let tokens = Lexer::new(text)
        .lex()
        .map_err(|errors| mistakes::lexing(text, &errors))?;
    let parsed = Parser::new(&tokens).parse(|parser| parser.term());
    let mut term = parsed.map_err(|errors| mistakes::parsing(text, &errors))?;
    check(text, &tokens)?;
    if depth(&mut term) > MAX_DEPTH {
        let message = format!("the filter has more than {MAX_DEPTH} terms within each other");
        return Err(InvalidFilter::new(message, 0..text.len()));
    }
    let used = used_variables(&mut term, variables);
    metered::put(&mut term);
    compile(text, term, variables, used)
}

fn compile(
    text: &str,
    term: Term<'_>,
    known: &[&str],
    used: Vec<String>,
) -> Result<Filter, InvalidFilter> {
    let main = Definition {
        name: MAIN,
        args: Vec::new(),
        body: term,
    };
    let loader = Loader::new(pure::definitions().chain([main]));
    let arena = Arena::default();
    let file = File {
        code: MAIN,
        path: (),
    };
    let failed = || InvalidFilter::new("the filter cannot be compiled", 0..text.len());
    let modules = loader.load(&arena, file).map_err(|_| failed())?;
    let compiler = jaq_core::Compiler::<_, Stepped>::default()
        .with_funs(pure::functions())
        .with_global_vars(used.iter().map(String::as_str));
    let program = compiler.compile(modules).map_err(|errors| {
        let mut errors = errors.into_iter().flat_map(|(_, errors)| errors);
        let error = errors.next();
        error.map_or_else(failed, |(name, kind)| {
            mistakes::undefined(text, name, &kind, known)
        })
    })?;
    Ok(Filter {
        text: text.into(),
        variables: used.into(),
        program: Arc::new(program),
    })
}

fn depth(term: &mut Term<'_>) -> usize {
    let mut deepest = 0;
    children::for_each(term, &mut |child| deepest = deepest.max(depth(child)));
    deepest + 1
}

/// Returns the known variables that the term uses, with `$`.
fn used_variables(term: &mut Term<'_>, known: &[&str]) -> Vec<String> {
    let mut used = Vec::new();
    collect_variables(term, &mut used);
    let known = known.iter().map(|name| format!("${name}"));
    known.filter(|name| used.contains(name)).collect()
}

fn collect_variables(term: &mut Term<'_>, used: &mut Vec<String>) {
    if let Term::Var(name) = term {
        used.push((*name).to_owned());
    }
    children::for_each(term, &mut |child| collect_variables(child, used));
}
