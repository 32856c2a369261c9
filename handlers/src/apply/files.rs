//! The files of a pipeline: `pipeline.yaml` and everything in `src/` beside it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Component, Path};

use statemachine::config::SOURCE_FOLDER;
use zip::ZipArchive;

/// The configuration's name.
pub(super) const CONFIG: &str = "pipeline.yaml";

/// The most files. A pipeline has a handful of scripts.
pub const FILE_COUNT_LIMIT: usize = 1000;

/// The most bytes of all files together, unpacked: they are held in a function's memory, packed and unpacked.
pub const BYTES_LIMIT: u64 = 32 * 1024 * 1024;

/// How deep folders may nest below `src/`.
const DEPTH_LIMIT: usize = 16;

/// Why the files cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// There is no configuration.
    #[error("there is no `{0}`: a pipeline is a folder with {CONFIG} and its scripts in {SOURCE_FOLDER}/")]
    NoConfig(String),
    /// The configuration is not text.
    #[error("`{0}` is not UTF-8: save it as UTF-8")]
    NotText(String),
    /// A file or folder cannot be read.
    #[error("`{path}` cannot be read: {reason}")]
    Unreadable {
        /// Which.
        path: String,
        /// In the system's words.
        reason: String,
    },
    /// A path that leads out of the folder, or that S3 and the containers would not have.
    #[error("`{0}` is not accepted: accepted are files and folders with UTF-8 names, and no links out of the folder")]
    Path(String),
    /// Too much.
    #[error("the pipeline has more than {0}: keep data out of {SOURCE_FOLDER}/")]
    TooLarge(String),
    /// Not a zip.
    #[error("the archive cannot be read: {0}")]
    Archive(String),
}

/// A pipeline's files in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectFiles {
    /// The path of `pipeline.yaml`, as errors show it.
    pub name: String,
    /// `pipeline.yaml` and the files below `src/`, by their paths relative to the folder, with `/`.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl ProjectFiles {
    /// From a folder, or from the path of its `pipeline.yaml`. Hidden files and `__pycache__` are left out.
    ///
    /// # Errors
    /// There is no `pipeline.yaml`; something cannot be read, leads out of the folder, or is too large.
    pub fn from_dir(path: &Path) -> Result<Self, FilesError> {
        let folder = match path.file_name() {
            Some(name) if name == CONFIG => path.parent().unwrap_or(Path::new("")),
            _ => path,
        };
        let config = folder.join(CONFIG);
        let name = config.display().to_string();
        if !config.is_file() {
            return Err(FilesError::NoConfig(name));
        }
        let mut collected = Collected::default();
        collected.take(CONFIG.to_owned(), fs::File::open(&config).map_err(|error| unreadable(&config, &error))?)?;
        let source = folder.join(SOURCE_FOLDER);
        if source.is_dir() {
            let root = source.canonicalize().map_err(|error| unreadable(&source, &error))?;
            walk(&source, &root, SOURCE_FOLDER, 0, &mut collected)?;
        }
        Ok(Self { name, files: collected.files })
    }

    /// From a zip whose root is the folder.
    ///
    /// # Errors
    /// It is not a zip, has no `pipeline.yaml`, or holds a path that leads out of it or too much.
    pub fn from_zip(bytes: &[u8]) -> Result<Self, FilesError> {
        let files = unpack(bytes, belongs)?;
        if !files.contains_key(CONFIG) {
            return Err(FilesError::NoConfig(CONFIG.to_owned()));
        }
        Ok(Self { name: CONFIG.to_owned(), files })
    }

    /// The files below `src/`, by their paths within it.
    #[must_use]
    pub fn source(&self) -> BTreeMap<String, Vec<u8>> {
        let files = self.files.iter();
        let within = files.filter_map(|(path, content)| {
            let path = path.strip_prefix(SOURCE_FOLDER)?.strip_prefix('/')?;
            Some((path.to_owned(), content.clone()))
        });
        within.collect()
    }

    pub(super) fn config(&self) -> Result<&str, FilesError> {
        let bytes = self.files.get(CONFIG).ok_or_else(|| FilesError::NoConfig(self.name.clone()))?;
        str::from_utf8(bytes).map_err(|_| FilesError::NotText(self.name.clone()))
    }
}

/// The files of a zip whose paths are wanted. At most [`FILE_COUNT_LIMIT`] files and [`BYTES_LIMIT`] bytes, unpacked.
///
/// # Errors
/// It is not a zip, or holds a path that leads out of it, a link that is wanted, or too much.
pub(crate) fn unpack(bytes: &[u8], wanted: impl Fn(&str) -> bool) -> Result<BTreeMap<String, Vec<u8>>, FilesError> {
    let broken = |error: zip::result::ZipError| FilesError::Archive(error.to_string());
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    let mut collected = Collected::default();
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(broken)?;
        let name = entry.name().map_err(broken)?.into_owned();
        let path = entry.enclosed_name().ok_or_else(|| FilesError::Path(name.clone()))?;
        let path = plain(&path).ok_or_else(|| FilesError::Path(name.clone()))?;
        if entry.is_dir() || !wanted(&path) {
            continue;
        }
        if entry.is_symlink() {
            return Err(FilesError::Path(name));
        }
        collected.take(path, entry)?;
    }
    Ok(collected.files)
}

/// `None` where a component is not plain UTF-8.
fn plain(path: &Path) -> Option<String> {
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(parts.join("/"))
}

fn belongs(path: &str) -> bool {
    let in_source = path.strip_prefix(SOURCE_FOLDER).is_some_and(|rest| rest.starts_with('/'));
    path == CONFIG || (in_source && !path.split('/').any(is_ignored))
}

