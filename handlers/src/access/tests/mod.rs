//! Every route over a small cloud that keeps state: what is put once, is put once, whoever asks at the same time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod api;
mod bench;
mod by_aws;
mod calls;
mod cloud;
mod cognito;
mod enter;
mod http;
mod logs;
mod profiles;
mod saml;
