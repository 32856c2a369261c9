//! Where the local cloud's state lies.

use std::path::{Path, PathBuf};

const NAME: &str = ".tidegate";

/// The nearest `.tidegate` at or above `start`.
pub(crate) fn above(start: &Path) -> Option<PathBuf> {
    start.ancestors().map(|folder| folder.join(NAME)).find(|home| home.is_dir())
}

/// Whether a local cloud has ever been started there.
pub(crate) fn is_used(home: &Path) -> bool {
    ["local.json", "ministack", "engine"].iter().any(|name| home.join(name).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_home_counts() {
        let root = std::env::temp_dir().join(format!("tidegate-home-{}", std::process::id()));
        let (outer, inner) = (root.join(NAME), root.join("a/.tidegate"));
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::fs::create_dir_all(&outer).unwrap();
        assert_eq!(above(&root.join("a/b")), Some(outer));
        std::fs::create_dir_all(&inner).unwrap();
        assert_eq!(above(&root.join("a/b")), Some(inner.clone()));
        assert!(!is_used(&inner));
        std::fs::create_dir(inner.join("engine")).unwrap();
        assert!(is_used(&inner));
        std::fs::remove_dir_all(root).unwrap();
    }
}
