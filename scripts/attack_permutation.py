#!/usr/bin/env python3
"""Measures how little it takes to undo a byte permutation: the numbers of docs/privacy.md.

Usage: attack_permutation.py BYTEFORMER      the built program; nothing else is needed but files of this repository

Obfuscates the pictures of examples/digits.tar.gz by a new key, prepared as models/mnist wants them, and attacks them in
four ways. What an attack recovers is judged by the bytes that it reads rightly, and by models/mnist.
"""
import collections
import json
import pathlib
import struct
import subprocess
import sys
import tarfile
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
MNIST = REPOSITORY / "models/mnist"
KNOWN = (1, 20)  # files that the attacker has in both forms
HEADER = 44  # bytes of a WAV header


def byteformer(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def read_all(paths):
    return [path.read_bytes() for path in paths]


def learnt(plain_files, secret_files):
    """What pairs of files give away: a dictionary from obfuscated to plain values."""
    return {s: p for plain, secret in zip(plain_files, secret_files) for p, s in zip(plain, secret)}


def share_read(known, key, secret_files):
    """The share of all bytes whose value `known` has right."""
    inverse = {value: v for v, value in enumerate(key)}
    counts = collections.Counter(b"".join(secret_files))
    return sum(n for s, n in counts.items() if known.get(s) == inverse[s]) / sum(counts.values())


def by_frequency(public_files, secret_files):
    """The n-th most frequent obfuscated value is taken for the n-th most frequent value of like files."""
    ranks = [[v for v, _ in collections.Counter(b"".join(files)).most_common()] for files in (secret_files, public_files)]
    return dict(zip(*ranks))


def accuracy(files, labels, folder):
    """The share of `files`, read as they are, that models/mnist answers rightly."""
    folder.mkdir()
    for i, file in enumerate(files):
        (folder / f"{i:05}").write_bytes(file)
    answers = byteformer("classify", "-m", MNIST, "--as-is", "--jsonl", "--top-k", 1, "-r", folder).splitlines()
    right = [json.loads(a)["predictions"][0]["label"] == label for a, label in zip(answers, labels, strict=True)]
    return sum(right) / len(right)


def embedding_rows(model):
    """The 257 rows of a model's byte embedding, as bytes."""
    data = (model / "model.safetensors").read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    begin, end = json.loads(data[8 : 8 + length])["embeddings.weight"]["data_offsets"]
    size = (end - begin) // 257
    return [data[8 + length + begin + i * size :][:size] for i in range(257)]


def attack_header(key, work):
    """A WAV file whose content nobody knows: the header follows from its length alone."""
    byteformer("encode", REPOSITORY / "examples/data/spoken_3.wav", "-o", work, "--like", REPOSITORY / "models/spoken-digits")
    wav = (work / "spoken_3.wav").read_bytes()
    secret = bytes(key[v] for v in wav)
    known = learnt([wav[:HEADER]], [secret[:HEADER]])
    print(f"1. the {HEADER} bytes of a WAV header: {len(known)} of 256 values; "
          f"{share_read(known, key, [secret[HEADER:]]):.1%} of the samples after it are read")


def attack_files(key, plain, secret, labels, work):
    print(f"   models/mnist on {len(plain)} pictures: plain {accuracy(plain, labels, work / 'a'):.1%}, "
          f"obfuscated {accuracy(secret, labels, work / 'b'):.1%}")
    for n in KNOWN:
        known = learnt(plain[:n], secret[:n])
        read = [bytes(known.get(s, 0) for s in file) for file in secret[n:]]
        print(f"2. known pictures in both forms: {n}, which give {len(known)} of 256 values; "
              f"{share_read(known, key, secret[n:]):.1%} of the bytes of the others are read; "
              f"models/mnist is right about {accuracy(read, labels[n:], work / f'known-{n}'):.1%}")


def attack_frequencies(key, public, secret, labels, work):
    guessed = by_frequency(public, secret)
    read = [bytes(guessed.get(s, 0) for s in file) for file in secret]
    print(f"3. frequencies alone, beside {len(public)} other pictures in plain form: {share_read(guessed, key, secret):.1%} "
          f"of the bytes are read; models/mnist is right about {accuracy(read, labels, work / 'd'):.1%}")


def attack_models(key, keyed):
    places = {row: v for v, row in enumerate(embedding_rows(MNIST))}
    found = [places.get(row) for row in embedding_rows(keyed)]
    print(f"4. the plain model and the rekeyed one: {sum(found[key[v]] == v for v in range(256))} of 256 values")


def main(work):
    with tarfile.open(REPOSITORY / "examples/digits.tar.gz") as archive:
        archive.extractall(work)
    byteformer("obfuscate", "keygen", "-o", work / "key")
    key = (work / "key").read_bytes()
    files = {}
    for split in ("train", "test"):
        byteformer("encode", "-r", work / "digits" / split, "-o", work / split, "--like", MNIST)
        byteformer("obfuscate", "apply", "--key", work / "key", "-r", work / split, "-o", work / f"secret-{split}")
        files[split] = sorted((work / split).rglob("*.fhwc"), key=lambda path: (path.stem, path.parent))
    byteformer("obfuscate", "rekey", MNIST, "--key", work / "key", "-o", work / "keyed")
    plain = read_all(files["test"])
    secret = read_all(work / "secret-test" / path.relative_to(work / "test") for path in files["test"])
    labels = [path.parent.name for path in files["test"]]
    attack_header(key, work)
    attack_files(key, plain, secret, labels, work)
    attack_frequencies(key, read_all(files["train"]), secret, labels, work)
    attack_models(key, work / "keyed")


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__.split("\n\n")[1])
    PROGRAM = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        main(pathlib.Path(folder))