/// What editors, version control and Python leave behind.
pub(crate) fn is_ignored(name: &str) -> bool {
    name.starts_with('.') || name == "__pycache__" || name.ends_with(".pyc")
}

fn walk(folder: &Path, root: &Path, shown: &str, depth: usize, collected: &mut Collected) -> Result<(), FilesError> {
    if depth > DEPTH_LIMIT {
        return Err(FilesError::TooLarge(format!("{DEPTH_LIMIT} levels of folders")));
    }
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        let refused = || FilesError::Path(path.display().to_string());
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(refused)?;
        if is_ignored(name) {
            continue;
        }
        // A link may lead to another place of the same folder and nowhere else.
        let real = path.canonicalize().map_err(|error| unreadable(&path, &error))?;
        if !real.starts_with(root) {
            return Err(refused());
        }
        let shown = format!("{shown}/{name}");
        if real.is_dir() {
            walk(&path, root, &shown, depth + 1, collected)?;
        } else if real.is_file() {
            collected.take(shown, fs::File::open(&real).map_err(|error| unreadable(&path, &error))?)?;
        } else {
            return Err(refused());
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &std::io::Error) -> FilesError {
    FilesError::Unreadable { path: path.display().to_string(), reason: error.to_string().to_lowercase() }
}

#[derive(Default)]
struct Collected {
    files: BTreeMap<String, Vec<u8>>,
    bytes: u64,
}

impl Collected {
    /// Reads no more than what is left of the limit, whatever the file or archive claims to hold.
    fn take(&mut self, path: String, from: impl Read) -> Result<(), FilesError> {
        if self.files.len() >= FILE_COUNT_LIMIT {
            return Err(FilesError::TooLarge(format!("{FILE_COUNT_LIMIT} files")));
        }
        let left = BYTES_LIMIT.saturating_sub(self.bytes);
        let mut content = Vec::new();
        let read = from.take(left + 1).read_to_end(&mut content);
        let read = read.map_err(|error| FilesError::Unreadable { path: path.clone(), reason: error.to_string() })?;
        self.bytes += u64::try_from(read).unwrap_or(u64::MAX);
        if self.bytes > BYTES_LIMIT {
            return Err(FilesError::TooLarge(format!("{} MiB", BYTES_LIMIT / 1024 / 1024)));
        }
        self.files.insert(path, content);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;

    use zip::write::SimpleFileOptions;

    use super::*;

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        for (path, content) in files {
            writer.start_file(*path, options).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn a_folder_and_its_zip_are_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, content: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        };
        for path in ["pipeline.yaml", "src/train.py", "src/lib/util.py"] {
            write(path, path);
        }
        for path in ["data/big.csv", ".git/config", "src/.hidden", "src/__pycache__/train.pyc", "src/lib/x.pyc"] {
            write(path, "no");
        }
        let read = ProjectFiles::from_dir(folder.path()).unwrap();
        let names: Vec<&str> = read.files.keys().map(String::as_str).collect();
        assert_eq!(names, ["pipeline.yaml", "src/lib/util.py", "src/train.py"]);
        assert_eq!(read, ProjectFiles::from_dir(&folder.path().join(CONFIG)).unwrap());

        let mut entries: Vec<(&str, &[u8])> = read.files.iter().map(|(path, content)| (&**path, &**content)).collect();
        entries.push(("data/big.csv", b"no"));
        entries.push(("src/__pycache__/train.pyc", b"no"));
        assert_eq!(ProjectFiles::from_zip(&archive(&entries)).unwrap().files, read.files);
        assert_eq!(read.source().into_keys().collect::<Vec<_>>(), ["lib/util.py", "train.py"]);
    }

    #[test]
    fn a_path_that_leads_out_is_refused() {
        for path in ["../src/train.py", "src/../../etc/passwd", "/etc/passwd"] {
            let read = ProjectFiles::from_zip(&archive(&[("pipeline.yaml", b"x"), (path, b"y")]));
            // An absolute path may be taken for one within, but never for a file of the pipeline.
            let harmless = read.as_ref().is_ok_and(|read| read.files.len() == 1);
            assert!(matches!(read, Err(FilesError::Path(_))) || harmless, "{path}: {read:?}");
        }
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("src")).unwrap();
        fs::write(folder.path().join(CONFIG), "x").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("src/train.py")).unwrap();
        assert!(matches!(ProjectFiles::from_dir(folder.path()), Err(FilesError::Path(_))));
    }

    #[test]
    fn an_archive_that_unpacks_to_too_much_is_refused() {
        let zeros = vec![0; usize::try_from(BYTES_LIMIT).unwrap()];
        let bomb = archive(&[("pipeline.yaml", b"x"), ("src/a.py", &zeros), ("src/b.py", &zeros)]);
        assert!(bomb.len() < 1024 * 1024);
        let error = ProjectFiles::from_zip(&bomb).unwrap_err();
        assert_eq!(error.to_string(), "the pipeline has more than 32 MiB: keep data out of src/");
    }

    #[test]
    fn what_is_missing_or_no_archive_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let error = ProjectFiles::from_dir(folder.path()).unwrap_err().to_string();
        assert!(error.contains("pipeline.yaml`: a pipeline is a folder with"), "{error}");
        assert!(matches!(ProjectFiles::from_zip(b"no zip"), Err(FilesError::Archive(_))));
        assert!(matches!(ProjectFiles::from_zip(&archive(&[("a", b"")])), Err(FilesError::NoConfig(_))));
    }
}
