//! One process of the cluster: its parts, the tasks that run on them, and the decisions that need
//! several of them.
//!
//! | file | what it is |
//! |---|---|
//! | [`process`] | [`Node`]: the parts, with access to each |
//! | [`parts`] | the parts that an embedder may choose |
//! | [`registry`] | the sessions of this node, and their rooms, with their [`members`] |
//! | [`window`] | the entries that were dispatched last |
//! | [`head_reads`] | reads of the log's head that callers share |
//! | [`devices`] | the stored positions of clients |
//! | [`disconnects`] | recent disconnect entries, for connections that register late |
//! | [`revocations`] | the tokens that are accepted no more; a task: reads those of other nodes |
//! | [`replay_budget`], [`decision_budget`] | how much each user may have replayed, and decided |
//! | [`stats`] | the table of all numbers; its parts: [`counter`], [`counted`], [`metrics`] |
//! | [`latencies`] | how long deliveries and publishes take, in [histograms](histogram) |
//! | [`tasks`] | starts the tasks that follow, each of which runs until the node stops |
//! | [`dispatcher`] | a task: offers the entries of the log to sessions |
//! | [`deliveries`] | delivers what was offered |
//! | [`housekeeping`] | a task: stores positions, and sends `rt:position` to quiet clients |
//! | [`announcer`] | a task: announces sessions to the directory |
//! | [`doorbell`] | tasks: notify other nodes, and receive their notifications |
//! | [`late_log`] | applies what was appended before the log could first be read |
//! | [`commit_times`] | estimates when the entries of other nodes were committed |
//! | [`access_rounds`] | rounds of decisions on the access of all sessions |
//! | [`unreadable`] | applies control entries that cannot be read |
//! | [`drain`](mod@drain) | ends the sessions and the tasks |
//! | [`finishing`] | the sessions that have ended and still handle events |
//! | [`admission`] | decides which sessions are admitted, into which rooms, and until when |
//! | [`recheck`] | asks the policy again for a session that is in an order's room |
//! | [`handshake_refusal`] | why a handshake is refused |
//! | [`refusals`] | the last refusals, and why each was |
//! | [`volatile`], [`views`] | deliver volatile events; show the node and its sessions |

mod access_rounds;
mod admission;
mod announcer;
mod commit_times;
mod counted;
mod counter;
mod decision_budget;
mod deliveries;
mod devices;
mod disconnects;
mod dispatcher;
mod doorbell;
mod drain;
mod finishing;
mod handshake_refusal;
mod head_reads;
mod histogram;
mod housekeeping;
mod late_log;
mod latencies;
mod members;
pub mod metrics;
mod parts;
mod process;
mod recheck;
mod refusals;
mod registry;
mod replay_budget;
mod revocations;
mod session_set;
mod stats;
mod tasks;
mod unreadable;
mod views;
mod volatile;
mod window;

pub(crate) use counted::{AppendFailure, CatchUpSource, TransportKind};
pub(crate) use devices::{DeviceClaim, JoinedKey};
#[cfg(any(test, feature = "__bench"))]
pub(crate) use dispatcher::dispatch;
#[cfg(test)]
pub(crate) use dispatcher::{dispatch_entries, reload_window};
#[cfg(feature = "axum")]
pub(crate) use drain::TIME_AFTER_DEADLINE;
pub(crate) use drain::drain;
pub(crate) use finishing::FinishingPlace;
pub(crate) use handshake_refusal::HandshakeRefusal;
pub(crate) use parts::NodeParts;
pub(crate) use process::Node;
pub(crate) use refusals::{AdmissionRefusal, ClientDescription, ProtocolRefusal};
#[cfg(test)]
pub(crate) use registry::Entered;
pub(crate) use revocations::Revocations;
pub(crate) use stats::Counters;
pub use stats::NodeStats;
pub(crate) use views::session_view;
pub(crate) use window::Window;
