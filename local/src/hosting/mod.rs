//! Endpoints: one server process each.
