use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::EngineConfig;

/// Which Python stands in for which container image.
///
/// The file is `{"images": [{"repository": "sagemaker-scikit-learn", "environment": ".venv/ml"}, ...]}`. The repository
/// is the part of the image URI between the registry and the tag or digest; `*` at the end of a pattern stands for the
/// rest of the name. The environment is a virtual environment's folder, relative to the checkout unless absolute. The
/// first match counts.
#[derive(Debug, Clone)]
pub struct Images {
    root: PathBuf,
    file: PathBuf,
    images: Vec<Entry>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    repository: String,
    environment: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    images: Vec<Entry>,
}

/// Why the image map cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ImagesError {
    /// The file cannot be read.
    #[error("cannot read the image map `{file}`: {source}")]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file does not hold an image map.
    #[error("`{file}` is no image map: {source}")]
    Parse {
        /// The file.
        file: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// No pattern of the map matches the image.
    #[error("no local environment stands in for the image `{image}`; add its repository to `{file}`")]
    Unknown {
        /// The image's URI.
        image: String,
        /// The map.
        file: PathBuf,
    },
    /// The environment has no Python.
    #[error("the environment of the image `{image}` has no `{python}`; run `make setup`")]
    NotInstalled {
        /// The image's URI.
        image: String,
        /// The interpreter that was looked for.
        python: PathBuf,
    },
}

impl Images {
    pub(super) fn read(config: &EngineConfig) -> Result<Self, ImagesError> {
        let file = config.images.clone();
        let text = match std::fs::read(&file) {
            Ok(text) => text,
            Err(source) => return Err(ImagesError::Read { file, source }),
        };
        match serde_json::from_slice::<File>(&text) {
            Ok(parsed) => Ok(Self { root: config.root.clone(), file, images: parsed.images }),
            Err(source) => Err(ImagesError::Parse { file, source }),
        }
    }

    /// The Python interpreter that stands in for the image's.
    ///
    /// # Errors
    /// When no pattern matches the image's repository, or when its environment is not installed.
    pub fn python(&self, image: &str) -> Result<PathBuf, ImagesError> {
        let name = repository(image);
        let entry = self.images.iter().find(|entry| matches(&entry.repository, name));
        let Some(entry) = entry else {
            return Err(ImagesError::Unknown { image: image.to_owned(), file: self.file.clone() });
        };
        let python = self.root.join(&entry.environment).join("bin/python");
        if !Path::new(&python).exists() {
            return Err(ImagesError::NotInstalled { image: image.to_owned(), python });
        }
        Ok(python)
    }
}

/// `683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1` → `sagemaker-scikit-learn`.
fn repository(image: &str) -> &str {
    let path = match image.split_once('/') {
        Some((registry, path)) if registry.contains('.') || registry.contains(':') => path,
        _ => image,
    };
    let path = path.split('@').next().unwrap_or(path);
    path.split(':').next().unwrap_or(path)
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_what_stands_between_registry_and_tag() {
        let uri = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3";
        assert_eq!(repository(uri), "sagemaker-scikit-learn");
        assert_eq!(repository("763104351884.dkr.ecr.eu-central-1.amazonaws.com/a/b@sha256:00"), "a/b");
        assert_eq!(repository("localhost:5000/mine"), "mine");
        assert_eq!(repository("mine:1"), "mine");
    }

    #[test]
    fn a_star_stands_for_the_rest() {
        assert!(matches("autogluon-*", "autogluon-training"));
        assert!(!matches("autogluon", "autogluon-training"));
    }
}
