//! Somebody with a browser, as far as a sign-in needs one: cookies, redirects one at a time, forms.

use std::collections::{BTreeMap, HashMap};

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, COOKIE, HOST, LOCATION, SET_COOKIE};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::error::Error;

/// Cookies by host and port.
#[derive(Debug, Default)]
pub(super) struct Visitor {
    cookies: HashMap<String, BTreeMap<String, String>>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) status: u16,
    /// Where it sends the visitor.
    pub(super) location: Option<String>,
    pub(super) page: String,
}

impl Visitor {
    pub(super) async fn get(&mut self, url: &str) -> Result<Visit, Error> {
        self.ask(Method::GET, url, None).await
    }

    pub(super) async fn post(&mut self, url: &str, form: &[(String, String)]) -> Result<Visit, Error> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.ask(Method::POST, url, Some(body)).await
    }

    async fn ask(&mut self, method: Method, url: &str, form: Option<String>) -> Result<Visit, Error> {
        let failed =
            |why: &dyn std::fmt::Display| Error::failed(format!("`{}` does not answer: {why}", without_query(url)));
        let uri: Uri = url.parse().map_err(|error| failed(&error))?;
        let site = uri.authority().map(ToString::to_string).unwrap_or_default();
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut request = Request::builder().method(method).uri(path).header(HOST, &site);
        if let Some(jar) = self.cookies.get(&site) {
            let cookies: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, cookies.join("; "));
        }
        if form.is_some() {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let body = Full::new(Bytes::from(form.unwrap_or_default()));
        let request = request.body(body).map_err(|error| failed(&error))?;
        // Whatever name is asked for is this machine: not every resolver knows that of names under `.localhost`.
        let stream = TcpStream::connect(("127.0.0.1", uri.port_u16().unwrap_or(80))).await;
        let stream = TokioIo::new(stream.map_err(|error| failed(&error))?);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(stream).await.map_err(|error| failed(&error))?;
        let connection = tokio::spawn(connection);
        let answer = sender.send_request(request).await.map_err(|error| failed(&error))?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(|error| failed(&error))?.to_bytes();
        connection.abort();
        let jar = self.cookies.entry(site).or_default();
        for cookie in head.headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            let pair = cookie.split(';').next().and_then(|pair| pair.split_once('='));
            jar.extend(pair.map(|(name, value)| (name.trim().to_owned(), value.to_owned())));
        }
        Ok(Visit {
            status: head.status.as_u16(),
            location: head.headers.get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned),
            page: String::from_utf8_lossy(&body).into_owned(),
        })
    }
}

impl Visit {
    /// The hidden fields of the page's first form.
    pub(super) fn fields(&self) -> Vec<(String, String)> {
        let form = self.page.split("<form").nth(1).and_then(|rest| rest.split("</form>").next()).unwrap_or_default();
        form.split("<input")
            .skip(1)
            .filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?)))
            .collect()
    }

    /// What a reader sees of it, a line for each piece of text.
    pub(super) fn text(&self) -> String {
        let body = self.page.split("<body").nth(1).unwrap_or_default();
        let pieces = body.split('<').filter_map(|piece| piece.split_once('>')).map(|(_, text)| plain(text.trim()));
        pieces.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
    }
}

/// A URL as it may be shown: what is behind the question mark lets people in.
pub(super) fn without_query(url: &str) -> String {
    match url.split_once('?') {
        Some((shown, _)) => format!("{shown}?…"),
        None => url.to_owned(),
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = tag.split_once(&format!(" {name}=\""))?.1;
    value.split_once('"').map(|(value, _)| plain(value))
}

/// The characters that pages escape.
fn plain(text: &str) -> String {
    let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (written, meant)| text.replace(written, meant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_and_a_page_is_shown_as_a_reader_sees_them() {
        let page = "<html><head><style>x{}</style></head><body><h1>Sign in</h1><form action=\"/a\">\
                    <input type=\"hidden\" name=\"one\" value=\"a&amp;&quot;b\"><input name=\"two\" value=\"\">\
                    <button>Go</button></form><form><input name=\"three\" value=\"x\"></form></body></html>";
        let visit = Visit { status: 200, location: None, page: page.to_owned() };
        let expected = [("one", "a&\"b"), ("two", "")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(visit.fields(), expected);
        assert_eq!(visit.text(), "Sign in\nGo");
    }

    #[test]
    fn what_lets_somebody_in_is_not_shown() {
        assert_eq!(without_query("http://127.0.0.1:1/auth?token=secret"), "http://127.0.0.1:1/auth?…");
        assert_eq!(without_query("http://127.0.0.1:1/auth"), "http://127.0.0.1:1/auth");
    }
}
