//! Text for XML 1.0.

use std::fmt::Write as _;

/// Text for an element or an attribute. Characters that XML 1.0 has no form for become U+FFFD.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            // White space of attributes survives only so.
            '\t' | '\n' | '\r' => {
                // Writing to a String cannot fail.
                let _ = write!(safe, "&#{};", letter as u32);
            }
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            _ => safe.push(letter),
        }
    }
    safe
}
