//! The text that Prometheus reads: a quantity with its help, its form and its values.

use std::fmt::{self, Display, Write as _};

/// Text in the making.
#[derive(Default)]
pub(super) struct Page(pub(super) String);

impl Page {
    /// One quantity, with all of its values: labels, each a name and what it is, and the number.
    pub(super) fn put<'a, const N: usize>(
        &mut self,
        (name, form, help): (&str, &str, &str),
        values: impl IntoIterator<Item = ([(&'a str, &'a str); N], f64)>,
    ) {
        let mut values = values.into_iter().peekable();
        if values.peek().is_none() {
            return;
        }
        // Writing into a String cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {form}");
        for (labels, value) in values {
            self.0.push_str(name);
            for (at, (label, is)) in labels.iter().enumerate() {
                let before = if at == 0 { '{' } else { ',' };
                let _ = write!(self.0, "{before}{label}=\"{}\"", Escaped(is));
            }
            self.0.push_str(if N == 0 { " " } else { "} " });
            let _ = writeln!(self.0, "{value}");
        }
    }
}

/// What stands between the quotes of a label.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

pub(super) const GAUGE: &str = "gauge";
pub(super) const COUNTER: &str = "counter";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_holds_quotes_and_line_ends_stays_one_line_and_what_has_no_value_is_left_out() {
        let mut page = Page::default();
        page.put(("a", GAUGE, "All."), [([("x", "say \"hi\"\n\\")], 0.5)]);
        page.put(
            ("b_total", COUNTER, "None."),
            None::<([(&str, &str); 1], f64)>,
        );
        page.put(("c", GAUGE, "Alone."), [([], 1e12)]);
        assert_eq!(
            page.0,
            "# HELP a All.\n# TYPE a gauge\na{x=\"say \\\"hi\\\"\\n\\\\\"} 0.5\n\
             # HELP c Alone.\n# TYPE c gauge\nc 1000000000000\n"
        );
    }
}
