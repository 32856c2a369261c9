use std::path::PathBuf;

use local::cloud::project_root;
use local::idp::{Options, PORT, certificate, run as serve};

use crate::context::{Context, current_folder};
use crate::error::Error;

/// An identity provider for the demo and for tests: it signs real assertions and asks nobody for a password.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The people and apps: {"people": [{"name": …, "attributes": {…}}], "apps": [{"name": …, "audience": …, "acs": …}]};
    /// read at each request
    #[arg(long, value_name = "FILE", required_unless_present = "certificate")]
    people: Option<PathBuf>,
    /// Port on 127.0.0.1
    #[arg(long, default_value_t = PORT)]
    port: u16,
    /// Its entity ID, if not the URL of its metadata
    #[arg(long)]
    issuer: Option<String>,
    /// Only print the certificate that its assertions are signed with, for the access file to pin
    #[arg(long)]
    certificate: bool,
}

impl Arguments {
    /// Whether it serves until it is stopped.
    pub(super) fn is_server(&self) -> bool {
        !self.certificate
    }
}

/// It ends by itself at SIGTERM and SIGINT.
pub(super) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    let home = match context.existing_home()? {
        Some(home) => home,
        // It works before the local cloud was ever started: its certificate is wanted for what is deployed then.
        None => project_root(&current_folder()?)?.join(".tidegate"),
    };
    let failed = |error: local::idp::Error| Error::failed(error.to_string());
    if arguments.certificate {
        let pem = certificate(&home).map_err(failed)?;
        return context.terminal.show(&serde_json::json!({ "certificate": pem }), || pem.trim_end().to_owned());
    }
    let options = Options {
        home,
        port: arguments.port,
        people: arguments.people.clone().unwrap_or_default(),
        issuer: arguments.issuer.clone(),
    };
    serve(options).await.map_err(failed)
}
