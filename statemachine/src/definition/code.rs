//! The hash of a pipeline's code.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// The SHA-256, in lower-case hexadecimal digits, of the files by path and content. The order in which a file system
/// lists them does not matter; each path and content is preceded by its length, so that no two sets of files run
/// together into one.
#[must_use]
pub fn code_hash(files: &BTreeMap<String, Vec<u8>>) -> String {
    let mut hash = Sha256::new();
    for (path, content) in files {
        for part in [path.as_bytes(), content] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
    }
    hex(&hash.finalize())
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
        files.iter().map(|(path, content)| ((*path).to_owned(), content.as_bytes().to_vec())).collect()
    }

    #[test]
    fn the_hash_does_not_change_between_versions() {
        // sha256 of eight zero bytes with 1 at the end, `a`, eight with 2, `bc`: reckoned by sha256sum.
        assert_eq!(
            code_hash(&files(&[("a", "bc")])),
            "3fafa1cf2f19a7c1129beb20cf0983f73a489a221fc0dd2f16d1be292d089205"
        );
    }

    #[test]
    fn the_order_does_not_matter_and_everything_else_does() {
        let one = code_hash(&files(&[("a", "1"), ("b", "2")]));
        assert_eq!(one, code_hash(&files(&[("b", "2"), ("a", "1")])));
        for other in [
            &[("a", "2"), ("b", "1")][..],
            &[("a", "1")],
            &[("a1b", "2")],
            &[("a", "1b2")],
            &[("a", "1"), ("b", "2"), ("c", "")],
            &[("ab", ""), ("12", "")],
        ] {
            assert_ne!(one, code_hash(&files(other)), "{other:?}");
        }
    }
}
