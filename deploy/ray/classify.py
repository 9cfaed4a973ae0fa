"""Classifies files on a Ray cluster: one model per worker, a row per file, errors as rows. Needs ray and byteformer.

    python classify.py MODEL LIST OUT --workers 16     # LIST: a path per line; OUT: a folder of JSON lines

Workers that die are started again, and what they had not answered is answered anew.
"""
import argparse
import json
import os

import byteformer
import ray
from ray.util import ActorPool


@ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=-1)
class Worker:
    """Only names come in, and rows go to a file: nothing large passes through Ray's object store."""

    def __init__(self, model, with_logits, out):
        self.model, self.with_logits, self.out = byteformer.Classifier(model, threads=1), with_logits, out

    def answer(self, index, paths):
        answers = self.model.classify_many(paths)
        part = os.path.join(self.out, f"part-{index:06}.jsonl")
        with open(f"{part}.{os.getpid()}", "w") as file:
            rows = (byteformer.row(p, a, logits=self.with_logits) for p, a in zip(paths, answers))
            file.writelines(json.dumps(row) + "\n" for row in rows)
        os.replace(file.name, part)  # whole or not there


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model"), parser.add_argument("list"), parser.add_argument("out")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=1024, help="files that are lost with a worker, at most")
    parser.add_argument("--logits", action="store_true")
    options = parser.parse_args()
    ray.init()
    os.makedirs(options.out, exist_ok=True)
    if os.listdir(options.out):
        parser.error(f"{options.out}: is not empty; parts of another job would be read as this one's")
    with open(options.list, newline="\n", errors="surrogateescape") as names:  # a name is any bytes but a newline
        paths = [path for path in names.read().split("\n") if path]
    pieces = [paths[i : i + options.batch_size] for i in range(0, len(paths), options.batch_size)]
    workers = [Worker.remote(options.model, options.logits, options.out) for _ in range(options.workers)]
    for _ in ActorPool(workers).map_unordered(lambda worker, piece: worker.answer.remote(*piece), enumerate(pieces)):
        pass


if __name__ == "__main__":
    main()
