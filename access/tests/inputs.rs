//! Whatever a browser posts is read or refused: no panic, no work without bound, no claims but signed ones. The target is
//! the one that `make fuzz` runs for as long as one likes; here it has its seeds and a bounded number of mutations.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]
#![allow(unreachable_pub)]

#[path = "../../fuzz/src/bounded.rs"]
mod bounded;
#[path = "../../fuzz/src/saml.rs"]
mod saml;

use access::saml::Form;
use saml::{provider, saml_form};

#[test]
fn any_form_is_read_or_refused_and_gives_no_claims_but_signed_ones() {
    bounded::run("saml_form", saml_form, 1500);
}

/// Seeds that nobody accepts would prove little.
#[test]
fn the_signed_seeds_are_accepted() {
    let (provider, now) = provider();
    let accepted = |seed: &[u8]| Form::parse(seed).is_ok_and(|form| provider.verify(&form, now).is_ok());
    let names: Vec<String> = bounded::seeds("saml_form")
        .into_iter()
        .filter(|(_, seed)| accepted(seed))
        .filter_map(|(path, _)| path.rsplit('/').next().map(str::to_owned))
        .collect();
    assert_eq!(names, ["both.form", "ecdsa.form", "rsa.form"]);
}
