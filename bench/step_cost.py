"""A model of what a training step by ranks costs: computing, the all-reduce of each bucket as soon as its layers are done, and
what of that is hidden behind the backward pass. Used by network.py, which measures what it is fitted to and compared with.
"""

import dataclasses
import itertools
import json
import math
import pathlib
import statistics
import subprocess
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
BUCKET_NUMBERS = 1 << 18  # as src/train/gradient_sum.cpp has it
FITTED_TO = ("cifar10, 16 files", "cifar10, 64 files")
IMAGENET_FILES, EPOCHS, PAPERS_BATCH = 1_281_167, 300, 768


@dataclasses.dataclass(frozen=True)
class Link:
    gbits: float  # per second; 0: as fast as it goes
    delay_ms: float = 0

    def seconds_per_byte(self):
        return 8e-9 / self.gbits if self.gbits > 0 else 0.0

    def __str__(self):
        rate = f"{self.gbits:g} Gbit/s" if self.gbits > 0 else "no limit"
        return rate + (f", {self.delay_ms:g} ms" if self.delay_ms > 0 else "")


class Work:
    """What `byteformer inspect` counts of a model and a file."""

    def __init__(self, binaries, model, num_bytes):
        words = [binaries / "byteformer", "inspect", "--json", "-m", model, "--bytes", num_bytes]
        found = json.loads(subprocess.run(list(map(str, words)), check=True, capture_output=True, text=True).stdout)
        self.tokens = found["file"]["tokens"]
        self.layers = [layer["multiply_adds"]["as_run"] for layer in found["file"]["layers"]]
        self.multiply_adds = sum(self.layers)
        sizes = [(tensor["name"], math.prod(tensor["shape"])) for tensor in found["tensors"]]
        shapes = {tensor["name"]: tensor["shape"] for tensor in found["tensors"]}
        # Of the byte table, which is made once per step; its gradients cost twice as much.
        self.table_multiply_adds = shapes["embeddings.weight"][0] * math.prod(shapes["token_reduction_net.weight"])
        self.weights = sum(size for _, size in sizes)
        merging = [layer["layer"] for layer in found["file"]["layers"] if layer["merges"]]
        self.buckets = self.cut([(size, self.stage(name, merging)) for name, size in sizes])

    def stage(self, name, merging):
        """The layer whose backward pass completes the gradient of a tensor."""
        part = name.split(".")
        if part[0] == "transformer":
            return int(part[1])
        if part[0] == "downsamplers":
            return int(part[1].removeprefix("downsample_"))
        return len(self.layers) if part[0] in ("post_transformer_norm", "classifier") else -1

    @staticmethod
    def cut(pieces):
        """Bytes and stage of each bucket, in the order in which they can be summed: cut_buckets() of src/train/shares.cpp."""
        buckets = []
        for size, stage in reversed(pieces):
            if buckets and buckets[-1][0] < BUCKET_NUMBERS and stage <= buckets[-1][1]:
                buckets[-1] = (buckets[-1][0] + size, stage)
            else:
                buckets.append((size, stage))
        return [(4 * size, stage) for size, stage in sorted(buckets, key=lambda bucket: -bucket[1])]

    def backward_until(self, stage):
        """The share of the layers' backward pass after which the gradients of `stage` are sent: that of the layer before
        has to be over, too."""
        return sum(self.layers[max(0, stage - 1) :]) / self.multiply_adds


@dataclasses.dataclass(frozen=True)
class Processor:
    """What computing costs a rank."""

    seconds_per_multiply_add: float
    seconds_per_weight: float  # of the optimizer

    def step_seconds(self, work, files):
        """Without a network."""
        counted = files * work.multiply_adds + work.table_multiply_adds
        return 3 * counted * self.seconds_per_multiply_add + work.weights * self.seconds_per_weight

    @staticmethod
    def of(work, files, seconds, seconds_per_weight):
        """The one that takes `seconds` for a step."""
        counted = 3 * (files * work.multiply_adds + work.table_multiply_adds)
        return Processor((seconds - work.weights * seconds_per_weight) / counted, seconds_per_weight)


