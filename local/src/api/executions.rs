//! Pipeline executions.

use super::{Operation, operations};

/// The operations of this module.
pub(super) fn operations() -> &'static [Operation] {
    operations! {}
}
