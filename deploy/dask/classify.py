"""Classifies files on Dask: one model per worker, a row per file, errors as rows. Needs dask[distributed] and byteformer.

    python classify.py MODEL LIST OUT --scheduler tcp://head:8786    # LIST: a path per line; OUT: a folder of JSON lines

Without --scheduler it starts --workers of its own. What a worker that dies had not answered is answered by others.
"""
import argparse
import functools
import json
import os

import byteformer


@functools.lru_cache(maxsize=1)
def model_at(path):  # a worker answers many pieces
    return byteformer.Classifier(path, threads=1)


def answer(model, with_logits, out, index, paths):
    answers = zip(paths, model_at(model).classify_many(paths))
    lines = (json.dumps(byteformer.row(p, a, logits=with_logits)) + "\n" for p, a in answers)
    part = os.path.join(out, f"part-{index:06}.jsonl")
    with open(f"{part}.{os.getpid()}", "w") as file:
        file.writelines(lines)
    os.replace(file.name, part)  # whole or not there


def main():
    from dask.distributed import Client, LocalCluster, as_completed

    import classify  # this file as a module that workers import once; as __main__ each task would bring its own

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model"), parser.add_argument("list"), parser.add_argument("out")
    parser.add_argument("--scheduler"), parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=1024, help="files that are lost with a worker, at most")
    parser.add_argument("--logits", action="store_true")
    options = parser.parse_args()
    client = Client(options.scheduler or LocalCluster(n_workers=options.workers, threads_per_worker=1))
    client.upload_file(__file__)
    os.makedirs(options.out, exist_ok=True)
    if os.listdir(options.out):
        parser.error(f"{options.out}: is not empty; parts of another job would be read as this one's")
    with open(options.list, newline="\n", errors="surrogateescape") as names:  # a name is any bytes but a newline
        paths = [path for path in names.read().split("\n") if path]
    pieces = [paths[i : i + options.batch_size] for i in range(0, len(paths), options.batch_size)]
    work = functools.partial(classify.answer, options.model, options.logits, options.out)
    for done in as_completed(client.map(work, range(len(pieces)), pieces)):
        done.result()


if __name__ == "__main__":
    main()
