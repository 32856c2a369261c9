//! What must be there before a start.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use super::{Error, Options, process};

/// An execution of the example needs some hundred MiB; AutoGluon's models and S3's versions add up.
const NEEDED_MIB: u64 = 2048;

pub(super) fn prerequisites(options: &Options) -> Result<(), Error> {
    if !options.wrapper().is_file() {
        return Err(Error::NoRoot { start: options.root.clone() });
    }
    let python = options.python();
    if !python.is_file() {
        return Err(Error::NotSetUp { python });
    }
    Ok(())
}

pub(super) fn disk(home: &Path) -> Result<(), Error> {
    let free_mib = free_mib(home)?;
    if free_mib < NEEDED_MIB {
        return Err(Error::DiskSpace { home: home.to_owned(), free_mib, needed_mib: NEEDED_MIB });
    }
    Ok(())
}

fn free_mib(folder: &Path) -> Result<u64, Error> {
    let found = nix::sys::statvfs::statvfs(folder)
        .map_err(|errno| Error::io(format!("read the free space of `{}`", folder.display()))(errno.into()))?;
    #[allow(clippy::useless_conversion, reason = "the field types differ between systems")]
    let bytes = u64::from(found.blocks_available()).saturating_mul(u64::from(found.fragment_size()));
    Ok(bytes / (1024 * 1024))
}

pub(super) fn port(port: u16, part: &'static str) -> Result<(), Error> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            Err(Error::PortInUse { port, part, pid: process::listener(port) })
        }
        Err(source) => Err(Error::Io { what: format!("listen on port {port} of {part}"), source }),
    }
}

/// A port that nobody has now.
pub(super) fn free_port() -> Result<u16, Error> {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    Ok(free.map_err(Error::io("find a free port"))?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_names_its_owner() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let number = taken.local_addr().unwrap().port();
        let message = port(number, "the engine").unwrap_err().to_string();
        let expected = format!(
            "port {number} of the engine is in use by process {}; stop that program or choose another port",
            std::process::id()
        );
        assert_eq!(message, expected);
        drop(taken);
        assert!(port(number, "the engine").is_ok());
    }

    #[test]
    fn free_space_is_read() {
        assert!(free_mib(Path::new("/")).unwrap() > 0);
        assert!(free_mib(Path::new("/nonexistent")).is_err());
    }
}
