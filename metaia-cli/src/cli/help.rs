//! The help of each command: the options that have a meaning for it.

use crate::commands::contexts;
use crate::context::Uses;

/// Hides in each command the global options that it refuses.
pub(super) fn of_each(mut root: clap::Command) -> clap::Command {
    // Only then have the commands the global options.
    root.build();
    root.mut_subcommands(|command| match command.get_name() {
        "tail" | "connect" | "join" | "matrix" | "expect" | "test" | "doctor" | "help" => command,
        "token" => command.mut_subcommands(|command| match command.get_name() {
            "mint" => without_refused(command, Uses::Secret),
            "inspect" => without_refused(command, Uses::Token),
            _ => command,
        }),
        "explain" | "completions" | "man" => without_refused(command, Uses::Nothing),
        "context" => command.mut_subcommands(|command| match command.get_name() {
            "show" | "check" => command,
            "add" => without_names(command),
            _ => without_refused(command, Uses::Nothing),
        }),
        _ => without_refused(command, Uses::Rest),
    })
}

/// Hides the global options that have no meaning for a context that is being added.
fn without_names(command: clap::Command) -> clap::Command {
    hiding(command, |option| contexts::REFUSED_BY_ADD.contains(&option))
}

/// Hides the global options that a command refuses from its help.
fn without_refused(command: clap::Command, uses: Uses) -> clap::Command {
    hiding(command, |option| uses.refuses(option))
}

