"""Classifies files on Spark: one model per Python worker, a row per file, errors as rows. Needs pyspark and byteformer.

    spark-submit classify.py MODEL LIST OUT --partitions 64      # LIST: a path per line; OUT: a folder of JSON lines

Only names are shuffled, and files are read where they are classified. A partition whose worker dies is answered anew.
"""
import argparse
import functools
import json

import byteformer


@functools.lru_cache(maxsize=1)
def model_at(path):  # a worker answers many partitions
    return byteformer.Classifier(path, threads=1)


def answer(model, with_logits, paths):
    paths = list(paths)
    for path, answered in zip(paths, model_at(model).classify_many(paths)):
        yield json.dumps(byteformer.row(path, answered, logits=with_logits))


def main():
    from pyspark.sql import SparkSession

    import classify  # this file as a module that workers import once; as __main__ each task would bring its own

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model"), parser.add_argument("list"), parser.add_argument("out")
    parser.add_argument("--partitions", type=int, default=64, help="a partition is lost with a worker, at most")
    parser.add_argument("--logits", action="store_true")
    options = parser.parse_args()
    context = SparkSession.builder.appName("byteformer").getOrCreate().sparkContext
    context.addPyFile(__file__)
    paths = context.textFile(options.list).repartition(options.partitions)
    paths.mapPartitions(functools.partial(classify.answer, options.model, options.logits)).saveAsTextFile(options.out)


if __name__ == "__main__":
    main()
