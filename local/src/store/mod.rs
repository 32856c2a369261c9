//! Resources as JSON documents that survive a restart.
//!
//! A document is one file, `<root>/<kind>/<key>.json`, replaced by a rename: after a kill at any moment it is the old or
//! the new one. Nothing is synced to the disk, so a power cut may lose the last seconds.

mod file;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A kind of document.
pub trait Document: Serialize + DeserializeOwned {
    /// The folder of this kind: lower case letters and hyphens.
    const KIND: &'static str;
}

/// Why a document cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system refused.
    #[error("cannot write the state file `{file}`: {source}")]
    Write {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The folder cannot be read.
    #[error("cannot read the state folder `{folder}`: {source}")]
    Read {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A document does not have the form of its kind, after an upgrade perhaps.
    #[error("the {kind} `{key}` in the state folder cannot be understood: {source}")]
    Form {
        /// The kind.
        kind: &'static str,
        /// The key.
        key: String,
        /// Why.
        source: serde_json::Error,
    },
}

type Kinds = HashMap<String, BTreeMap<String, Value>>;

/// All documents, in memory and on disk. Every change holds one lock, so changes are one after another.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    kinds: Mutex<Kinds>,
}

impl Store {
    /// Reads all documents under `root`. A file that is no JSON (a crash of the machine can leave one) is put aside as
    /// `.corrupt` and logged.
    ///
    /// # Errors
    /// When the folder cannot be made or read.
    pub fn open(root: &Path) -> Result<Self, Error> {
        let kinds = file::read_all(root).map_err(|source| Error::Read { folder: root.to_owned(), source })?;
        Ok(Self { root: root.to_owned(), kinds: Mutex::new(kinds) })
    }

    /// The document under this key.
    ///
    /// # Errors
    /// When the stored document does not have the form of `T`.
    pub fn get<T: Document>(&self, key: &str) -> Result<Option<T>, Error> {
        let value = self.lock().get(T::KIND).and_then(|kind| kind.get(key)).cloned();
        value.map(|value| parse(key, value)).transpose()
    }

    /// All documents of a kind, in the order of their keys.
    ///
    /// # Errors
    /// When a stored document does not have the form of `T`.
    pub fn list<T: Document>(&self) -> Result<Vec<T>, Error> {
        self.list_prefix("")
    }

    /// The documents of a kind whose key begins with `prefix`, in the order of their keys.
    ///
    /// # Errors
    /// When a stored document does not have the form of `T`.
    pub fn list_prefix<T: Document>(&self, prefix: &str) -> Result<Vec<T>, Error> {
        let found: Vec<(String, Value)> = match self.lock().get(T::KIND) {
            Some(kind) => kind
                .range(prefix.to_owned()..)
                .take_while(|(key, _)| key.starts_with(prefix))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
            None => Vec::new(),
        };
        found.into_iter().map(|(key, value)| parse(&key, value)).collect()
    }

    /// Writes the document, whatever was there.
    ///
    /// # Errors
    /// When the file cannot be written; nothing has changed then.
    pub fn put<T: Document>(&self, key: &str, document: &T) -> Result<(), Error> {
        let value = form(key, document)?;
        self.write::<T>(&mut self.lock(), key, value)
    }

    /// Writes the document unless there is one; `false` when there is.
    ///
    /// # Errors
    /// When the file cannot be written; nothing has changed then.
    pub fn create<T: Document>(&self, key: &str, document: &T) -> Result<bool, Error> {
        let value = form(key, document)?;
        let mut kinds = self.lock();
        if kinds.get(T::KIND).is_some_and(|kind| kind.contains_key(key)) {
            return Ok(false);
        }
        self.write::<T>(&mut kinds, key, value)?;
        Ok(true)
    }

