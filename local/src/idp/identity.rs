//! The key that signs assertions: made once and kept, so that what pins its certificate holds.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use ::idp::{Identity, KeyKind};
use jiff::{SignedDuration, Timestamp};

use super::Error;

/// How long the certificate is good for.
const VALID: SignedDuration = SignedDuration::from_hours(10 * 365 * 24);

/// The certificate in PEM: what `access.yaml` pins. Key and certificate are made if there are none yet.
///
/// # Errors
/// When they cannot be read or made.
pub fn certificate(home: &Path) -> Result<String, Error> {
    Ok(keep(home)?.certificate_pem().to_owned())
}

/// The key and certificate of this home.
pub(super) fn keep(home: &Path) -> Result<Identity, Error> {
    let folder = home.join("idp");
    // One file for both, so that they cannot come apart.
    let file = folder.join("identity.pem");
    if let Some(found) = read(&file)? {
        return Ok(found);
    }
    let failed = |what| move |source| Error::File { what, file: folder.clone(), source };
    fs::create_dir_all(file.parent().unwrap_or(home)).map_err(failed("cannot make the folder"))?;
    let now = Timestamp::now();
    // A clock that was put back a little must not make it invalid.
    let from = now.saturating_sub(SignedDuration::from_hours(24)).unwrap_or(now);
    let until = now.saturating_add(VALID).unwrap_or(Timestamp::MAX);
    let made = Identity::new(KeyKind::Rsa2048, "Tidegate local identity provider", from, until)?;
    let temporary = file.with_extension(format!("{}.tmp", uuid::Uuid::new_v4()));
    let text = format!("{}{}", made.certificate_pem(), made.key_pem());
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut opened| opened.write_all(text.as_bytes()))
        // A link fails where a rename would replace what another start has just made.
        .and_then(|()| fs::hard_link(&temporary, &file));
    let removed = fs::remove_file(&temporary);
    match written {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read(&file)?.map_or(Ok(made), Ok),
        Err(source) => Err(Error::File { what: "cannot write", file, source }),
        Ok(()) => {
            removed.map_err(|source| Error::File { what: "cannot remove", file: temporary, source })?;
            Ok(made)
        }
    }
}

fn read(file: &PathBuf) -> Result<Option<Identity>, Error> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::File { what: "cannot read", file: file.clone(), source }),
    };
    const END: &str = "-----END CERTIFICATE-----";
    let (certificate, key) = text.split_once(END).unwrap_or(("", &text));
    Ok(Some(Identity::from_pem(key.trim_start(), &format!("{certificate}{END}\n"))?))
}
