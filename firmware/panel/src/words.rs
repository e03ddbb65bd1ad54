//! Numbers and names as they fit on the glass.

/// What is shown of a value that is not known.
pub(crate) const UNKNOWN: &str = "--";

/// Text of at most `room` characters that the fonts can draw: Latin-1. Anything else becomes `?`, and what is cut off
/// ends in `..`.
pub(crate) fn fit(text: &str, room: usize) -> String {
    let drawable = |letter: char| match letter {
        ' '..='~' | '\u{a1}'..='\u{ff}' => letter,
        letter if letter.is_whitespace() => ' ',
        _ => '?',
    };
    let mut fitted: String = text.chars().take(room).map(drawable).collect();
    if text.chars().count() > room {
        fitted = text
            .chars()
            .take(room.saturating_sub(2))
            .map(drawable)
            .collect();
        fitted.push_str(&".."[..room.min(2)]);
    }
    fitted
}

/// Breaks text into lines of at most `room` characters, between words where it can. What does not fit into `lines` is
/// cut off in the last.
pub(crate) fn wrap(text: &str, room: usize, lines: usize) -> Vec<String> {
    let mut wrapped = vec![String::new()];
    for word in text.split_whitespace() {
        let last = wrapped.last_mut().expect("there is always a line");
        let length = last.chars().count();
        if length == 0 {
            last.push_str(word);
        } else if length + 1 + word.chars().count() <= room || wrapped.len() == lines {
            let last = wrapped.last_mut().expect("there is always a line");
            last.push(' ');
            last.push_str(word);
        } else {
            wrapped.push(word.to_owned());
        }
    }
    wrapped.iter().map(|line| fit(line, room)).collect()
}

/// A rate or temperature with one digit after the point, in at most five characters.
pub(crate) fn decimal(value: Option<f32>) -> String {
    match value {
        Some(value) if !value.is_finite() => UNKNOWN.into(),
        Some(value) if value >= 9999.5 => "9999+".into(),
        Some(value) if value <= -99.95 => "-99.9".into(),
        Some(value) if value.abs() >= 99.95 => format!("{value:.0}"),
        // Minus zero would only puzzle.
        Some(value) => format!("{:.1}", if value.abs() < 0.05 { 0.0 } else { value }),
        None => UNKNOWN.into(),
    }
}

/// A count in at most `digits` digits, and a `+` where it is more.
pub(crate) fn count(value: Option<u64>, digits: u32) -> String {
    let most = 10_u64.saturating_pow(digits) - 1;
    match value {
        Some(value) if value > most => format!("{most}+"),
        Some(value) => value.to_string(),
        None => UNKNOWN.into(),
    }
}

/// Space on a disk in at most nine characters.
pub(crate) fn space(mib: Option<u64>) -> String {
    match mib {
        Some(mib) if mib < 10_000 => format!("{mib} MiB"),
        Some(mib) => {
            let gib = mib as f32 / 1024.0;
            if gib < 99.95 {
                format!("{gib:.1} GiB")
            } else {
                format!("{} GiB", count(Some(mib / 1024), 4))
            }
        }
        None => UNKNOWN.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_too_long_shows_that_it_goes_on() {
        assert_eq!(fit("bus-7-front-left", 10), "bus-7-fr..");
        assert_eq!(fit("bus-7", 5), "bus-7");
        assert_eq!(fit("bus", 1), ".");
        assert_eq!(fit("bus", 0), "");
    }

    #[test]
    fn letters_the_fonts_do_not_have_are_question_marks() {
        assert_eq!(fit("Zürich\t東", 10), "Zürich ?");
        assert_eq!(fit("a\u{7f}\u{90}b\n", 10), "a??b ");
    }

    #[test]
    fn a_message_is_broken_between_words() {
        assert_eq!(
            wrap("the model file is another than its card says", 21, 2),
            ["the model file is", "another than its ca.."]
        );
        assert_eq!(wrap("", 21, 2), [""]);
        assert_eq!(
            wrap("Donaudampfschifffahrtsgesellschaft", 21, 2),
            ["Donaudampfschifffah.."]
        );
    }

    #[test]
    fn odd_numbers_have_a_readable_form() {
        assert_eq!(decimal(Some(29.97)), "30.0");
        assert_eq!(decimal(Some(-0.01)), "0.0");
        assert_eq!(decimal(Some(119.88)), "120");
        assert_eq!(decimal(Some(1e12)), "9999+");
        assert_eq!(decimal(Some(-273.0)), "-99.9");
        assert_eq!(decimal(Some(f32::NAN)), "--");
        assert_eq!(count(Some(123_456), 6), "123456");
        assert_eq!(count(Some(1_000_000), 6), "999999+");
        assert_eq!(space(Some(511)), "511 MiB");
        assert_eq!(space(Some(12_595)), "12.3 GiB");
        assert_eq!(space(Some(10_000)), "9.8 GiB");
        assert_eq!(space(Some(u64::MAX)), "9999+ GiB");
    }
}
