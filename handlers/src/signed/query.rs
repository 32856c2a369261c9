//! AWS's query protocols: a form goes in, XML comes out (EC2, CloudFormation).

use super::{Call, Element, Failed, Service};

/// A service that speaks one of them.
#[derive(Clone, Debug)]
pub struct Query {
    service: Service,
    version: &'static str,
}

impl Query {
    /// `version` is that of the service's API, such as `2016-11-15`.
    #[must_use]
    pub fn new(service: Service, version: &'static str) -> Self {
        Self { service, version }
    }

    fn form(&self, action: &str, parameters: &[(String, String)]) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action).append_pair("Version", self.version).extend_pairs(parameters);
        form.finish()
    }

    /// The answer's outermost element.
    ///
    /// # Errors
    /// No answer, one that says no, or one that is no XML.
    pub(crate) async fn call(&self, action: &'static str, parameters: &[(String, String)]) -> Result<Element, Failed> {
        let reply = self
            .service
            .send(Call {
                operation: action,
                method: "POST",
                path: "/".to_owned(),
                headers: vec![("content-type", "application/x-www-form-urlencoded; charset=utf-8")],
                body: self.form(action, parameters),
            })
            .await?;
        let answer = std::str::from_utf8(&reply.body).ok().and_then(Element::parse);
        if (200..300).contains(&reply.status) {
            return answer.ok_or_else(|| Failed::unreadable(format!("the answer to {action} is no XML")));
        }
        // EC2: Response > Errors > Error; the others: ErrorResponse > Error.
        let error = answer.as_ref().and_then(|answer| answer.find("Error"));
        let text = |name: &str| error.map_or("", |error| error.text(name));
        Err(Failed::read(text("Code"), text("Message"), reply.status))
    }
}