/// Hides the options of these names, beside those that are hidden already.
fn hiding(command: clap::Command, is_refused: impl Fn(&str) -> bool) -> clap::Command {
    command.mut_args(|option| {
        let is_hidden = option.is_hide_set() || is_refused(option.get_id().as_str());
        option.hide(is_hidden)
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::super::Cli;
    use super::*;

    /// Returns the help of one command, at a width that does not depend on the terminal.
    fn help(path: &[&str]) -> String {
        let mut root = of_each(Cli::command().term_width(90));
        let command = path.iter().fold(&mut root, |command, name| {
            command.find_subcommand_mut(name).unwrap()
        });
        command.render_help().to_string()
    }

    #[test]
    fn the_definition_is_valid() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_begins_with_examples() {
        let paths: [&[&str]; 19] = [
            &[],
            &["tail"],
            &["connect"],
            &["join"],
            &["matrix"],
            &["emit"],
            &["trigger"],
            &["expect"],
            &["test"],
            &["doctor"],
            &["token", "mint"],
            &["token", "inspect"],
            &["revoke"],
            &["context", "ls"],
            &["context", "add"],
            &["context", "use"],
            &["context", "show"],
            &["context", "check"],
            &["context", "rm"],
        ];
        for path in paths {
            assert!(help(path).starts_with("Examples:\n  "), "{path:?}");
        }
    }

    #[test]
    fn the_help_shows_no_option_that_a_command_refuses() {
        let shows = |path: &[&str], option: &str| help(path).contains(&format!("{option} <"));
        for option in ["--transport", "--origin", "--auth"] {
            for name in [
                "tail", "connect", "join", "matrix", "expect", "test", "doctor",
            ] {
                assert!(shows(&[name], option), "{name}");
            }
            assert!(!shows(&["api"], option));
            assert!(!shows(&["sessions"], option));
            assert!(!shows(&["emit"], option));
            assert!(!shows(&["trigger"], option));
            assert!(!shows(&["token", "mint"], option));
        }
        assert!(shows(&["emit"], "--token"));
        assert!(shows(&["token", "inspect"], "--token"));
        assert!(!shows(&["token", "inspect"], "--url"));
        assert!(!shows(&["token", "mint"], "--token"));
        assert!(shows(&["token", "mint"], "--context"));
        assert!(shows(&["context", "add"], "--url"));
        assert!(!shows(&["context", "add"], "--context"));
        assert!(!shows(&["context", "ls"], "--context"));
        assert!(shows(&["context", "check"], "--context"));
        assert!(!shows(&["explain"], "--context"));
    }

    #[test]
    fn the_help_shows_commands_and_exit_codes() {
        insta::assert_snapshot!(help(&[]), @"
        Examples:
          metaia tail --as customer:u1                       show what a customer's phone receives
          metaia trigger new_notification --to user:u1       send a test notification
          metaia trigger order.lifecycle                     an order from creation to delivery
          metaia join ORDER --as tailor:t1 --expect deny     test who may join a room
          metaia emit user:u1 stock_low sku=thread left:=3   send any event
          metaia expect customer:u2 --never -- COMMAND       prove that somebody receives nothing
          metaia test scenarios/                             run scenario files
          metaia doctor --as customer:u1                     why a client does not connect
          metaia token mint --role admin --user a1           make a token for curl or an app

        The QA tool of METAIA realtime

        Usage: metaia [OPTIONS] <COMMAND>

        Commands:
          token        Mint valid or deliberately invalid tokens, and inspect tokens
          tail         Print the events that a user receives, one per line
          connect      Connect as several roles at once, interactively or by a script
          join         Check whether a user may join the room of an order
          matrix       Measure who may do what, and compare it with a file
          emit         Send any event to a user, a role, an order's room or everyone
          expect       Watch, run a command, and check what came, or that nothing came
          test         Run scenario files: who does what, and what each must receive
          trigger      Cause events through the server's REST API, as real apps do
          order        List, show, place, assign, move or cancel orders by REST, as one person
          api          Send one REST request, and print its answer
          sessions     List the sessions that are connected now
          rooms        List the rooms, with the number of sessions in each
          online       Tell whether users are connected
          stats        Show what the server has done, once or again and again
          refusals     List why the server turned clients away: why does this phone not connect?
          disconnect   End a session, or all sessions of a user
          revoke       Revoke tokens for good: of a user, one, or everyone's
          context      Keep servers and their credentials under names: --context NAME uses one
          doctor       Check each step of a connection: why does this client not connect?
          explain      Tell what a code means, and what to do
          completions  Print what a shell needs to complete commands and options
          man          Print the manual page, or write one for each command
          help         Print this message or the help of the given subcommand(s)

        Options:
          -h, --help     Print help (see more with '--help')
          -V, --version  Print version

        Global options:
              --context <NAME>     Use this context: a server and its credentials, by a name [env:
                                   METAIA_CONTEXT]
              --yes                Write to the server of a protected context
              --url <URL>          Server URL [env: METAIA_URL] [default: http://localhost:5000]
              --token <JWT>        Use this token [env: METAIA_TOKEN]
              --token-file <PATH>  Read the token from this file
              --timeout <TIME>     Time limit of each connection, request and answer [default:
                                   10s]
              --transport <NAME>   websocket, polling, or upgrade (begins with polling) [default:
                                   websocket]
          -o, --output <OUTPUT>    Output format [default: text] [possible values: text, json,
                                   ndjson]
              --color <COLOR>      Use colours; auto respects NO_COLOR [default: auto] [possible
                                   values: auto, always, never]
          -q, --quiet              Print only data and errors
          -v, --verbose            Also print each REST request and its status

        Connection options:
              --origin <URL>          Send this Origin, as a browser does
              --header <NAME: VALUE>  Send this header with every request; may be repeated
              --auth <AUTH>           Send the token of sockets as phones do, as browsers do, or
                                      both ways [default: both] [possible values: header, payload,
                                      both]
              --cacert <PATH>         Trust only the certificates in this file (PEM), and what
                                      they sign
              --insecure              Do not verify the server's certificate

        Exit codes:
          0 ok · 1 failed · 2 usage · 3 not connected · 4 authentication · 5 permission
          6 expectation not met or gap · 7 timed out · 130 interrupted
          For sockets and REST alike: 3 is also a redirect, a page of a proxy, HTTP 502, 503, 504;
          4 is HTTP 401, 5 is HTTP 403, 1 is any other refusal of the server
        ");
    }

    #[test]
    fn tail_shows_its_options() {
        insta::assert_snapshot!(help(&["tail"]), @r#"
        Examples:
          metaia tail --as customer:u1                        what changed; times are UTC
          metaia tail --as admin:a1 --event order_update -o ndjson | jq .data.status
          metaia tail --as tailor:t1 --order ORDER --count 1 --for 30s   exit code 0 or 7
          metaia tail --as customer:u1 --since POSITION                  missed events first
          metaia tail admin:a1 -- metaia trigger order.lifecycle         what a command causes

        Print the events that a user receives, one per line

        Usage: metaia tail [OPTIONS] [ROLE:USER] [-- <COMMAND>...]

        Arguments:
          [ROLE:USER]   Connect as this role and user
          [COMMAND]...  Run this command when the session is live, and exit when it has ended and
                        everything that was committed until then has arrived: proven by a fence.
                        What it prints goes to standard error

        Options:
              --as <ROLE:USER>    Connect as this role and user
              --order <ORDER>     Also join the room of this order (id or number); may be repeated
              --event <NAME>      Print only events of this name; may be repeated
              --where <JQ>        Print only events for which this condition in jq is true, such
                                  as '.data.amount > 0'
              --strict            Refuse a name of --event that the server does not send itself
              --since <POSITION>  Resume after this position
              --fresh             Receive no event that an earlier session with the same token
                                  missed
              --full              Show the whole payload of each event, instead of one line that
                                  says what changed
              --control           Also print the changes of the connection on standard output
              --count <N>         Exit after N events. Those that an earlier session missed do not
                                  count, except with --since
              --count-replayed    Let events that an earlier session with the same token missed
                                  count, too
              --for <TIME>        Exit this long after the session is live: with code 3 if it is
                                  not live then; with --count, with code 7 if fewer events arrived
          -h, --help              Print help (see more with '--help')

        Global options:
              --context <NAME>     Use this context: a server and its credentials, by a name [env:
                                   METAIA_CONTEXT]
              --yes                Write to the server of a protected context
              --url <URL>          Server URL [env: METAIA_URL] [default: http://localhost:5000]
              --token <JWT>        Use this token [env: METAIA_TOKEN]
              --token-file <PATH>  Read the token from this file
              --timeout <TIME>     Time limit of each connection, request and answer [default:
                                   10s]
              --transport <NAME>   websocket, polling, or upgrade (begins with polling) [default:
                                   websocket]
          -o, --output <OUTPUT>    Output format [default: text] [possible values: text, json,
                                   ndjson]
              --color <COLOR>      Use colours; auto respects NO_COLOR [default: auto] [possible
                                   values: auto, always, never]
          -q, --quiet              Print only data and errors
          -v, --verbose            Also print each REST request and its status

        Connection options:
              --origin <URL>          Send this Origin, as a browser does
              --header <NAME: VALUE>  Send this header with every request; may be repeated
              --auth <AUTH>           Send the token of sockets as phones do, as browsers do, or
                                      both ways [default: both] [possible values: header, payload,
                                      both]
              --cacert <PATH>         Trust only the certificates in this file (PEM), and what
                                      they sign
              --insecure              Do not verify the server's certificate
        "#);
    }

    #[test]
    fn trigger_shows_its_flows() {
        insta::assert_snapshot!(help(&["trigger"]), @"
        Examples:
          metaia trigger new_notification --to user:u1 --title Hello
          metaia trigger order_update --to user:u1             place an order
          metaia trigger order_update --set currency=USD       with any member of your own
          metaia trigger order_update --order ORDER            move it to the next status
          metaia trigger payment_update --to user:u1           place an order and pay for it
          metaia trigger payment.webhook --event payment.failed
          metaia trigger payment.webhook --times 2             the same delivery twice
          metaia trigger payment.webhook --tamper amount       code 0 if the server refuses it
          metaia trigger tailor_status_update --to user:t1 --status busy
          metaia trigger order.assign --order ORDER --tailor t2
          metaia trigger order.lifecycle --pace 2s --until ready
          metaia trigger order.lifecycle -o ndjson             from creation to delivery

        Cause events through the server's REST API, as real apps do

        Usage: metaia trigger [OPTIONS] <EVENT>

        Arguments:
          <EVENT>  The event or flow to trigger [possible values: new_notification, order_update,
                   payment_update, payment.webhook, tailor_status_update, order.assign,
                   order.cancel, order.lifecycle]

        Options:
              --to <user:U>        The recipient of the notification, the customer, or the tailor
              --order <ORDER>      Use this existing order instead of a new one: its id, its room
                                   or its number
              --status <STATUS>    order_update: the new status (default: the next one);
                                   tailor_status_update: available, busy or offline
              --title <TITLE>      new_notification: the title
              --message <MESSAGE>  new_notification: the text
              --set <ITEM>         A member of what the flow creates (the order, the notification,
                                   the status): k=v is a string, n:=1 is JSON, @file.json is all
                                   of it; may be repeated
              --times <N>          Do the last step this many times: a confirmation or a webhook
                                   is sent again as it is
              --pace <TIME>        Wait between two steps, so that people can watch
              --until <STATUS>     order.lifecycle: end when the order has this status [possible
                                   values: pending, confirmed, in_progress, ready,
                                   out_for_delivery, delivered]
              --event <NAME>       payment.webhook: the provider's event, such as payment.failed,
                                   order.paid or refund.processed [default: payment.captured]
              --event-id <ID>      payment.webhook: the provider's id of the event [default: a new
                                   one]
              --attempt <ID>       payment.webhook, payment_update: the provider's id of the
                                   attempt to pay [default: a new one]
              --tamper <WHAT>      payment.webhook, payment_update: change what is sent, and
                                   expect that the server refuses it (code 6 if it does not)
                                   [possible values: signature, payment, amount, body]
              --customer <U>       The customer, who orders and pays [default: the token's owner,
                                   or cli-customer]
              --tailor <U>         The tailor, who sews [default: the token's owner, or
                                   cli-tailor]
              --courier <U>        The courier, who delivers [default: the token's owner, or
                                   cli-courier]
              --admin <U>          The admin, who confirms, assigns and notifies [default: the
                                   token's owner, or cli-admin]
              --jq <JQ>            Print what this jq filter makes of each step, such as
                                   '.data.order._id'; texts are printed without quotes
          -h, --help               Print help (see more with '--help')

        Global options:
              --context <NAME>     Use this context: a server and its credentials, by a name [env:
                                   METAIA_CONTEXT]
              --yes                Write to the server of a protected context
              --url <URL>          Server URL [env: METAIA_URL] [default: http://localhost:5000]
              --token <JWT>        Use this token [env: METAIA_TOKEN]
              --token-file <PATH>  Read the token from this file
              --timeout <TIME>     Time limit of each connection, request and answer [default:
                                   10s]
          -o, --output <OUTPUT>    Output format [default: text] [possible values: text, json,
                                   ndjson]
              --color <COLOR>      Use colours; auto respects NO_COLOR [default: auto] [possible
                                   values: auto, always, never]
          -q, --quiet              Print only data and errors
          -v, --verbose            Also print each REST request and its status

        Connection options:
              --header <NAME: VALUE>  Send this header with every request; may be repeated
              --cacert <PATH>         Trust only the certificates in this file (PEM), and what
                                      they sign
              --insecure              Do not verify the server's certificate
        ");
    }
}
