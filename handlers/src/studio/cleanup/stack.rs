//! What becomes of the stack.

use super::trouble::Trouble;
use crate::aws::Aws;

/// Why CloudFormation asks for a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The stack goes.
    Goes,
    /// Its creation failed, and is taken back: nobody has used the domain.
    NeverWas,
    /// The stack stays: only this resource goes.
    Stays,
}

/// Asks CloudFormation.
pub(super) async fn fate(aws: &Aws, stack: &str) -> Result<Fate, Trouble> {
    let parameters = [("StackName".to_owned(), stack.to_owned())];
    let what = format!("the status of the stack `{stack}` cannot be read");
    let answer = aws.cloudformation().call("DescribeStacks", &parameters).await;
    let answer = answer.map_err(|failed| match Trouble::from(failed) {
        // A stack that asks, and is not there: nothing is known, and nothing is deleted.
        Trouble::Gone => Trouble::Refused("CloudFormation knows no such stack".to_owned()),
        trouble => trouble,
    });
    let answer = answer.map_err(|trouble| trouble.at(&what))?;
    Ok(match answer.find("StackStatus").map_or("", |status| status.content()) {
        "DELETE_IN_PROGRESS" => Fate::Goes,
        "ROLLBACK_IN_PROGRESS" => Fate::NeverWas,
        "" => return Err(Trouble::Later(what)),
        _ => Fate::Stays,
    })
}
