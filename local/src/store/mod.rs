//! Resources as JSON documents that survive a restart.
