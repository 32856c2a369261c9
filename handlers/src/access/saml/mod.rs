//! SAML: assertions that are verified here, or by AWS.

mod by_aws;
mod here;

use access::config::Saml;
use access::saml::Form;

use super::answer::Answer;
use super::problem::Problem;
use super::request::Request;
use super::service::Service;

pub(super) use here::login;

/// `POST /saml`: the assertion consumer service.
pub(super) async fn post(service: &Service, request: &Request) -> Result<Answer, Problem> {
    let saml = service.config.saml.as_ref().ok_or_else(Problem::no_route)?;
    if !request.is_form() {
        return Err(Problem::request("the content type is not `application/x-www-form-urlencoded`"));
    }
    let form = Form::parse(&request.body).map_err(Problem::form)?;
    match saml {
        Saml::Here(here) => here::post(service, request, here, &form).await,
        Saml::Aws(by_aws) => by_aws::post(service, by_aws, &form).await,
    }
}
