//! Text that came from outside and is about to be read by a person.

/// Makes one line of text fit for a mail, a terminal or a log: control characters (escape sequences, line breaks,
/// bidirectional overrides) become spaces, runs of spaces one, and no more than `limit` characters are kept.
#[must_use]
pub fn one_line(text: &str, limit: usize) -> String {
    let mut line = String::with_capacity(text.len().min(limit * 4));
    let mut kept = 0;
    let mut space = false;
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() || is_format(c) {
            space = kept > 0;
            continue;
        }
        let needed = if space { 2 } else { 1 };
        if kept + needed > limit.saturating_sub(1) {
            line.push('…');
            return line;
        }
        if space {
            line.push(' ');
            space = false;
        }
        line.push(c);
        kept += needed;
    }
    line
}

/// Unicode's format characters that reorder or hide what follows.
fn is_format(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn control_characters_become_one_space() {
        assert_eq!(one_line("a\u{1b}[31mb\r\n\tc\u{202e}d", 80), "a [31mb c d");
        assert_eq!(one_line("  padded  ", 80), "padded");
    }

    #[test]
    fn what_is_too_long_is_cut_with_an_ellipsis() {
        assert_eq!(one_line("abcdef", 4), "abc…");
        assert_eq!(one_line("abc", 4), "abc");
    }

    proptest! {
        #[test]
        fn the_limit_holds_and_no_control_character_survives(text: String, limit in 1usize..200) {
            let line = one_line(&text, limit);
            prop_assert!(line.chars().count() <= limit);
            prop_assert!(!line.chars().any(|c| c.is_control() || is_format(c)));
        }
    }
}