    /// Changes the document in place, with nobody in between: compare and change inside the closure. When the closure
    /// fails nothing is written. `None` when there is no such document. The closure must not use the store.
    ///
    /// # Errors
    /// The closure's own, and the store's when the file cannot be written; nothing has changed then.
    pub fn update<T, R, E>(&self, key: &str, change: impl FnOnce(&mut T) -> Result<R, E>) -> Result<Option<R>, E>
    where
        T: Document,
        E: From<Error>,
    {
        let mut kinds = self.lock();
        let Some(value) = kinds.get(T::KIND).and_then(|kind| kind.get(key)) else {
            return Ok(None);
        };
        let mut document: T = parse(key, value.clone())?;
        let result = change(&mut document)?;
        let after = form(key, &document)?;
        self.write::<T>(&mut kinds, key, after)?;
        Ok(Some(result))
    }

    /// Removes the document and returns it.
    ///
    /// # Errors
    /// When the file cannot be removed; the document is still there then.
    pub fn delete<T: Document>(&self, key: &str) -> Result<Option<T>, Error> {
        let mut kinds = self.lock();
        let Some(kind) = kinds.get_mut(T::KIND) else { return Ok(None) };
        let Some(value) = kind.get(key) else { return Ok(None) };
        let document = parse(key, value.clone())?;
        let path = file::path(&self.root, T::KIND, key);
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(Error::Write { file: path, source }),
        }
        kind.remove(key);
        Ok(Some(document))
    }

    fn write<T: Document>(&self, kinds: &mut Kinds, key: &str, value: Value) -> Result<(), Error> {
        let path = file::path(&self.root, T::KIND, key);
        file::write(&path, key, &value).map_err(|source| Error::Write { file: path, source })?;
        kinds.entry(T::KIND.to_owned()).or_default().insert(key.to_owned(), value);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Kinds> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parse<T: Document>(key: &str, value: Value) -> Result<T, Error> {
    serde_json::from_value(value).map_err(|source| Error::Form { kind: T::KIND, key: key.to_owned(), source })
}

fn form<T: Document>(key: &str, document: &T) -> Result<Value, Error> {
    serde_json::to_value(document).map_err(|source| Error::Form { kind: T::KIND, key: key.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Thing {
        n: u32,
    }

    impl Document for Thing {
        const KIND: &'static str = "thing";
    }

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("tidegate-store-{name}-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn documents_survive_a_restart_whatever_their_key() {
        let folder = folder("restart");
        let long = "x".repeat(300);
        let store = Store::open(&folder).unwrap();
        for (n, key) in ["a", "a/b", "a%2Fb", "..", long.as_str()].iter().enumerate() {
            assert!(store.create(key, &Thing { n: n as u32 }).unwrap());
        }
        assert!(!store.create("a", &Thing { n: 9 }).unwrap());
        drop(store);
        let store = Store::open(&folder).unwrap();
        for (n, key) in ["a", "a/b", "a%2Fb", "..", long.as_str()].iter().enumerate() {
            assert_eq!(store.get::<Thing>(key).unwrap(), Some(Thing { n: n as u32 }), "{key}");
        }
        assert_eq!(store.list_prefix::<Thing>("a/").unwrap().len(), 1);
        assert_eq!(store.delete::<Thing>("a").unwrap(), Some(Thing { n: 0 }));
        assert_eq!(Store::open(&folder).unwrap().list::<Thing>().unwrap().len(), 4);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_failed_change_leaves_the_document() {
        let folder = folder("change");
        let store = Store::open(&folder).unwrap();
        store.put("a", &Thing { n: 1 }).unwrap();
        let refused: Result<Option<()>, Error> = store.update("a", |thing: &mut Thing| {
            thing.n = 2;
            Err(Error::Read { folder: PathBuf::new(), source: std::io::Error::other("no") })
        });
        assert!(refused.is_err());
        assert_eq!(store.get::<Thing>("a").unwrap(), Some(Thing { n: 1 }));
        let none: Result<Option<()>, Error> = store.update("b", |_: &mut Thing| Ok(()));
        assert!(none.unwrap().is_none());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_broken_file_is_put_aside() {
        let folder = folder("broken");
        Store::open(&folder).unwrap().put("a", &Thing { n: 1 }).unwrap();
        std::fs::write(folder.join("thing/b.json"), "{").unwrap();
        assert_eq!(Store::open(&folder).unwrap().list::<Thing>().unwrap(), [Thing { n: 1 }]);
        assert!(folder.join("thing/b.json.corrupt").exists());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
