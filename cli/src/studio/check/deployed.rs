//! What AWS says of an account's domains.

use std::collections::BTreeMap;

/// What is known, or why it is not.
pub(crate) type Known<T> = Result<T, String>;

/// All that was asked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Deployed {
    pub(crate) region: String,
    /// Every domain of the account in the Region.
    pub(crate) domains: Known<Vec<Listed>>,
    /// Those that a file names, by id.
    pub(crate) states: BTreeMap<String, State>,
    /// User profiles of the account in the Region.
    pub(crate) profiles: Known<u64>,
    pub(crate) apps: Known<Vec<RunningApp>>,
    /// Quotas of SageMaker by their names.
    pub(crate) quotas: Known<BTreeMap<String, f64>>,
    /// SSM parameters by name; a list has several values.
    pub(crate) parameters: BTreeMap<String, Known<Vec<String>>>,
}

/// A domain in the listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// A domain whose name a file has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) described: Known<Described>,
    pub(crate) tags: Known<BTreeMap<String, String>>,
    /// The names of its profiles.
    pub(crate) profiles: Known<Vec<String>>,
    /// Whose they are, of those that a file has too, by name in lower case.
    pub(crate) owners: BTreeMap<String, Known<Option<String>>>,
}

/// Its settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Described {
    pub(crate) arn: String,
    pub(crate) status: String,
    pub(crate) auth_mode: String,
    pub(crate) vpc_id: Option<String>,
    pub(crate) subnet_ids: Vec<String>,
    pub(crate) kms_key_id: Option<String>,
    pub(crate) network: Option<String>,
}

/// An app that runs or is about to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunningApp {
    pub(crate) domain_id: String,
    /// SageMaker's AppType.
    pub(crate) kind: String,
    pub(crate) instance_type: Option<String>,
}

impl Deployed {
    /// The domains of this name.
    pub(super) fn named(&self, name: &str) -> Vec<&str> {
        let listed = self.domains.iter().flatten().filter(|listed| listed.name == name);
        listed.map(|listed| listed.id.as_str()).collect()
    }

    /// The only domain of this name, with its id.
    pub(super) fn only(&self, name: &str) -> Option<(&str, &State)> {
        match self.named(name).as_slice() {
            [id] => self.states.get_key_value(*id).map(|(id, state)| (id.as_str(), state)),
            _ => None,
        }
    }

    /// How many apps run in a domain.
    pub(super) fn running_in(&self, id: &str) -> Known<usize> {
        Ok(self.apps.as_ref().map_err(Clone::clone)?.iter().filter(|app| app.domain_id == id).count())
    }

    /// A value of a file with `ssm:` and placeholders put in; a parameter may hold several.
    pub(super) fn resolve(&self, value: &str, account: &str) -> Known<Vec<String>> {
        let partition = match self.region.as_str() {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        let filled = value
            .replace("{{region}}", &self.region)
            .replace("{{partition}}", partition)
            .replace("{{account}}", account);
        match filled.strip_prefix("ssm:") {
            None => Ok(vec![filled]),
            Some(name) => {
                let unasked = || Err(format!("the parameter `{name}` was not asked for"));
                self.parameters.get(name).cloned().unwrap_or_else(unasked)
            }
        }
    }
}
