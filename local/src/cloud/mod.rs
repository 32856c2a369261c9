//! The launcher of the local cloud: `MiniStack` and the engine.
