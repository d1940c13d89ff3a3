//! `metaia context add`: adds a context.

use metaia_realtime::Role;
use reqwest::header::{HeaderName, HeaderValue};
use toml_edit::{InlineTable, Item, Table, value};

use super::written_secret::{WrittenSecret, WrittenToken, from_working_folder};
use crate::address::Address;
use crate::context::GlobalArgs;
use crate::contexts::{ADDRESS_ALONE, ContextChanges, ContextName, is_secret_header, secret_part};
use crate::exit::{Exit, Failure};
use crate::printer::Printer;
use crate::secrets::Settings;

const EXAMPLES: &str = "\
Examples:
  metaia context add local --url http://localhost:5000 --data ./metaia-data
  metaia context add staging --url https://staging.example --jwt-secret-from env:STAGING_SECRET
  metaia context add staging --url https://staging.example \\
      --token-from 'admin=cmd:op read op://qa/metaia/admin' --token-from customer=file:~/u1.jwt
  metaia context add production --url https://api.example --protected";

/// The global options that are no member of a context.
pub(crate) const REFUSED: [&str; 7] = [
    "context",
    "yes",
    "token",
    "token_file",
    "timeout",
    "transport",
    "auth",
];

#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// The name: 1 to 64 of A-Z a-z 0-9 _ -
    name: ContextName,
    /// The data folder of a development server on this machine, which has its secrets
    #[arg(long, value_name = "PATH")]
    data: Option<String>,
    /// The secret that tokens are minted with: env:VARIABLE, file:PATH or cmd:COMMAND
    #[arg(long, value_name = "REFERENCE")]
    jwt_secret_from: Option<WrittenSecret>,
    /// The key of a backend
    #[arg(long, value_name = "REFERENCE")]
    api_key_from: Option<WrittenSecret>,
    /// The token of a role, or of commands without --as; may be repeated
    #[arg(long, value_name = "[ROLE=]REFERENCE")]
    token_from: Vec<WrittenToken>,
    /// Write nothing to this server without --yes. A context that is replaced stays protected
    /// unless this is =false
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", hide_possible_values = true)]
    protected: Option<bool>,
    /// Replace the context of this name: the new one has no member of the old one but `protected`
    #[arg(long)]
    force: bool,
}

pub(super) fn add(args: Args, global: &GlobalArgs, printer: Printer) -> Result<Exit, Failure> {
    refuse_others(global)?;
    let mut context = table(&args, global)?;
    let mut changes = ContextChanges::open()?;
    let name = &args.name;
    let is_known = changes.contains(name);
    if is_known && !args.force {
        let text = format!("there is a context {name} in {}", changes.shown_path());
        return Err(Failure::usage(text).hint("--force replaces it"));
    }
    let stays_protected = args.protected.is_none() && changes.is_protected(name);
    if stays_protected {
        context.insert("protected", value(true));
    }
    changes.put(name, context);
    changes.save()?;
    let verb = if is_known { "replaced" } else { "added" };
    printer.note(&format!(
        "{name} is {verb} in {}; metaia context check --context {name} tries it, and metaia \
         context use {name} makes it the current one",
        changes.shown_path()
    ));
    if stays_protected {
        printer.note(&format!(
            "{name} stays protected; --protected=false ends that"
        ));
    }
    Ok(Exit::Ok)
}

fn refuse_others(global: &GlobalArgs) -> Result<(), Failure> {
    if global.token.is_some() || global.token_file.is_some() {
        let failure = Failure::usage("--token and --token-file do not apply: a token is a secret");
        return Err(failure.hint("use --token-from env:VARIABLE, file:PATH or cmd:COMMAND"));
    }
    let others = [
        ("--context", global.context.is_some()),
        ("--timeout", global.timeout.is_some()),
        ("--transport", global.transport.is_some()),
        ("--auth", global.network.has_auth()),
    ];
    match others.iter().find(|(_, is_given)| *is_given) {
        Some((name, _)) => Err(Failure::usage(format!(
            "{name} does not apply: a context has no such member"
        ))),
        None => Ok(()),
    }
}

/// Returns the table of the context.
fn table(args: &Args, global: &GlobalArgs) -> Result<Table, Failure> {
    let Some(url) = &global.url else {
        let failure = Failure::usage("a context needs the address of its server");
        return Err(failure.hint("add --url URL, such as --url https://staging.example"));
    };
    Address::find(Some(url.clone()), &Settings::default()).base()?;
    if let Some(part) = secret_part(url) {
        let failure = Failure::usage(format!("--url has {part}, which may be a secret"));
        return Err(failure.hint(ADDRESS_ALONE));
    }
    let mut table = Table::new();
    table.insert("url", value(url.as_str()));
    if let Some(data) = &args.data {
        table.insert("data", value(from_working_folder(data)));
    }
    if let Some(origin) = &global.network.origin {
        table.insert("origin", value(origin.as_str()));
    }
    let secrets = [
        ("api_key", &args.api_key_from),
        ("jwt_secret", &args.jwt_secret_from),
    ];
    for (key, secret) in secrets {
        if let Some(secret) = secret {
            table.insert(key, value(secret.value()));
        }
    }
    insert_tokens(&mut table, &args.token_from)?;
    if let Some(path) = &global.network.cacert {
        let path = from_working_folder(&path.to_string_lossy());
        table.insert("cacert", value(path));
    }
    if global.network.insecure {
        table.insert("insecure", value(true));
    }
    insert_headers(&mut table, &global.network.headers)?;
    if args.protected == Some(true) {
        table.insert("protected", value(true));
    }
    Ok(table)
}

fn insert_tokens(table: &mut Table, tokens: &[WrittenToken]) -> Result<(), Failure> {
    let mut of_roles = InlineTable::new();
    for token in tokens {
        let secret = token.secret.value();
        let is_known = match token.role {
            Some(role) => of_roles.insert(role.as_str(), secret).is_some(),
            None => table.insert("token", value(secret)).is_some(),
        };
        if is_known {
            let of = token.role.map_or("commands without --as", Role::as_str);
            return Err(Failure::usage(format!(
                "--token-from gives two tokens of {of}"
            )));
        }
    }
    if !of_roles.is_empty() {
        table.insert("tokens", Item::Value(of_roles.into()));
    }
    Ok(())
}

fn insert_headers(table: &mut Table, headers: &[(HeaderName, HeaderValue)]) -> Result<(), Failure> {
    let mut written = InlineTable::new();
    for (name, text) in headers {
        if is_secret_header(name) {
            let failure = Failure::usage(format!(
                "--header {name}: its value is a secret, which does not belong in a file"
            ));
            return Err(failure.hint(format!(
                "add the context without it, then write headers = {{ {name} = {{ env = \
                 \"VARIABLE\" }} }} into the file"
            )));
        }
        let text = text.to_str().map_err(|error| {
            Failure::usage(format!("--header {name} cannot be kept")).caused_by(error)
        })?;
        written.insert(name.as_str(), text.into());
    }
    if !written.is_empty() {
        table.insert("headers", Item::Value(written.into()));
    }
    Ok(())
}
