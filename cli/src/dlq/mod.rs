//! Dead letters: events that a function could not be given, or failed at, and the queues that hold them.

mod letter;
mod queues;
mod shelf;
mod subject;

pub(crate) use letter::{Letter, Raw};
pub(crate) use queues::{FUNCTIONS, Kind, Queue, prefix_of};
pub(crate) use shelf::{Held, Look, QueueView, Shelf};
pub(crate) use subject::Subject;

#[cfg(test)]
pub(crate) use letter::tests as samples;
