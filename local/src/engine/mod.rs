//! The context that every operation gets, and the server.
