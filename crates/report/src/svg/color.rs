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

/// The recording, six objectives and the truth: distinct under the common colour-vision
/// deficiencies, by lightness where not by hue.
const OBJECTIVES: [&str; 8] = [
    DATA, "#d2673a", "#d81b6a", "#6c5814", "#7d35d9", "#099ebb", "#213ea8", "#8c8c8c",
];

/// The colour of a named objective, by its place among them.
pub(crate) fn objective_color(place: usize) -> &'static str {
    OBJECTIVES[place % OBJECTIVES.len()]
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
    fn the_scale_is_centred_and_has_ends() {
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

    type Rows = [[f64; 3]; 3];

    const NORMAL: Rows = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    /// Machado, Oliveira & Fernandes 2009, severity 1: linear RGB as seen without one kind of cone.
    const DEFICIENCIES: [Rows; 3] = [
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ],
    ];

    fn times(rows: &Rows, v: [f64; 3]) -> [f64; 3] {
        rows.map(|row| row.iter().zip(v).map(|(a, b)| a * b).sum())
    }

    /// CIELAB (D65) of a colour as seen through `eye`.
    fn lab(color: &str, eye: &Rows) -> [f64; 3] {
        let linear = [1, 3, 5].map(|at| {
            let value = f64::from(u8::from_str_radix(&color[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        });
        let xyz = [
            [0.4124, 0.3576, 0.1805],
            [0.2126, 0.7152, 0.0722],
            [0.0193, 0.1192, 0.9505],
        ];
        let seen = times(&xyz, times(eye, linear).map(|v| v.clamp(0.0, 1.0)));
        let root = |v: f64| {
            if v > 0.008856 {
                v.cbrt()
            } else {
                7.787 * v + 16.0 / 116.0
            }
        };
        let [x, y, z] = [seen[0] / 0.9505, seen[1], seen[2] / 1.089].map(root);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    #[test]
    fn objectives_are_told_apart_by_every_eye() {
        for eye in DEFICIENCIES.iter().chain([&NORMAL]) {
            for (i, a) in OBJECTIVES.iter().enumerate() {
                for b in &OBJECTIVES[..i] {
                    let (p, q) = (lab(a, eye), lab(b, eye));
                    let distance: f64 = p.iter().zip(q).map(|(p, q)| (p - q).powi(2)).sum();
                    // A difference of 2 is just noticeable side by side.
                    assert!(distance.sqrt() > 13.0, "{a} {b} {}", distance.sqrt());
                }
            }
        }
    }
}
