//! scan
use refire_synth::*;
fn nc(z: &refire_core::TrialArray<u8>, pick: &dyn Fn(usize) -> bool) -> Vec<f64> {
    let n = 20;
    let (k_n, t_n) = (z.trials(), z.bins());
    let mut r = vec![0.0f64; n];
    let mut c = vec![0.0f64; n * n];
    let mut cnt = 0.0;
    for cond in 0..4 {
        for t in 0..t_n {
            let ks: Vec<usize> = (0..k_n).filter(|k| k % 4 == cond && pick(*k)).collect();
            let mut m = vec![0.0; n];
            for &k in &ks {
                for i in 0..n {
                    m[i] += f64::from(z.row(k, t)[i]) / ks.len() as f64;
                }
            }
            for &k in &ks {
                cnt += 1.0;
                let row = z.row(k, t);
                for i in 0..n {
                    r[i] += f64::from(row[i]);
                    for j in 0..i {
                        c[i * n + j] += (f64::from(row[i]) - m[i]) * (f64::from(row[j]) - m[j]);
                    }
                }
            }
        }
    }
    let mut out = vec![];
    for i in 0..n {
        for j in 0..i {
            let s = |x: usize| {
                let p = r[x] / cnt;
                (p * (1.0 - p)).sqrt()
            };
            out.push(c[i * n + j] / cnt / (s(i) * s(j)));
        }
    }
    out
}
fn pearson(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let (ma, mb) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let f = |x: &[f64], mx: f64, y: &[f64], my: f64| {
        x.iter()
            .zip(y)
            .map(|(x, y)| (x - mx) * (y - my))
            .sum::<f64>()
    };
    f(a, ma, b, mb) / (f(a, ma, a, ma) * f(b, mb, b, mb)).sqrt()
}
fn main() {
    for (rs, ss, radius, g, k, decay, share, rate) in [
        (0.3, 0.3, 0.95, 3.0, 4, 1.5, 0.25, 0.06),
        (0.3, 0.3, 0.9, 3.0, 4, 1.5, 0.25, 0.06),
        (0.3, 0.3, 0.85, 3.0, 4, 1.5, 0.25, 0.06),
        (0.3, 0.3, 0.8, 3.0, 4, 1.5, 0.25, 0.02),
        (0.3, 0.3, 0.85, 3.0, 4, 1.5, 0.25, 0.02),
        (0.3, 0.3, 0.9, 3.0, 4, 1.5, 0.25, 0.02),
    ] {
        let (mut bad, mut rms, mut split, mut ws) = (0, vec![], vec![], vec![]);
        for seed in 1..=60 {
            let s = SynthSettings {
                seed,
                spectral_radius: radius,
                inhibition: g,
                rate_spread: rs,
                strength_spread: ss,
                synapses_per_unit: k,
                filter_decay_bins: decay,
                inhibitory_share: share,
                mean_rate: rate,
                ..Default::default()
            };
            match GroundTruth::draw(&s) {
                Err(_) => bad += 1,
                Ok(t) => {
                    let w: Vec<f32> = t.couplings.iter().copied().filter(|&w| w > 0.0).collect();
                    ws.push(w.iter().sum::<f32>() / w.len() as f32 * 5.0);
                    let z = simulate(&t, 50, seed).unwrap();
                    let a = nc(&z, &|_| true);
                    rms.push((a.iter().map(|x| x * x).sum::<f64>() / a.len() as f64).sqrt());
                    split.push(pearson(
                        &nc(&z, &|k| (k / 4) % 2 == 0),
                        &nc(&z, &|k| (k / 4) % 2 == 1),
                    ));
                }
            }
        }
        println!("rs{rs} ss{ss} R{radius} g{g} k{k} tau{decay} rate{rate}: bad {bad}");
        for (n, v) in [("rms", &rms), ("split", &split)] {
            let mut s = v.clone();
            s.sort_by(f64::total_cmp);
            println!(
                "  {n} min {:.4} q1 {:.4} med {:.4} q3 {:.4} max {:.4}  first {:.3?}",
                s[0],
                s[s.len() / 4],
                s[s.len() / 2],
                s[s.len() * 3 / 4],
                s[s.len() - 1],
                &v[..5]
            );
        }
        println!("  w {:.2?}", &ws[..5]);
    }
}