@dataclasses.dataclass(frozen=True)
class Network:
    """What sending costs besides the link's rate and delay."""

    seconds_per_byte: float  # of a processor, for a byte that is sent, received and added; measured alone
    seconds_per_message: float  # measured alone
    seconds_per_step: float  # fitted: until the slower rank is there, and what threads take from each other

    def step_seconds(self, work, processor, files, link, ranks):
        """Of a step of so many ranks. Sums go round a ring; each starts when its gradients are there and the link is free."""
        rounds = 2 * (ranks - 1)
        waiting = rounds * (link.delay_ms / 1000 + self.seconds_per_message)
        unit = processor.seconds_per_multiply_add
        forward = (files * work.multiply_adds + work.table_multiply_adds) * unit
        backward = 2 * files * work.multiply_adds * unit
        table = 2 * work.table_multiply_adds * unit  # the last of the backward pass
        stolen = end = 0.0  # what the threads that send take from those that compute; when the link is free
        for num_bytes, stage in work.buckets:
            is_late = stage <= 0  # the layers' last gradients are sent with those of the stem
            ready = forward + backward * work.backward_until(stage) + stolen + is_late * table
            sent = rounds / ranks * num_bytes
            end = max(ready, end) + waiting + sent * max(link.seconds_per_byte(), self.seconds_per_byte)
            if not is_late:
                stolen += sent * self.seconds_per_byte
        computed = max(forward + backward + stolen + table, end) + waiting  # the loss is summed last
        return computed + self.seconds_per_step + work.weights * processor.seconds_per_weight


class Measurements:
    """What network.py measured, and what follows of it."""

    def __init__(self, binaries, results):
        self.works, self.processors, self.rows = {}, {}, []  # by shape; by case; of a case and a link
        self.results = results["cases"]
        self.message_seconds, self.byte_seconds = results["message_seconds"], results["byte_seconds"]
        for measured in self.results.values():
            with tempfile.NamedTemporaryFile("w", suffix=".json") as config:
                json.dump(measured["config"], config)
                config.flush()
                self.works[measured["shape"]] = Work(binaries, config.name, measured["num_bytes"])
        few, many = (self.results[case] for case in FITTED_TO)
        per_file = (self.alone(many) - self.alone(few)) / (self.files(many) - self.files(few))
        work = self.works[few["shape"]]
        of_table = per_file * work.table_multiply_adds / work.multiply_adds
        per_weight = max(0.0, self.alone(few) - self.files(few) * per_file - of_table) / work.weights
        for case, measured in self.results.items():
            work = self.works[measured["shape"]]
            self.processors[case] = Processor.of(work, self.files(measured), self.alone(measured), per_weight)
            self.rows += [(case, row) for row in measured["rows"] if row["link"] is not None]

    @staticmethod
    def files(measured):
        return measured["batch_size"] / 2

    @staticmethod
    def alone(measured):
        return next(row["seconds"] for row in measured["rows"] if row["link"] is None)

    def predicted(self, network, case, row):
        measured = self.results[case]
        work, files = self.works[measured["shape"]], self.files(measured)
        return network.step_seconds(work, self.processors[case], files, Link(**row["link"]), 2)

    def fit(self):
        """The network whose relative errors are least: what it costs per step is a number that is added."""
        without = Network(self.byte_seconds, self.message_seconds, 0)
        pairs = [(row["seconds"], self.predicted(without, case, row)) for case, row in self.rows if case in FITTED_TO]
        missing = sum((seconds - predicted) / seconds**2 for seconds, predicted in pairs)
        return Network(self.byte_seconds, self.message_seconds, missing / sum(1 / seconds**2 for seconds, _ in pairs))


def busy_seconds(row):
    return row["sent_bytes"] * Link(**row["link"]).seconds_per_byte()


