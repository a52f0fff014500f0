//! Text and numbers as a reader sees them.

/// Escapes text for HTML content and quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Control characters are not allowed in HTML, not even escaped.
            c if c.is_control() && !matches!(c, '\n' | '\t') => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A number as the pages show it: three significant digits; very large and very small ones as
/// `2.1·10⁻⁶`, what is not finite as a dash.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    let size = value.abs();
    if size == 0.0 {
        return "0".into();
    }
    if !(1e-3..1e6).contains(&size) {
        return scientific(value, 1);
    }
    if size >= 999.5 {
        let sign = if value < 0.0 { "−" } else { "" };
        return format!("{sign}{}", count(size.round() as usize));
    }
    // Round first: 9.996 has two digits before the point.
    let exponent = format!("{size:.2e}")
        .split_once('e')
        .and_then(|(_, exponent)| exponent.parse::<i32>().ok())
        .unwrap_or(0);
    fixed(value, (2 - exponent).max(0) as usize)
}

/// Numbers that stand together, such as a value and its interval: as many decimals for all as the
/// largest needs for three digits, three at most. Each on its own where they are of different
/// orders, or small or large.
pub(crate) fn together(values: &[f64]) -> Vec<String> {
    let sizes = || {
        values
            .iter()
            .map(|v| v.abs())
            .filter(|v| v.is_finite() && *v > 0.0)
    };
    let (least, most) = sizes().fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), size| {
        (low.min(size), high.max(size))
    });
    let alike = least * 1e3 > most && (0.01..1e3).contains(&most);
    let decimals = (2.0 - most.log10().floor()).clamp(0.0, 3.0) as usize;
    let text = |&value: &f64| {
        if alike && value.is_finite() && value != 0.0 {
            fixed(value, decimals)
        } else {
            number(value)
        }
    };
    values.iter().map(text).collect()
}

/// A fixed number of decimals, with a true minus sign and no negative zero.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let is_zero = text.chars().all(|c| matches!(c, '0' | '.'));
    if value < 0.0 && !is_zero {
        format!("−{text}")
    } else {
        text
    }
}

/// `2.1·10⁻⁶`; a mantissa of one is left out (`10⁻⁶`) when no decimals are asked for.
pub(crate) fn scientific(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let power: String = exponent.chars().map(superscript).collect();
    match mantissa {
        "1" => format!("10{power}"),
        "-1" => format!("−10{power}"),
        _ => format!("{}·10{power}", mantissa.replace('-', "−")),
    }
}

/// Text between two pieces of HTML; nothing where there is no text.
pub(crate) fn within(before: &str, text: &str, after: &str) -> String {
    match text {
        "" => String::new(),
        text => format!("{before}{}{after}", escape(text)),
    }
}

fn superscript(character: char) -> char {
    match character {
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        '9' => '⁹',
        '-' => '⁻',
        other => other,
    }
}

/// A whole number with thousands separated.
pub(crate) fn count(value: usize) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Text in lines of at most `most` characters; a longer word has a line of its own.
pub(crate) fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// `1 run`, `2 runs`.
pub(crate) fn counted(value: usize, singular: &str) -> String {
    let plural = if value == 1 { "" } else { "s" };
    format!("{} {singular}{plural}", count(value))
}

/// A share as a percentage; never rounded to 0 or 100 where it is neither.
pub(crate) fn percent(share: f64) -> String {
    if !share.is_finite() {
        return "–".into();
    }
    let percent = share * 100.0;
    if percent != 0.0 && percent.abs() < 0.1 {
        "under 0.1 %".into()
    } else if percent > 99.9 && percent < 100.0 {
        "over 99.9 %".into()
    } else {
        // Small shares and shares close to all deserve a decimal.
        let whole = (percent * 10.0).round() % 10.0 == 0.0;
        let decimals =
            usize::from(!whole && (percent.abs() < 9.95 || (95.0..100.0).contains(&percent)));
        format!("{} %", fixed(percent, decimals))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (0.29712, "0.297"),
            (-93.04, "−93.0"),
            (9.996, "10.0"),
            (0.9996, "1.00"),
            (999.6, "1,000"),
            (-12345.0, "−12,345"),
            (2.1e-6, "2.1·10⁻⁶"),
            (-3e12, "−3.0·10¹²"),
            (f64::NAN, "–"),
            (f64::INFINITY, "–"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!(scientific(1e-4, 0), "10⁻⁴");
        assert_eq!(fixed(-0.001, 1), "0.0");
    }

    #[test]
    fn shares_do_not_round_to_nothing() {
        for (share, text) in [
            (0.0, "0 %"),
            (0.0005, "under 0.1 %"),
            (0.015, "1.5 %"),
            (0.807, "81 %"),
            (0.97, "97 %"),
            (0.985, "98.5 %"),
            (0.99999, "over 99.9 %"),
            (1.0, "100 %"),
            (1.042, "104 %"),
        ] {
            assert_eq!(percent(share), text);
        }
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrapped("one two  three", 7), ["one two", "three"]);
        assert_eq!(
            wrapped("incomprehensible it is", 5),
            ["incomprehensible", "it is"]
        );
        assert!(wrapped("  ", 5).is_empty());
    }

    #[test]
    fn numbers_together_have_the_same_decimals() {
        assert_eq!(
            together(&[-0.08, -0.13, -0.03]),
            ["−0.080", "−0.130", "−0.030"]
        );
        assert_eq!(together(&[0.0, 0.0, 0.031]), ["0", "0", "0.031"]);
        assert_eq!(together(&[1.04, 0.98, f64::NAN]), ["1.04", "0.98", "–"]);
        assert_eq!(together(&[1e-4, 0.5]), ["1.0·10⁻⁴", "0.500"]);
        assert_eq!(together(&[1234.0, 1250.0]), ["1,234", "1,250"]);
        assert_eq!(together(&[]), [""; 0]);
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(
            escape("<a href='x'>\"&\u{0}"),
            "&lt;a href=&#39;x&#39;&gt;&quot;&amp; "
        );
        assert_eq!(counted(1, "run"), "1 run");
        assert_eq!(counted(1234, "run"), "1,234 runs");
    }
}
