/// Recorded data, on every figure.
pub(crate) const DATA: &str = "#3a3a3a";

/// One colour per fit: distinct under the common colour-vision deficiencies, dark enough for
/// text, and away from the red and blue of the matrices.
const FITS: [&str; 6] = [
    "#00798c", "#b9570b", "#7d3c98", "#5b7a00", "#c2185b", "#3d52a8",
];

pub(crate) fn fit_color(index: usize) -> &'static str {
    FITS[index % FITS.len()]
}

/// Steps on each side of zero of the diverging scale.
pub(crate) const LEVELS: i32 = 20;

/// ColorBrewer's RdBu from white outwards, blue negative.
const NEGATIVE: [[f64; 3]; 5] = [
    [255.0, 255.0, 255.0],
    [209.0, 229.0, 240.0],
    [146.0, 197.0, 222.0],
    [67.0, 147.0, 195.0],
    [28.0, 84.0, 152.0],
];
const POSITIVE: [[f64; 3]; 5] = [
    [255.0, 255.0, 255.0],
    [253.0, 219.0, 199.0],
    [244.0, 165.0, 130.0],
    [214.0, 96.0, 77.0],
    [165.0, 15.0, 38.0],
];

/// The level of a value on a scale that runs from `-scale` to `scale`; beyond it, the last one.
pub(crate) fn level(value: f64, scale: f64) -> i32 {
    if scale > 0.0 && value.is_finite() {
        let steps = f64::from(LEVELS);
        (value / scale * steps).round().clamp(-steps, steps) as i32
    } else {
        0
    }
}

pub(crate) fn level_color(level: i32) -> String {
    let stops = if level < 0 { NEGATIVE } else { POSITIVE };
    let last = stops.len() - 1;
    let place = f64::from(level.abs().min(LEVELS)) / f64::from(LEVELS) * last as f64;
    let below = (place as usize).min(last - 1);
    let share = place - below as f64;
    let channel = |c: usize| {
        let value = stops[below][c] * (1.0 - share) + stops[below + 1][c] * share;
        value.round() as u8
    };
    format!("#{:02x}{:02x}{:02x}", channel(0), channel(1), channel(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_centred_and_clamped() {
        assert_eq!(level(0.0, 2.0), 0);
        assert_eq!(level(1.0, 2.0), LEVELS / 2);
        assert_eq!(level(-7.0, 2.0), -LEVELS);
        assert_eq!(level(f64::NAN, 2.0), 0);
        assert_eq!(level(1.0, 0.0), 0);
        assert_eq!(level_color(0), "#ffffff");
        assert_eq!(level_color(LEVELS), "#a50f26");
        assert_eq!(level_color(-LEVELS), "#1c5498");
        assert_eq!(level_color(-LEVELS / 2), "#92c5de");
    }
}
