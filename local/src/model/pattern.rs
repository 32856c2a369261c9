//! The service model's patterns are Java's; what they use beyond the `regex` crate is rewritten here.

use regex::Regex;

/// Rewritings that keep the meaning. The name of an ARN-or-name may not end in a hyphen, which the model says with a
/// look-behind. An end of text repeated is an end of text. A class of Unicode repeated up to a bound is too large an
/// automaton; the shape has the same bound as its length, which is checked beside the pattern.
const REWRITTEN: [(&str, &str); 6] = [
    ("([a-zA-Z0-9]([a-zA-Z0-9-]){0,62})(?<!-)", "([a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)"),
    ("([a-zA-Z0-9]([a-zA-Z0-9\\-]){0,62})(?<!-)", "([a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)"),
    (r"(?!\s*$).+", r".*\S.*"),
    (r"${1,128}", ""),
    (r"${1,256}", ""),
    (r"\p{P}]{0,1024}", r"\p{P}]*"),
];

/// The pattern as a regular expression over the whole value, or `None` when it has no translation.
pub(super) fn translate(pattern: &str) -> Option<Regex> {
    let mut text = pattern.to_owned();
    for (from, to) in REWRITTEN {
        text = text.replace(from, to);
    }
    Regex::new(&format!("^(?:{})$", ascii_classes(&text)?)).ok()
}

/// `\d`, `\w` and `\p{Alnum}` mean ASCII in Java. A class inside brackets loses its own brackets.
fn ascii_classes(pattern: &str) -> Option<String> {
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern.chars();
    let mut within = false;
    while let Some(next) = rest.next() {
        match next {
            '\\' => {
                let escaped = rest.next()?;
                let members = match escaped {
                    'd' => "0-9",
                    'w' => "a-zA-Z0-9_",
                    'p' if rest.as_str().starts_with("{Alnum}") => {
                        rest = rest.as_str().get("{Alnum}".len()..)?.chars();
                        "a-zA-Z0-9"
                    }
                    _ => {
                        text.push('\\');
                        text.push(escaped);
                        continue;
                    }
                };
                if within {
                    text.push_str(members);
                } else {
                    text.push('[');
                    text.push_str(members);
                    text.push(']');
                }
            }
            '[' if within => text.push_str("\\["),
            '[' | ']' => {
                within = next == '[';
                text.push(next);
            }
            _ => text.push(next),
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(pattern: &str, value: &str) -> bool {
        translate(pattern).unwrap().is_match(value)
    }

    #[test]
    fn the_whole_value_must_match() {
        assert!(accepts("[a-z]+|[0-9]+", "abc"));
        assert!(!accepts("[a-z]+|[0-9]+", "abc1"));
    }

    #[test]
    fn digits_and_word_characters_are_ascii() {
        assert!(accepts(r"[-\w]+\/.+", "text-x/csv"));
        assert!(!accepts(r"\d+", "٣"));
        assert!(!accepts(r"[-\w]+\/.+", "täxt/csv"));
        assert!(accepts(r"arn:[\p{Alnum}\-]+:x", "arn:aws-cn:x"));
    }

    #[test]
    fn look_around_is_rewritten_where_it_has_a_plain_form() {
        let versioned = r"(arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:[a-z\-]*\/)?([a-zA-Z0-9]([a-zA-Z0-9-]){0,62})(?<!-)(\/[0-9]{1,9})?";
        assert!(accepts(versioned, "arn:aws:sagemaker:us-east-1:000000000000:model-package/g/3"));
        assert!(accepts(versioned, "a"));
        assert!(!accepts(versioned, "a-"));
        assert!(!accepts(versioned, "a-/3"));
        assert!(accepts(r"(?!\s*$).+", " a "));
        assert!(!accepts(r"(?!\s*$).+", "  "));
    }

    #[test]
    fn bounds_that_a_length_holds_too_are_left_out() {
        let uri = r"[\p{L}\p{M}\p{Z}\p{N}\p{P}]{0,1024}";
        assert!(accepts(uri, "s3://ä b/1"));
        assert!(!accepts(uri, "a\u{7}"));
        assert!(accepts(r"([\p{L}\p{N}_]*)${1,256}", "a_1"));
        assert!(!accepts(r"([\p{L}\p{N}_]*)${1,256}", "a b"));
    }

    #[test]
    fn what_has_no_translation_says_so() {
        assert!(translate(r"[\u0020-\uD7FF\uD800\uDC00-\uDBFF\uDFFF\t]*").is_none());
        assert!(translate(r"/(?!.*\.\.)[a-z/]+").is_none());
    }
}
