//! Service events to the local EventBridge.
