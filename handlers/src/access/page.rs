//! Pages for people: no script, nothing loaded.

use access::config::DomainName;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::problem::Problem;

/// The one style. The content security policy has its digest.
pub(super) const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;color:#16191f;background:#fff;max-width:38rem;\
margin:4rem auto;padding:0 1.5rem}h1{font-size:1.5rem;line-height:1.3}a{color:#0b5cad}code{font-size:.9rem}\
footer{margin-top:2.5rem;color:#5f6b7a;font-size:.875rem}";

fn page(title: &str, refresh: Option<(u32, &str)>, content: &Markup, correlation: &str) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                @if let Some((seconds, url)) = refresh {
                    meta http-equiv="refresh" content={ (seconds) "; url=" (url) };
                }
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { (title) }
                    (content)
                }
                footer { "Number of this request: " code { (correlation) } }
            }
        }
    }
}

/// Why not, and what to do.
pub(super) fn problem(problem: &Problem, correlation: &str, again: Option<(u32, &str)>) -> Markup {
    let title = match problem.status {
        429 | 503 => "Not just now",
        403 => "You cannot enter here",
        404 => "Nothing here",
        _ => "Studio was not opened",
    };
    let content = html! {
        p { (sentence(&problem.message)) }
        p { (problem.advice) }
        @if let Some((seconds, url)) = again {
            p { "This page tries again by itself in " (seconds) " seconds. " a href=(url) { "Try now" } }
        }
        p { "Code: " code { (problem.code) } }
    };
    page(title, again, &content, correlation)
}

/// The profile is on its way.
pub(super) fn not_ready(correlation: &str, seconds: u32, url: &str) -> Markup {
    let content = html! {
        p { "Your Studio profile is being made ready. The first time takes about half a minute." }
        p { "This page goes on by itself. " a href=(url) { "Go on now" } }
    };
    page("One moment", Some((seconds, url)), &content, correlation)
}

/// Several domains: which?
pub(super) fn choose(domains: &[(DomainName, String)], correlation: &str) -> Markup {
    let content = html! {
        p { "You may enter several Studio domains." }
        ul { @for (name, url) in domains { li { a href=(url) { (name) } } } }
    };
    page("Which domain?", None, &content, correlation)
}

fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str())
}
