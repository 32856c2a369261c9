//! Planning of Studio domains. Everything here is pure but for `deployed`, which asks SageMaker.

pub(crate) mod addresses;
