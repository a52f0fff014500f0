"""Writes the seeds of the fuzz targets: python fuzz/seeds.py REFIRE (the built command). Needs numpy."""
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).parent / "seeds"
TYPES = ["|b1", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", "<f4", "<f8", "<U4", "|S4", ">i4", ">f8", "<f2"]
RECORDING = ["spike_times", "spike_trial", "spike_unit", "trial_duration", "n_units", "n_trials", "counts", "bin_size",
             "n_bins", "condition", "unit_ids", "stimulus", "stimulus_dt"]
TRUTH = ["bias", "couplings", "drive", "population", "mask", "theta", "observed", "bin_size", "seed", "stimulus",
         "stimulus_dt"]


def packed(keys, **arrays):
    """Arrays as `archive` of readers.rs takes them."""
    out = b""
    for key, array in arrays.items():
        array = np.asarray(array)
        axes = b"".join(bytes([n]) if n < 255 else b"\xff" + struct.pack("<I", n) for n in array.shape)
        out += bytes([keys.index(key), TYPES.index(array.dtype.str), array.ndim]) + axes + array.tobytes()
    return out


def put(target, name, data):
    (HERE / target).mkdir(parents=True, exist_ok=True)
    (HERE / target / name).write_bytes(data)


def saved(save, *args, **arrays):
    with tempfile.TemporaryFile() as file:
        save(file, *args, **arrays)
        file.seek(0)
        return file.read()


def main(refire):
    rng = np.random.default_rng(1)
    counts = (rng.random((4, 12, 3)) < 0.2).astype("u1")
    events = dict(spike_times=np.sort(rng.random(9) * 0.1), spike_trial=np.repeat([0, 1, 2], 3),
                  spike_unit=np.tile([0, 1], 5)[:9], trial_duration=np.full(3, 0.105), n_units=2, n_trials=3)
    binned = dict(counts=counts, bin_size=0.01, n_bins=np.full(4, 12))
    stimulus = dict(stimulus=rng.normal(size=(12, 2)), stimulus_dt=0.01)
    padded = counts.astype("f4")
    padded[1, 11:] = np.nan
    padded[2, 5:] = 0
    odd = dict(counts=padded, bin_size=np.array([0.01], "f4"), n_bins=np.array([12.0, 11, 5, 12]),
               condition=np.array(["a", "b", "a", "b"], "<U4"), unit_ids=np.array([b"x", b"y", b"z"], "S4"))
    short = {**events, "spike_times": events["spike_times"].astype("f4"), "condition": np.array([2, 2, 7], "i2")}
    recordings = dict(events=events, binned=binned, odd=odd, short=short, driven={**binned, **stimulus},
                      courses={**odd, "stimulus": rng.normal(size=(2, 9, 1)).astype(">f8"), "stimulus_dt": 0.02})
    for name, arrays in recordings.items():
        put("recording", name, packed(RECORDING, **arrays))
        put("npz", name, saved(np.savez, **arrays))
        put("npz", name + "-deflated", saved(np.savez_compressed, **arrays))
    names = RECORDING[9:]
    put("stimulus", "shared", packed(names, **stimulus))
    put("stimulus", "courses", packed(names, condition=np.array(["a", "b"], "<U4"), stimulus=np.ones((2, 5, 1)),
                                      stimulus_dt=0.01))
    truth = dict(bias=np.array([-3.0, -2], "f4"), couplings=np.zeros((2, 2, 2), "f4"), drive=np.zeros((1, 6, 2), "f4"),
                 population=np.array([0, 1]), mask=1 - np.eye(2, dtype="u1"), theta=1.0, observed=2, bin_size=0.01, seed=1)
    put("truth", "plain", packed(TRUTH, **truth))
    put("truth", "driven", packed(TRUTH, **truth, stimulus=np.ones((6, 1)), stimulus_dt=0.01))
    put("mask", "all", packed(["mask"], mask=1 - np.eye(3, dtype="u1")))
    put("mask", "none", packed(["mask"], mask=np.zeros((2, 2), "?")))
    spikes = (rng.random((20, 2)) < 0.2).astype("u1")
    npys = [saved(np.save, a) for a in (spikes, spikes.astype("?"), spikes.astype("f8"), rng.random((2, 3, 10)))]
    put("pvc11", "four", b"".join(struct.pack("<H", len(a)) + a for a in npys))
    for name, text in CONFIGS.items():
        put("config", name + ".toml", text.encode())
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name, arrays, options in FITS:
            np.savez(folder / "recording.npz", **recordings[arrays])
            command = [refire, "fit", folder / "recording.npz", "--bin", "10ms", "--lags", "2", "--batch", "2", "--iterations", "2",
                       "--quiet", "--out", folder / name, *options]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            put("model", name, (folder / name / "model.refire").read_bytes())
            checkpoint = folder / name / "checkpoint.refire"
            if checkpoint.exists():
                put("checkpoint", name, checkpoint.read_bytes())


CONFIGS = {
    "network": 'lags = 3\nhidden = 2\nhistory = "zero"\nbin = "10ms"\nseed = 3\n',
    "objective": 'objective = "mle+sm"\nweight-psth = 2.0\nweight-nc = 5.0\nform = "corrected"\n',
    "sparse": 'couplings = "sparse"\nin-degree = 1\nobserved-inhibitory = "0, 1"\n',
    "low-rank": 'rank = 1\noptimizer = "adam"\nlearning-rate = 0.01\niterations = 5\nbatch = 2\n',
    "drive": 'drive = "condition"\ndrive-spacing = "40ms"\nridge = "auto"\nhold-out = "trials"\n',
}

FITS = [
    ("condition", "odd", ["--checkpoint-every", "1", "--optimizer", "adam", "--free-bins", "24"]),
    ("features", "driven", ["--checkpoint-every", "1", "--hidden", "1"]),
    ("sparse", "binned", ["--in-degree", "1", "--checkpoint-every", "1"]),
    ("low-rank", "events", ["--rank", "1"]),
]

if __name__ == "__main__":
    main(sys.argv[1])