def measured_table(measurements, network):
    yield "| a step of two ranks | link | alone | measured | model | error | hidden, measured | by the model |"
    yield "|---|---|---|---|---|---|---|---|"
    for case, measured in measurements.results.items():
        rows = [row for name, row in measurements.rows if name == case]
        fastest = min(rows, key=busy_seconds)
        for row in rows:
            seconds, predicted = row["seconds"], measurements.predicted(network, case, row)
            cells = [case + (" (fitted)" if case in FITTED_TO else ""), Link(**row["link"])]
            cells += [f"{1000 * number:,.0f} ms" for number in (measurements.alone(measured), seconds, predicted)]
            cells.append(f"{100 * (predicted / seconds - 1):+.0f} %")
            # Of the time that this link is busy longer than the fastest one, what does not make the step longer.
            longer = busy_seconds(row) - busy_seconds(fastest)
            is_slow = longer > 0.1 * measurements.alone(measured)
            extras = (seconds - fastest["seconds"], predicted - measurements.predicted(network, case, fastest))
            cells += [f"{100 * (1 - extra / longer):.0f} %" if is_slow else "" for extra in extras]
            yield f"| {' | '.join(map(str, cells))} |"


RUNS = {  # the paper's, on ImageNet
    "TIFF, k 32": ("image_tiff", 150_668),
    "JPEG, k 8": ("jpeg_q100_k8", 48_564),
}
SPEEDS = {"as measured": 1, "100 times as fast": 100}
THREADS_GAIN = 1.9  # of the second thread: docs/performance.md
DELAY_MS = 0.1


def many_machines_table(binaries, measurements, network):
    measured = next(case for case, measured in measurements.results.items() if measured["shape"] == "tiny")
    one = measurements.processors[measured]
    yield "| run | machines | each | 1 Gbit/s | 10 Gbit/s | 25 Gbit/s |"
    yield "|---|---|---|---|---|---|"
    for text, (name, num_bytes) in RUNS.items():
        work = Work(binaries, REPOSITORY / f"tests/data/published/{name}.yaml", num_bytes)
        for (speed_text, speed), machines in itertools.product(SPEEDS.items(), (8, 64, 512)):
            gain = THREADS_GAIN * speed
            processor = Processor(one.seconds_per_multiply_add / gain, one.seconds_per_weight / gain)
            files = math.ceil(PAPERS_BATCH / machines)  # of the one that has most
            cells = []
            for gbits in (1, 10, 25):
                seconds = network.step_seconds(work, processor, files, Link(gbits, DELAY_MS), machines)
                days = seconds * math.ceil(IMAGENET_FILES / PAPERS_BATCH) * EPOCHS / 86_400
                share = 100 * processor.step_seconds(work, files) / seconds
                cells.append(f"{seconds:.2f} s, {share:.0f} %, {days:,.1f} d")
            yield f"| {text} | {machines} | {speed_text} | {' | '.join(cells)} |"


def table(binaries, results):
    measurements = Measurements(binaries, results)
    network = measurements.fit()
    optimizer = next(iter(measurements.processors.values())).seconds_per_weight
    lines = [f"{1e9 * network.seconds_per_byte:.2f} ns a byte, {1e6 * network.seconds_per_message:.0f} us a message, "]
    lines[0] += f"{1e3 * network.seconds_per_step:.1f} ms a step, "
    lines[0] += f"{1e9 * optimizer:.1f} ns a weight"
    for case, processor in measurements.processors.items():
        sent = statistics.median(row["sent_bytes"] for name, row in measurements.rows if name == case)
        speed = 2e-9 / processor.seconds_per_multiply_add
        lines.append(f"{case}: {speed:.0f} GFLOP/s a thread, {sent / 1e6:.1f} MB sent by each rank in a step")
    lines += ["", *measured_table(measurements, network), "", *many_machines_table(binaries, measurements, network)]
    return "\n".join(lines)
