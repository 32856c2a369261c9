//! The inbox: notifications that SNS delivers over HTTP, kept as files.
