//! `GET /enter`: a ticket for the way into Studio.

use access::person::Person;

use super::answer::Answer;
use super::problem::Problem;
use super::request::Request;
use super::secret::Secret;
use super::service::{Service, TICKET_COOKIE};
use super::store::Ticket;

pub(super) async fn enter(service: &Service, request: &Request) -> Result<Answer, Problem> {
    let secret = request.cookie(TICKET_COOKIE).and_then(|text| Secret::parse(&text)).ok_or_else(Problem::no_ticket)?;
    let ticket = service.store().take_ticket(&secret).await?.ok_or_else(Problem::no_ticket)?;
    service.send_in(ticket.person, ticket.since, &request.correlation).await
}

impl Service {
    /// Sends the browser to [`enter`] with a ticket.
    pub(super) async fn send_to_enter(&self, person: Person) -> Result<Answer, Problem> {
        let since = self.clock.now();
        let answer = Answer::see_other(&self.config.url.join("/enter"));
        self.with_ticket(answer, Ticket { person, since }).await
    }
}
