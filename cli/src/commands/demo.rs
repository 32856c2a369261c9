//! Shows on this machine what Tidegate does.
