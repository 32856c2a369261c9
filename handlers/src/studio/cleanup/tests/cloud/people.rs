//! SageMaker: domains, applications, spaces, user profiles.

use serde_json::{Value, json};

use super::{No, Reply, World, page};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct App {
    pub(in super::super) domain: String,
    pub(in super::super) space: Option<String>,
    pub(in super::super) profile: Option<String>,
    pub(in super::super) name: String,
    pub(in super::super) status: &'static str,
    pub(in super::super) looks: u32,
}

/// A space or a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Named {
    pub(in super::super) domain: String,
    pub(in super::super) name: String,
    pub(in super::super) status: &'static str,
    pub(in super::super) looks: u32,
}

/// Whether this look is the last at which something is still there.
fn passes(status: &'static str, looks: &mut u32) -> bool {
    if matches!(status, "Deleting" | "Pending") {
        *looks = looks.saturating_sub(1);
        return *looks == 0;
    }
    false
}

fn list(things: &mut Vec<Named>, domain: &str, token: Option<&str>, key: &str) -> (Vec<Value>, Option<String>) {
    if token.is_none() {
        for thing in things.iter_mut().filter(|thing| thing.domain == domain) {
            if passes(thing.status, &mut thing.looks) {
                thing.status = if thing.status == "Deleting" { "gone" } else { "InService" };
            }
        }
        things.retain(|thing| thing.status != "gone");
    }
    let own = things.iter().filter(|thing| thing.domain == domain);
    page(own.map(|thing| json!({key: thing.name, "Status": thing.status})).collect(), token)
}

impl World {
    pub(super) fn sagemaker(&mut self, operation: &str, input: &Value) -> Reply {
        let text = |name: &str| input[name].as_str();
        let domain = text("DomainIdEquals").or(text("DomainId")).unwrap_or_default().to_owned();
        if operation != "ListDomains" && !self.domains.contains_key(&domain) {
            return Err(No("ResourceNotFound", 400));
        }
        match operation {
            "ListDomains" => {
                let arn = |id: &str| format!("arn:aws:sagemaker:eu-west-1:123456789012:domain/{id}");
                let all = self.domains.iter().map(|(id, status)| json!({"DomainArn": arn(id), "Status": status}));
                let (page, token) = page(all.collect(), text("NextToken"));
                Ok(json!({"Domains": page, "NextToken": token}))
            }
            "ListApps" => Ok(self.list_apps(&domain, text("NextToken"))),
            "ListSpaces" => {
                let (page, token) = list(&mut self.spaces, &domain, text("NextToken"), "SpaceName");
                Ok(json!({"Spaces": page, "NextToken": token}))
            }
            "ListUserProfiles" => {
                let (page, token) = list(&mut self.profiles, &domain, text("NextToken"), "UserProfileName");
                Ok(json!({"UserProfiles": page, "NextToken": token}))
            }
            "DeleteApp" => self.delete_app(&domain, input),
            "DeleteSpace" => {
                let name = text("SpaceName").unwrap();
                let used = |app: &App| app.domain == domain && app.space.as_deref() == Some(name) && app.is_there();
                let busy = self.apps.iter().any(used);
                self.delete_named(&domain, name, busy, false)
            }
            "DeleteUserProfile" => {
                let name = text("UserProfileName").unwrap();
                let used = |app: &App| app.domain == domain && app.profile.as_deref() == Some(name) && app.is_there();
                let busy = self.apps.iter().any(used) || self.spaces.iter().any(|space| space.domain == domain);
                self.delete_named(&domain, name, busy, true)
            }
            other => panic!("{other} is not known here"),
        }
    }

    fn list_apps(&mut self, domain: &str, token: Option<&str>) -> Value {
        if token.is_none() {
            for app in self.apps.iter_mut().filter(|app| app.domain == domain) {
                if passes(app.status, &mut app.looks) {
                    app.status = if app.status == "Deleting" { "Deleted" } else { "InService" };
                }
            }
        }
        let own = self.apps.iter().filter(|app| app.domain == domain);
        let all = own.map(|app| {
            json!({
                "AppType": "JupyterLab", "AppName": app.name, "Status": app.status, "DomainId": app.domain,
                "SpaceName": app.space, "UserProfileName": app.profile,
            })
        });
        let (page, token) = page(all.collect(), token);
        json!({"Apps": page, "NextToken": token})
    }

    fn delete_app(&mut self, domain: &str, input: &Value) -> Reply {
        let same = |value: &Option<String>, name: &str| value.as_deref() == input[name].as_str();
        let found = self.apps.iter_mut().find(|app| {
            app.domain == domain
                && app.name == input["AppName"].as_str().unwrap()
                && same(&app.space, "SpaceName")
                && same(&app.profile, "UserProfileName")
        });
        let app = found.ok_or(No("ResourceNotFound", 400))?;
        match app.status {
            "InService" | "Failed" => {}
            "Deleted" => return Err(No("ResourceNotFound", 400)),
            _ => return Err(No("ValidationException", 400)),
        }
        (app.status, app.looks) = ("Deleting", self.patience);
        let what = format!("app {domain}/{}", app.name);
        self.note(what);
        Ok(json!({}))
    }

    fn delete_named(&mut self, domain: &str, name: &str, busy: bool, profile: bool) -> Reply {
        let (things, kind) = if profile { (&mut self.profiles, "profile") } else { (&mut self.spaces, "space") };
        let found = things.iter_mut().find(|thing| thing.domain == domain && thing.name == name);
        let thing = found.ok_or(No("ResourceNotFound", 400))?;
        if busy || thing.status == "Deleting" {
            return Err(No("ResourceInUse", 400));
        }
        (thing.status, thing.looks) = ("Deleting", self.patience);
        self.note(format!("{kind} {domain}/{name}"));
        Ok(json!({}))
    }
}

impl App {
    /// In the way of who owns it, and seen at work.
    pub(in super::super) fn is_there(&self) -> bool {
        !matches!(self.status, "Deleted" | "Failed")
    }
}
