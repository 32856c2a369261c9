use std::path::PathBuf;

/// Why the local cloud cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The state folder.
    #[error(transparent)]
    Store(#[from] crate::store::Error),
    /// The event queue.
    #[error(transparent)]
    Events(#[from] crate::events::EmitError),
    /// The image map.
    #[error(transparent)]
    Images(#[from] crate::engine::ImagesError),
    /// The service model.
    #[error(transparent)]
    Model(#[from] crate::model::ModelError),
    /// The port is taken.
    #[error("port {port} on 127.0.0.1 is in use; stop what listens there or choose another port")]
    PortInUse {
        /// The port.
        port: u16,
    },
    /// The port cannot be had for another reason.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// The port.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// Another engine works on the same home folder.
    #[error("another engine uses `{home}`; stop it or choose another home folder")]
    HomeInUse {
        /// The home folder.
        home: PathBuf,
    },
    /// The operating system refused something.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why not.
        source: std::io::Error,
    },
}
