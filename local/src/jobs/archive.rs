//! `model.tar.gz`, `output.tar.gz` and `sourcedir.tar.gz`.

use std::fs::File;
use std::io;
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

/// Packs what is in `folder`, not the folder itself, into the gzipped tar file `target`. Blocks.
///
/// # Errors
/// When a file cannot be read or written.
pub fn pack(folder: &Path, target: &Path) -> io::Result<()> {
    // Models are mostly noise to gzip: the fastest level is half as long and 3 % larger.
    let mut archive = tar::Builder::new(GzEncoder::new(File::create(target)?, Compression::fast()));
    // A link out of the folder would be of no use elsewhere.
    archive.follow_symlinks(true);
    let mut entries: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            archive.append_dir_all(entry.file_name(), &path)?;
        } else {
            archive.append_path_with_name(&path, entry.file_name())?;
        }
    }
    archive.into_inner()?.finish().map(drop)
}

/// Unpacks a gzipped tar file into `folder`. Entries that lead out of it are left out. Blocks.
///
/// # Errors
/// When it is not such a file, or a file cannot be written.
pub fn unpack(archive: &Path, folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut archive = tar::Archive::new(GzDecoder::new(File::open(archive)?));
    archive.set_preserve_ownerships(false);
    archive.unpack(folder)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_packed_comes_out_again() {
        let folder = std::env::temp_dir().join(format!("tidegate-archive-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(folder.join("in/sub")).unwrap();
        std::fs::write(folder.join("in/a"), "1").unwrap();
        std::fs::write(folder.join("in/sub/b"), "2").unwrap();
        pack(&folder.join("in"), &folder.join("x.tar.gz")).unwrap();
        unpack(&folder.join("x.tar.gz"), &folder.join("out")).unwrap();
        assert_eq!(std::fs::read_to_string(folder.join("out/a")).unwrap(), "1");
        assert_eq!(std::fs::read_to_string(folder.join("out/sub/b")).unwrap(), "2");
        assert!(unpack(&folder.join("in/a"), &folder.join("out")).is_err());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
