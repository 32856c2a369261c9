//! `tidegate studio backup`

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;

use crate::context::Context;
use crate::error::Error;
use crate::studio::backup;
use crate::studio::manifest;
use crate::studio::manifest::store::{self, Place};

/// Which domain, and where to.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
          tidegate studio backup --domain team1 --to s3://backups/studio\n  \
          tidegate studio backup --domain d-0123456789ab --to team1.json\n\n\
          Nothing is changed in the domain, and no manifest is overwritten. Keep manifests where users of the domain cannot \
          write: whoever restores one gives it the roles that it names. docs/RECOVERY.md tells how to restore, and what no \
          manifest holds.")]
pub(crate) struct Arguments {
    /// The domain, by its name or its id
    #[arg(long, short, value_name = "NAME|ID")]
    domain: String,
    /// Where the manifest goes: a file, a folder, or a prefix in a bucket, named there by domain and time; by default the
    /// current folder
    #[arg(long, value_name = "FILE|s3://BUCKET/PREFIX", value_parser = Place::read)]
    to: Option<Place>,
    /// The account that the bucket must be of, if it is not the domain's
    #[arg(long, value_name = "ACCOUNT", value_parser = account)]
    bucket_owner: Option<String>,
}

fn account(text: &str) -> Result<String, String> {
    let fine = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if fine { Ok(text.to_owned()) } else { Err("an account has 12 digits".to_owned()) }
}

/// What was written.
#[derive(Debug, Serialize)]
struct Written {
    manifest: String,
    sha256: String,
    domain: String,
    profiles: usize,
    spaces: usize,
    warnings: Vec<String>,
}

pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Error> {
    let session = context.session().await?;
    let (terminal, client) = (&context.terminal, session.aws.sagemaker());
    let progress = terminal.progress("looking for the domain");
    let id = backup::find(client, &arguments.domain).await?;
    let taken = backup::read(client, &id, Timestamp::now(), |what| progress.say(what)).await?;
    let backup = &taken.backup;
    let unwritable = |error| Error::failed(format!("the manifest cannot be written: {error}"));
    let document = backup.document().map_err(unwritable)?;
    // Found out now, and not on the day on which it is needed.
    if manifest::parse("the manifest", document.text.as_bytes())? != *backup {
        return Err(Error::failed(
            "the manifest does not read back as it was written: this is a defect of this program",
        ));
    }
    let folder = Place::Local(PathBuf::from("."));
    let place = arguments.to.as_ref().unwrap_or(&folder).of(backup);
    progress.say(&format!("writing {place}"));
    let owner = arguments.bucket_owner.as_deref().unwrap_or_else(|| backup.domain.arn.account());
    store::write(session.aws.s3(), &place, &document, owner).await?;
    let (profiles, spaces) = (backup.profiles.len(), backup.spaces.len());
    progress.done(&format!("{profiles} profiles and {spaces} spaces of {} ({id})", backup.domain.name));
    let written = Written {
        manifest: place.to_string(),
        sha256: document.sha256,
        domain: id,
        profiles,
        spaces,
        warnings: taken.warnings(),
    };
    for warning in &written.warnings {
        terminal.warn(warning);
    }
    terminal.show(&written, || format!("{}\nsha256 {}", written.manifest, written.sha256))
}
