//! The SageMaker API.
